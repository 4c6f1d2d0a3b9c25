package main

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// platform is what a server is told of a WeChat Pay that signs with a platform
// certificate, so that a serial nobody knows may be that of a new one.
type platform struct {
	Base        string // its address
	Certificate string // PEM
	Serial      string
}

const platformFile = "platform.json"

func newPlatform(key *rsa.PrivateKey, at time.Time) (platform, error) {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 156))
	if err != nil {
		return platform{}, err
	}
	template := &x509.Certificate{
		SerialNumber: number.SetBit(number, 158, 1), Subject: pkix.Name{CommonName: "Tenpay.com sign"},
		NotBefore: at.Add(-time.Hour), NotAfter: at.AddDate(5, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return platform{}, err
	}
	return platform{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Serial:      strings.ToUpper(hex.EncodeToString(number.Bytes())),
	}, nil
}

func (p platform) write(dir string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, platformFile), text, 0o600)
}

func readPlatform(dir string) (p platform, err error) {
	text, err := os.ReadFile(filepath.Join(dir, platformFile))
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}

// certificates is the part of WeChat Pay that hands out its certificates, and
// counts how often. Source: 获取平台证书.
type certificates struct {
	platform
	key   *rsa.PrivateKey
	aead  cipher.AEAD
	asked atomic.Int64
}

func (c *certificates) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v3/certificates" {
		http.Error(w, `{"code":"RESOURCE_NOT_EXISTS"}`, http.StatusNotFound)
		return
	}
	c.asked.Add(1)
	answer, err := c.answer(time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	_, _ = w.Write(answer.body) // whoever hung up asks again
}

func (c *certificates) answer(now time.Time) (message, error) {
	const nonce, about = "certificate0", "certificate"
	sealed := base64.StdEncoding.EncodeToString(c.aead.Seal(nil, []byte(nonce), []byte(c.Certificate), []byte(about)))
	m, err := sign(c.key, "", fmt.Appendf(nil, `{"data":[{"serial_no":"%s","encrypt_certificate":{"algorithm":"AEAD_AES_256_GCM",`+
		`"nonce":"%s","associated_data":"%s","ciphertext":"%s"}}]}`, c.Serial, nonce, about, sealed), now)
	if err != nil {
		return message{}, err
	}
	return m.with("Wechatpay-Serial", c.Serial), nil
}
