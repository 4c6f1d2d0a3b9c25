package wxsim_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// The forms a client may rely on.
func TestAccount(t *testing.T) {
	t.Parallel()
	a := wxsim.Start(t).Account()
	for value, form := range map[string]string{
		a.MchID: `^[0-9]{10}$`, a.AppID: `^wx[0-9a-f]{16}$`, a.AppIDApp: `^wx[0-9a-f]{16}$`, a.AppIDJSAPI: `^wx[0-9a-f]{16}$`,
		a.SerialNo: `^[0-9A-F]{40}$`, a.PlatformSerial: `^[0-9A-F]{40}$`, a.APIv3Key: `^[0-9A-Za-z]{32}$`, a.APIv2Key: `^[0-9A-Za-z]{32}$`,
		a.PublicKeyID: `^PUB_KEY_ID_[0-9]{28}$`, a.AppSecret: `^[0-9a-f]{32}$`,
		a.PrivateKeyPEM: `^-----BEGIN PRIVATE KEY-----\n`, a.PublicKeyPEM: `^-----BEGIN PUBLIC KEY-----\n`, a.PlatformCertPEM: `^-----BEGIN CERTIFICATE-----\n`,
	} {
		if !regexp.MustCompile(form).MatchString(value) {
			t.Errorf("%q is not %s", value, form)
		}
	}
	block, _ := pem.Decode([]byte(a.PlatformCertPEM))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || cert.Subject.CommonName != "Tenpay.com sign" || cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
		t.Errorf("certificate %v, %v", cert, err)
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() != 2048 || key.E != 65537 {
		t.Errorf("certificate key %v", cert.PublicKey)
	}
}

// What seed 7 gives. It may change only on purpose: people keep the keys of a
// seed in their configuration.
const (
	frozenMchID          = "1660041444"
	frozenPlatformSerial = "5C67289226F8FCBE527149A0A494B2E1FDB10A21"
	frozenDigest         = "e5761949ef20c682b82cf48acda4dc98ca732fd82bb52e869b681bf3d381416c" // SHA-256 of the account as JSON
)

func digest(a wxsim.Account) string {
	raw, _ := json.Marshal(a)
	return fmt.Sprintf("%x", sha256.Sum256(raw))
}

func TestSeed(t *testing.T) {
	t.Parallel()
	account := func(seed int64) wxsim.Account {
		s, err := wxsim.New(wxsim.Config{Seed: seed})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return s.Account()
	}
	if got := account(7); got.MchID != frozenMchID || got.PlatformSerial != frozenPlatformSerial || digest(got) != frozenDigest {
		t.Errorf("seed 7 gives mchid %q, platform serial %q, digest %q", got.MchID, got.PlatformSerial, digest(got))
	}
	if a, b := account(0), account(0); a.PrivateKeyPEM == b.PrivateKeyPEM || a.MchID == b.MchID || a.APIv3Key == b.APIv3Key {
		t.Error("seed 0 gives the same account twice")
	}
}

// With one seed the numbers are the same, whatever else happens in between.
func TestSeedNumbers(t *testing.T) {
	t.Parallel()
	numbers := func(noise int) string {
		s := newStage(t, wxsim.Config{Seed: 11})
		for i := range noise {
			s.m.prepay("native", fmt.Sprintf("noise-%d", i), nil)
			s.m.query("order-none")
		}
		code := s.m.prepay("native", "order-seed", map[string]any{"notify_url": s.rc.url}).text("code_url")
		if err := s.Pay("order-seed"); err != nil {
			t.Fatalf("pay: %v", err)
		}
		o, _ := s.Order("order-seed")
		return fmt.Sprint(code, o.TransactionID, o.OpenID, o.PrepayID, s.rc.arrivals()[0].envelope["id"])
	}
	if a, b := numbers(0), numbers(3); a != b {
		t.Errorf("numbers %s and %s", a, b)
	}
}

// After the first, a simulator starts at once.
func TestStartIsQuick(t *testing.T) {
	wxsim.Start(t)
	begin := time.Now()
	for range 10 {
		wxsim.Start(t)
	}
	if took := time.Since(begin) / 10; took > 50*time.Millisecond {
		t.Errorf("Start takes %v", took)
	}
}
