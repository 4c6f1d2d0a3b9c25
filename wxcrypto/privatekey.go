package wxcrypto

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
)

// PrivateKey is the private key of the merchant API certificate (商户API证书私钥). It signs requests and the
// parameters handed to the customer's device, and decrypts what WeChat Pay encrypted to the merchant. Build it with
// [ParsePrivateKey] or [NewPrivateKey]; the zero value answers everything with an error.
//
// It prints as redacted in every form. It is safe for concurrent use if the signer behind it is, and
// *rsa.PrivateKey is.
type PrivateKey struct {
	signer crypto.Signer
	public *rsa.PublicKey
	device bool // the signer is somebody else's than package crypto/rsa
}

// ParsePrivateKey reads the content of apiclient_key.pem: PEM with a PKCS#8 or PKCS#1 key, RSA of at least 2048
// bits. The error says what was given instead (a certificate, an encrypted key, a file name, line breaks lost on the
// way through an environment variable) and never repeats it.
func ParsePrivateKey(pem []byte) (*PrivateKey, error) {
	block, err := onePEM(pem, []string{pemPKCS8, pemPKCS1}, notPrivateKey)
	if err != nil {
		return nil, fmt.Errorf("merchant private key: %w", err)
	}
	signer, err := parsePrivateBlock(block)
	if err != nil {
		return nil, fmt.Errorf("merchant private key: %w", err)
	}
	return NewPrivateKey(signer)
}

func notPrivateKey(pemType string) string {
	switch pemType {
	case pemCertificate:
		return "is a certificate (apiclient_cert.pem?); its private key is needed, which is in apiclient_key.pem"
	case pemPublic, pemPublicPKCS1:
		return "is a public key; the private key of the merchant API certificate is needed, which is in apiclient_key.pem"
	case pemEncrypted:
		return "is encrypted; take off the passphrase first (openssl pkcs8 -in KEY -out apiclient_key.pem)"
	case pemEC:
		return "is an EC key; API v3 signs with RSA"
	}
	return ""
}

func parsePrivateBlock(block *pem.Block) (*rsa.PrivateKey, error) {
	if block.Headers["DEK-Info"] != "" {
		return nil, errors.New(notPrivateKey(pemEncrypted))
	}
	if block.Type == pemPKCS1 {
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("is a %T; API v3 signs with RSA", key)
	}
	return rsaKey, nil
}

// NewPrivateKey wraps a signer that keeps its key to itself, such as a client of a KMS or an HSM. Its public key
// must be a *rsa.PublicKey of at least 2048 bits, and Sign must honour opts being crypto.SHA256 by returning a PKCS#1
// v1.5 signature. For [PrivateKey.DecryptOAEP] it must be a [crypto.Decrypter] as well.
func NewPrivateKey(s crypto.Signer) (*PrivateKey, error) {
	key, isRSA := s.(*rsa.PrivateKey)
	if s == nil || isRSA && key == nil {
		return nil, errors.New("merchant private key: the signer is nil")
	}
	public, ok := s.Public().(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("merchant private key: the signer's public key is a %T; API v3 signs with RSA", s.Public())
	}
	if err := checkRSA(public); err != nil {
		return nil, fmt.Errorf("merchant private key: %w", err)
	}
	if isRSA {
		if err := key.Validate(); err != nil {
			return nil, fmt.Errorf("merchant private key: %w", err)
		}
	}
	return &PrivateKey{signer: s, public: public, device: !isRSA}, nil
}

// Public returns the public half, for instance to compare it with the merchant's certificate. The caller must not
// change it. It is nil for the zero value.
func (k *PrivateKey) Public() *rsa.PublicKey {
	if k == nil {
		return nil
	}
	return k.public
}

// Sign returns the signature of message in standard base64: SHA-256 with RSA PKCS#1 v1.5, which API v3 names
// WECHATPAY2-SHA256-RSA2048 (wire: API v3, 签名生成).
//
// The signature of a signer that is no *rsa.PrivateKey is checked before it is returned. That costs three hundredths of
// making it, and keeps a faulty device or a signer with the wrong padding from leaking a bad signature, from which a key
// can sometimes be computed. Package crypto/rsa does the same with its own: it raises what it signed to the public
// exponent, and returns an error unless that is the message again.
func (k *PrivateKey) Sign(message []byte) (string, error) {
	if k == nil || k.signer == nil {
		return "", errNoPrivateKey()
	}
	digest := sha256.Sum256(message)
	signature, err := k.signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	if k.device && rsa.VerifyPKCS1v15(k.public, crypto.SHA256, digest[:], signature) != nil {
		return "", errors.New("sign: the signer's answer is no PKCS#1 v1.5 signature under its own public key")
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// DecryptOAEP decrypts a sensitive field (敏感信息) that WeChat Pay encrypted to the merchant certificate: standard
// base64 of RSAES-OAEP with SHA-1 and an empty label (wire: API v3, 敏感信息加解密). SHA-1 is WeChat Pay's choice;
// OAEP does not rest on its collision resistance. With a *rsa.PrivateKey the error is the same for every ciphertext that
// does not fit the key, so that it tells a stranger nothing about the plaintext.
func (k *PrivateKey) DecryptOAEP(ciphertext string) ([]byte, error) {
	if k == nil || k.signer == nil {
		return nil, errNoPrivateKey()
	}
	decrypter, ok := k.signer.(crypto.Decrypter)
	if !ok {
		return nil, fmt.Errorf("decrypt: the signer %T cannot decrypt (it is no crypto.Decrypter)", k.signer)
	}
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, errors.New("decrypt: the ciphertext is not standard base64")
	}
	plaintext, err := decrypter.Decrypt(rand.Reader, raw, &rsa.OAEPOptions{Hash: crypto.SHA1})
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return plaintext, nil
}

func errNoPrivateKey() error { return errors.New("merchant private key: not set") }

const redactedPrivateKey = "wxcrypto.PrivateKey(redacted)"

// String returns a fixed text without the key.
func (k PrivateKey) String() string { return redactedPrivateKey }

// GoString is String, for %#v.
func (k PrivateKey) GoString() string { return redactedPrivateKey }

// LogValue is String, for log/slog.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(redactedPrivateKey) }

// MarshalText is String, for encoding/json and its like.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(redactedPrivateKey), nil }
