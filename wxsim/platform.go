package wxsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// platformSigner is one WeChat Pay platform certificate with its key.
type platformSigner struct {
	serial  string // 40 upper-case hex digits
	key     *rsa.PrivateKey
	pem     string
	from    time.Time
	expires time.Time
}

// platformSigner returns the n-th platform certificate of the seed, making it
// and those before it when first asked for.
func (k *keyring) platformSigner(n int) (platformSigner, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.platform) <= n {
		made, err := k.newPlatformSigner(len(k.platform))
		if err != nil {
			return platformSigner{}, fmt.Errorf("platform certificate %d: %w", n, err)
		}
		k.platform = append(k.platform, made)
	}
	return k.platform[n], nil
}

// newPlatformSigner signs a certificate over fixed dates: a PKCS#1 v1.5
// signature has no randomness, so one seed gives the same bytes in every run.
// Each later certificate begins and ends a day later than the one before.
func (k *keyring) newPlatformSigner(n int) (platformSigner, error) {
	key, err := rsaKey(stream(k.seed, fmt.Sprint("platform key ", n)))
	if err != nil {
		return platformSigner{}, err
	}
	s := platformSigner{
		serial:  "5" + k.letters(fmt.Sprint("platform serial ", n), upperHex, 39),
		key:     key,
		from:    time.Date(2020, 1, 1+n, 0, 0, 0, 0, time.UTC),
		expires: time.Date(2040, 1, 1+n, 0, 0, 0, 0, time.UTC),
	}
	serial, ok := new(big.Int).SetString(s.serial, 16)
	if !ok {
		return platformSigner{}, fmt.Errorf("serial %q is not hexadecimal", s.serial)
	}
	template := &x509.Certificate{
		SerialNumber:       serial,
		Subject:            pkix.Name{Country: []string{"CN"}, Organization: []string{"Tenpay.com"}, CommonName: "Tenpay.com sign"},
		NotBefore:          s.from,
		NotAfter:           s.expires,
		KeyUsage:           x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return platformSigner{}, err
	}
	s.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return s, nil
}
