package apiv2_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testKey   = "192006250b4c09247ec02edce69f6a2d"
	testMchID = "1230000109"
	testAppID = "wxd930ea5d5a258f4f"
	testNonce = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
)

// message is a set of fields as this side of the wire sees them; it is written,
// read and signed here without any of the code under test.
type message map[string]string

// signed is the message with its sign.
func (m message) signed(hmacToo bool) message {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" && name != "sign" {
			parts = append(parts, name+"="+m[name])
		}
	}
	text := strings.Join(append(parts, "key="+testKey), "&")
	sum := md5.Sum([]byte(text))
	sign := hex.EncodeToString(sum[:])
	if hmacToo {
		mac := hmac.New(sha256.New, []byte(testKey))
		mac.Write([]byte(text))
		sign = hex.EncodeToString(mac.Sum(nil))
	}
	out := maps.Clone(m)
	out["sign"] = strings.ToUpper(sign)
	return out
}

func (m message) xml(root string) string {
	var b strings.Builder
	for name, value := range m {
		fmt.Fprintf(&b, "<%s><![CDATA[%s]]></%s>\n", name, value, name)
	}
	return "<" + root + ">" + b.String() + "</" + root + ">"
}

func readMessage(t *testing.T, text []byte) message {
	t.Helper()
	var doc struct {
		Fields []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Errorf("the request is no XML: %v", err)
	}
	m := message{}
	for _, f := range doc.Fields {
		m[f.XMLName.Local] = f.Value
	}
	return m
}

// ok is a successful answer, signed, with these fields more.
func ok(more message) message {
	m := message{
		"return_code": "SUCCESS", "return_msg": "OK", "appid": testAppID, "mch_id": testMchID, "nonce_str": "n", "result_code": "SUCCESS",
	}
	maps.Copy(m, more)
	return m.signed(false)
}

// failed is a signed refusal.
func failed(code string) message {
	return ok(message{"result_code": "FAIL", "err_code": code, "err_code_des": "说明"})
}

// changed alters one thing of an answer without signing it again.
func changed(m message, name, value string) message {
	m[name] = value
	return m
}

// wechat answers every request with the same and keeps what arrived.
type wechat struct {
	t      *testing.T
	server *httptest.Server

	mu   sync.Mutex
	path []string
	got  []message
}

func answering(t *testing.T, answer string) *wechat {
	t.Helper()
	w := &wechat{t: t}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.path = append(w.path, r.RequestURI)
		w.got = append(w.got, readMessage(t, body))
		rw.Header().Set("Content-Type", "text/plain")
		io.WriteString(rw, answer)
	}))
	t.Cleanup(w.server.Close)
	return w
}

// client is of this WeChat Pay; it pauses for no time between tries.
func (w *wechat) client(change ...func(*apiv2.Config)) *apiv2.Client {
	w.t.Helper()
	key, err := wxcrypto.ParseAPIv2Key(testKey)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := apiv2.Config{
		MchID: testMchID, Key: key, Certificate: &tls.Certificate{},
		Calls: wxapi.Config{
			BaseURL: w.server.URL, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
			Sleep:    func(context.Context, time.Duration) error { return nil },
			NewNonce: func() string { return testNonce },
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := apiv2.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// requests is how many arrived.
func (w *wechat) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.got)
}

// arrived checks that every try was this very message, signed.
func (w *wechat) arrived(path string, tries int, want message, hmacToo bool) {
	w.t.Helper()
	want = maps.Clone(want)
	want["mch_id"], want["nonce_str"] = testMchID, testNonce
	want = want.signed(hmacToo)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.got) != tries {
		w.t.Errorf("%d requests arrived, want %d", len(w.got), tries)
	}
	for i, got := range w.got {
		if w.path[i] != path || !maps.Equal(got, want) {
			w.t.Errorf("arrived at %s: %v\nwant %s: %v", w.path[i], got, path, want)
		}
	}
}

// want is the exact error of a call.
type want struct {
	is     error // ErrUnknown, ErrNotVerified, …; nil for none of them
	status int   // of the *Error beneath, 0 for none
	code   string
	tries  int
}

func (w want) check(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{wxapi.ErrUnknown, wxapi.ErrNotVerified, wxapi.ErrUnreachable, wxapi.ErrRequest} {
		if got, expected := errors.Is(err, kind), w.is != nil && errors.Is(w.is, kind); got != expected {
			t.Errorf("errors.Is(err, %q) = %t, want %t; err: %v", kind, got, expected, err)
		}
	}
	var refusal *wxapi.Error
	if errors.As(err, &refusal) {
		if refusal.Status != w.status || refusal.Code != w.code {
			t.Errorf("*Error is %d %q, want %d %q", refusal.Status, refusal.Code, w.status, w.code)
		}
	} else if w.status != 0 {
		t.Errorf("no *Error, want %d %s; err: %v", w.status, w.code, err)
	}
	if (err == nil) != (w.is == nil && w.status == 0) {
		t.Errorf("err: %v", err)
	}
}
