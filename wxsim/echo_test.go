package wxsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"testing"
)

// sealed encrypts a text for the key with that serial.
func (m *merchant) sealed(serial, plaintext string) string {
	m.t.Helper()
	key, err := m.verifier(serial)
	if err != nil {
		m.t.Fatal(err)
	}
	raw, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(plaintext), nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestEcho(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	acct := s.Account()
	tests := []struct {
		name, serial, body string
		status             int
		code               string
	}{
		{"a message", acct.PublicKeyID, `{"echo_message":"hello"}`, 200, ""},
		{"signed with the certificate", acct.PlatformSerial, `{"echo_message":"hello"}`, 200, ""},
		{"encrypted, too", acct.PublicKeyID, `{"echo_message":"hello","encrypted_echo_message":"` + s.m.sealed(acct.PublicKeyID, "hello") + `"}`, 200, ""},
		{"encrypted for another key", acct.PublicKeyID, `{"echo_message":"hello","encrypted_echo_message":"` + s.m.sealed(acct.PlatformSerial, "hello") + `"}`, 400, "PARAM_ERROR"},
		{"encrypted for no named key", "", `{"echo_message":"hello","encrypted_echo_message":"` + s.m.sealed(acct.PlatformSerial, "hello") + `"}`, 400, "PARAM_ERROR"},
		{"no message", acct.PublicKeyID, `{}`, 400, "PARAM_ERROR"},
		{"an unknown key", "PUB_KEY_ID_0000000000000000000000000001", `{"echo_message":"hello"}`, 400, "PARAM_ERROR"},
		{"a notify URL with a query", acct.PublicKeyID, `{"echo_message":"hello","notify_url":"https://shop.example.com/notify?a=1"}`, 400, "PARAM_ERROR"},
	}
	for _, test := range tests {
		s.m.serialHeader = test.serial
		r := s.m.call("POST", "/v3/security/echo", []byte(test.body)) // verifies
		if r.status != test.status || r.code() != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.name, r.status, r.code(), test.status, test.code)
		}
		if r.status == 200 && (r.text("echo_message") != "hello" || r.header.Get("Wechatpay-Serial") != test.serial) {
			t.Errorf("%s: %s signed by %q, want the message and %q", test.name, r.body, r.header.Get("Wechatpay-Serial"), test.serial)
		}
	}
}
