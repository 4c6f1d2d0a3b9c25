//go:build prometheus

package watch

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
)

// playAccount: the merchant's certificate nears its end and is renewed; later
// the program is started with a key that does not belong to it.
func playAccount(t *testing.T, seen *record) {
	var c clock
	s := newStall(t, &c, c.now)
	key := parseKey(t, s.options.Merchant.PrivateKey)
	another, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	lasting := func(days int) func(*wxpay.Options) {
		return func(o *wxpay.Options) { o.Merchant.Certificate = certificate(t, key, o.Merchant.CertSerial, days) }
	}
	s.open(lasting(400))
	m := watch(t, s.addr, seen)
	m.clear()
	m.fires(func() { s.open(lasting(20)) }, "WxpayCertificateExpires30Days")
	m.fires(func() { s.open(lasting(5)) }, "WxpayCertificateExpires7Days")
	s.open(lasting(400))
	m.clear()

	m.fires(func() {
		s.open(func(o *wxpay.Options) { o.Merchant.PrivateKey = pemOf(t, another) })
		s.buy() // in vain
	}, "WxpayWeChatRefusesMerchant")
	s.open(lasting(400))
	m.clear()
}

func parseKey(t *testing.T, text string) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func pemOf(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// certificate is an apiclient_cert.pem with that serial, in hex.
func certificate(t *testing.T, key *rsa.PrivateKey, serial string, days int) string {
	t.Helper()
	number, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		t.Fatalf("serial %q is not hex", serial)
	}
	template := &x509.Certificate{SerialNumber: number, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, days)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
