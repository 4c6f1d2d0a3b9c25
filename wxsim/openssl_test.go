package wxsim_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A third program agrees with the signatures, over an answer with a body, one
// without, and a notification.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl on this machine; TestNotification checks the same with crypto/rsa")
	}
	s := newStage(t)
	s.placePaid("order-openssl")
	s.place("native", "order-closed")
	notification := s.rc.arrivals()[0]
	for name, r := range map[string]result{
		"answer": s.m.query("order-openssl"), "204": s.m.close("order-closed"), "notification": {200, notification.header, notification.body},
	} {
		dir := t.TempDir()
		write := func(name string, content []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		signature, err := base64.StdEncoding.DecodeString(r.header.Get("Wechatpay-Signature"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		message := r.header.Get("Wechatpay-Timestamp") + "\n" + r.header.Get("Wechatpay-Nonce") + "\n" + string(r.body) + "\n"
		cmd := exec.Command(openssl, "dgst", "-sha256", "-verify", write("key.pem", []byte(s.Account().PublicKeyPEM)),
			"-signature", write("sig", signature), write("message", []byte(message)))
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "Verified OK\n" {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
