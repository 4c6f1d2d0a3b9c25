package wxsim_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// download fetches and opens the platform certificates, by serial.
func (m *merchant) download() map[string]*x509.Certificate {
	m.t.Helper()
	r := m.call("GET", "/v3/certificates", nil)
	var list struct {
		Data []struct {
			SerialNo           string    `json:"serial_no"`
			EffectiveTime      time.Time `json:"effective_time"`
			ExpireTime         time.Time `json:"expire_time"`
			EncryptCertificate struct {
				Algorithm      string
				Nonce          string
				AssociatedData string `json:"associated_data"`
				Ciphertext     string
			} `json:"encrypt_certificate"`
		}
	}
	if err := json.Unmarshal(r.body, &list); err != nil {
		m.t.Fatalf("certificates %s: %v", r.body, err)
	}
	out := map[string]*x509.Certificate{}
	for _, d := range list.Data {
		e := d.EncryptCertificate
		plain, err := m.open(e.Nonce, e.AssociatedData, e.Ciphertext)
		if err != nil {
			m.t.Fatalf("decrypt: %v", err)
		}
		block, _ := pem.Decode(plain)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			m.t.Fatalf("certificate: %v", err)
		}
		if fmt.Sprintf("%040X", cert.SerialNumber) != d.SerialNo || !cert.NotAfter.Equal(d.ExpireTime) || !cert.NotBefore.Equal(d.EffectiveTime) {
			m.t.Errorf("certificate says %X %v–%v, the list says %s %v–%v", cert.SerialNumber, cert.NotBefore, cert.NotAfter, d.SerialNo, d.EffectiveTime, d.ExpireTime)
		}
		if e.Algorithm != "AEAD_AES_256_GCM" || e.AssociatedData != "certificate" {
			m.t.Errorf("algorithm %q, associated_data %q", e.Algorithm, e.AssociatedData)
		}
		if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok || time.Now().Before(cert.NotBefore) || time.Now().After(cert.NotAfter) {
			m.t.Errorf("certificate %s is not a valid RSA one", d.SerialNo)
		}
		out[d.SerialNo] = cert
	}
	return out
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	got := s.m.download()
	if len(got) != 1 || got[s.Account().PlatformSerial] == nil {
		t.Errorf("certificates %v, want %s alone", got, s.Account().PlatformSerial)
	}
	for query, want := range map[string]int{"?algorithm_type=ALL": 200, "?algorithm_type=SM2": 404, "?algorithm_type=DSA": 400} {
		if r := s.m.call("GET", "/v3/certificates"+query, nil); r.status != want {
			t.Errorf("%s: %d, want %d", query, r.status, want)
		}
	}
}

// The client chooses the key of an answer by naming it.
func TestAnswerKey(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-keys", nil)
	a := s.Account()
	for named, want := range map[string]string{a.PublicKeyID: a.PublicKeyID, a.PlatformSerial: a.PlatformSerial, "": a.PlatformSerial} {
		s.m.serialHeader = named
		for _, r := range []result{s.m.query("order-keys"), s.m.close("order-keys")} { // call verifies
			if got := r.header.Get("Wechatpay-Serial"); got != want {
				t.Errorf("Wechatpay-Serial %q is answered with %q, want %q", named, got, want)
			}
		}
	}
}

func TestPublicKeyOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t, wxsim.Config{PublicKeyOnly: true, NotifyWithCertificate: true})
	if r := s.m.call("GET", "/v3/certificates", nil); r.status != 404 || r.code() != "RESOURCE_NOT_EXISTS" {
		t.Errorf("certificates: %d %s", r.status, r.body)
	}
	s.m.serialHeader = ""
	if r := s.m.prepay("native", "order-keys", nil); r.header.Get("Wechatpay-Serial") != s.Account().PublicKeyID {
		t.Errorf("answered with %q", r.header.Get("Wechatpay-Serial"))
	}
	if a := s.Account(); a.PlatformSerial != "" || a.PlatformCertPEM != "" {
		t.Errorf("the account has a certificate: %s", a.PlatformSerial)
	}
	s.m.serialHeader = newStage(t).Account().PlatformSerial
	if r := s.m.call("POST", transactions+"native", s.m.order("native", "order-keys", nil)); r.status != 400 {
		t.Errorf("a certificate was named: %d %s", r.status, r.body)
	}
}

// While keys rotate both certificates are listed, answers come with either,
// and notifications carry the new one.
func TestRotate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	old := s.Account().PlatformSerial
	s.Fault(wxsim.Fault{Target: "keys", Fault: "rotate"})
	fresh := s.Account().PlatformSerial
	if fresh == old {
		t.Fatalf("newest certificate is still %s", old)
	}
	certs := s.m.download()
	if len(certs) != 2 || certs[old] == nil || certs[fresh] == nil {
		t.Fatalf("certificates %v, want %s and %s", certs, old, fresh)
	}
	if !certs[fresh].NotBefore.After(certs[old].NotBefore) {
		t.Errorf("the new certificate does not begin later")
	}
	s.m.account = s.Account() // the merchant learns the new one
	s.m.serialHeader = ""
	if r := s.m.prepay("native", "order-x1", nil); r.header.Get("Wechatpay-Serial") != fresh {
		t.Errorf("answered with %q, want %q", r.header.Get("Wechatpay-Serial"), fresh)
	}
	s.placePaid("order-rotated")
	s.ClearFaults()
	s.placePaid("order-after")
	got := s.rc.arrivals()
	if len(got) != 2 || got[0].genuine != nil || got[1].genuine != nil {
		t.Fatalf("arrivals %v", got)
	}
	if a, b := got[0].header.Get("Wechatpay-Serial"), got[1].header.Get("Wechatpay-Serial"); a != fresh || b != s.Account().PublicKeyID {
		t.Errorf("notified with %q then %q, want %q then the public key", a, b, fresh)
	}
	if certs := s.m.download(); len(certs) != 1 || certs[fresh] == nil {
		t.Errorf("certificates after rotation %v, want %s alone", certs, fresh)
	}
}
