package wxcrypto_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// holder has the keys wherever a program may put them. The unexported fields cannot be asked for a String method by
// fmt; there the types must be safe by what they hold.
type holder struct {
	Private      *wxcrypto.PrivateKey
	PrivateValue wxcrypto.PrivateKey
	APIv3        wxcrypto.APIv3Key
	APIv3Pointer *wxcrypto.APIv3Key
	APIv2        wxcrypto.APIv2Key
	APIv2Pointer *wxcrypto.APIv2Key
	Signer       wxcrypto.Signer
	List         []any
	Map          map[string]any

	private      *wxcrypto.PrivateKey
	privateValue wxcrypto.PrivateKey
	apiv3        wxcrypto.APIv3Key
	apiv3Pointer *wxcrypto.APIv3Key
	apiv2        wxcrypto.APIv2Key
	apiv2Pointer *wxcrypto.APIv2Key
}

func newHolder(tb testing.TB) holder {
	private, apiv3, apiv2 := wrap(tb, strangerRSA()), apiv3Key(tb), apiv2Key(tb)
	return holder{
		Private: private, PrivateValue: *private, APIv3: apiv3, APIv3Pointer: &apiv3,
		APIv2: apiv2, APIv2Pointer: &apiv2,
		Signer:  wxcrypto.Signer{MchID: testMchID, SerialNo: testSerial, Key: private},
		List:    []any{private, *private, apiv3, &apiv3, apiv2, &apiv2},
		Map:     map[string]any{"private": private, "value": *private, "apiv3": apiv3, "pointer": &apiv3, "apiv2": apiv2, "apiv2 pointer": &apiv2},
		private: private, privateValue: *private, apiv3: apiv3, apiv3Pointer: &apiv3,
		apiv2: apiv2, apiv2Pointer: &apiv2,
	}
}

// secrets returns the forms in which a secret could show up in a text.
func secrets() []string {
	key := strangerRSA()
	raws := [][]byte{[]byte(testAPIv3Key), []byte(testAPIv2Key), key.D.Bytes(), key.Primes[0].Bytes(), key.Primes[1].Bytes()}
	forms := []string{key.D.String(), key.Primes[0].String(), key.Primes[1].String()}
	for _, raw := range raws {
		list := strings.Trim(fmt.Sprint(raw), "[]")
		hexText := hex.EncodeToString(raw)
		// The first bytes are enough to recognise a form, whatever follows them.
		forms = append(forms, string(raw[:16]), hexText[:16], strings.ToUpper(hexText[:16]),
			base64.StdEncoding.EncodeToString(raw)[:16], list[:16], fmt.Sprintf("%#v", raw)[7:40])
	}
	return forms
}

func wantRedacted(tb testing.TB, how, text string) {
	tb.Helper()
	for _, secret := range secrets() {
		if strings.Contains(text, secret) {
			tb.Errorf("%s shows a secret: %.200s", how, text)
		}
	}
}

func TestRedactedInFmt(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%t", "%p", "%T"}
	for _, verb := range verbs {
		for _, value := range append(h.List, h, &h, h.Signer, h.List, h.Map) {
			wantRedacted(t, fmt.Sprintf("%s of %T", verb, value), fmt.Sprintf(verb, value))
		}
	}
	for _, verb := range verbs[:4] {
		for _, value := range h.List {
			if got := fmt.Sprintf(verb, value); !strings.HasSuffix(got, "Key(redacted)") {
				t.Errorf("%s of %T = %s", verb, value, got)
			}
		}
	}
	if got := fmt.Sprintf("%+v", h.Signer); !strings.Contains(got, "PrivateKey(redacted)") {
		t.Errorf("a Signer prints as %s", got)
	}
}

func TestRedactedInJSON(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	text := toJSON(t, h)
	wantRedacted(t, "json", text)
	var back map[string]any
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"Private": "wxcrypto.PrivateKey(redacted)", "PrivateValue": "wxcrypto.PrivateKey(redacted)",
		"APIv3": "wxcrypto.APIv3Key(redacted)", "APIv3Pointer": "wxcrypto.APIv3Key(redacted)",
		"APIv2": "wxcrypto.APIv2Key(redacted)", "APIv2Pointer": "wxcrypto.APIv2Key(redacted)",
	} {
		if back[field] != want {
			t.Errorf("%s = %v", field, back[field])
		}
	}
}

func TestRedactedInSlog(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	var buf bytes.Buffer
	for name, handler := range map[string]slog.Handler{
		"text": slog.NewTextHandler(&buf, nil), "json": slog.NewJSONHandler(&buf, nil),
	} {
		buf.Reset()
		log := slog.New(handler).With("with", h.APIv3)
		log.Info("keys", "private", h.Private, "value", h.PrivateValue, "apiv3", h.APIv3, "pointer", h.APIv3Pointer)
		if got := strings.Count(buf.String(), "Key(redacted)"); got != 5 {
			t.Errorf("%s: %d redacted values: %s", name, got, &buf)
		}
		log.Info("holder", "holder", h, "pointer", &h, "signer", h.Signer, "list", h.List, "map", h.Map)
		wantRedacted(t, "slog "+name, buf.String())
	}
}

// A handler of somebody else may look at nothing but LogValue.
func TestRedactedLogValue(t *testing.T) {
	t.Parallel()
	for _, value := range newHolder(t).List {
		if got := slog.AnyValue(value).Resolve(); got.Kind() != slog.KindString || !strings.HasSuffix(got.String(), "Key(redacted)") {
			t.Errorf("%T resolves to %v of kind %v", value, got, got.Kind())
		}
	}
}

// A nil key in a log must not take the log down.
func TestRedactedNil(t *testing.T) {
	t.Parallel()
	var key *wxcrypto.PrivateKey
	var buf bytes.Buffer
	slog.New(slog.NewJSONHandler(&buf, nil)).Info("keys", "private", key, "text", fmt.Sprintf("%v %+v %#v %s", key, key, key, key))
	if !strings.Contains(buf.String(), `"msg":"keys"`) {
		t.Errorf("log: %s", &buf)
	}
}
