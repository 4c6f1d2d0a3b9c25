package wxsim_test

import (
	"bytes"
	"crypto/aes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// acceptedV2 is the yes of API v2.
const acceptedV2 = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"

// deliveredV2 is a notification as it arrived, judged by independent code.
type deliveredV2 struct {
	header  http.Header
	fields  map[string]string
	info    map[string]string // of a refund
	genuine bool
}

// receiverV2 is a merchant's notify endpoint for API v2. It says yes to what is
// genuine.
type receiverV2 struct {
	url string

	mu     sync.Mutex
	got    []deliveredV2
	answer func(w http.ResponseWriter) // nil: yes or no
}

func newReceiverV2(t *testing.T, m *merchantV2) *receiverV2 {
	t.Helper()
	rc := &receiverV2{}
	rc.url = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("notification body: %v", err)
		}
		d := m.judge(r.Header, string(body))
		rc.mu.Lock()
		rc.got = append(rc.got, d)
		answer := rc.answer
		rc.mu.Unlock()
		switch {
		case answer != nil:
			answer(w)
		case d.genuine:
			fmt.Fprint(w, acceptedV2)
		default:
			fmt.Fprint(w, "<xml><return_code><![CDATA[FAIL]]></return_code></xml>")
		}
	})) + "/pay/notify/v2"
	return rc
}

func (rc *receiverV2) arrivals() []deliveredV2 {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return append([]deliveredV2(nil), rc.got...)
}

// judge checks the sign of a payment by its length, and opens a refund's
// req_info.
func (m *merchantV2) judge(h http.Header, body string) deliveredV2 {
	d := deliveredV2{header: h.Clone(), fields: readV2(body)}
	if sealed, refund := d.fields["req_info"]; refund {
		plain, err := openV2(m.account.APIv2Key, sealed)
		d.info = readV2(plain)
		d.genuine = err == nil && strings.HasPrefix(plain, "<root>")
		return d
	}
	signType := map[int]string{32: "MD5", 64: "HMAC-SHA256"}[len(d.fields["sign"])]
	d.genuine = signType != "" && d.fields["sign"] == signV2(d.fields, signType, m.account.APIv2Key)
	return d
}

// openV2 decrypts a req_info.
func openV2(key, sealed string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) == 0 || len(raw)%16 != 0 {
		return "", fmt.Errorf("%d bytes: %w", len(raw), err)
	}
	block, err := aes.NewCipher(fmt.Appendf(nil, "%x", md5.Sum([]byte(key))))
	if err != nil {
		return "", err
	}
	for at := 0; at < len(raw); at += 16 {
		block.Decrypt(raw[at:], raw[at:at+16])
	}
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > 16 || !bytes.HasSuffix(raw, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return "", errors.New("padding")
	}
	return string(raw[:len(raw)-pad]), nil
}
