package wxcrypto

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// publicKeyPrefix starts the id of every WeChat Pay public key (微信支付公钥ID).
const publicKeyPrefix = "PUB_KEY_ID_"

// VerifyKey is a key of WeChat Pay under the name it has in the header Wechatpay-Serial: a public key (微信支付公钥)
// or a platform certificate (平台证书). Build it with [ParsePublicKey] or [ParseCertificate]. It holds nothing secret.
type VerifyKey struct {
	serial              string
	public              *rsa.PublicKey
	notBefore, notAfter time.Time
}

// ParsePublicKey reads the content of pub_key.pem and its id, PUB_KEY_ID_…, both from the merchant platform. The key
// is RSA of at least 2048 bits. The error says what was given instead.
func ParsePublicKey(id string, pem []byte) (VerifyKey, error) {
	if err := checkPublicKeyID(id); err != nil {
		return VerifyKey{}, fmt.Errorf("WeChat Pay public key: %w", err)
	}
	public, err := parsePublicPEM(pem)
	if err != nil {
		return VerifyKey{}, fmt.Errorf("WeChat Pay public key: %w", err)
	}
	return VerifyKey{serial: id, public: public}, nil
}

func checkPublicKeyID(id string) error {
	switch {
	case id == "":
		return errors.New("the id is empty; it starts with " + publicKeyPrefix)
	case isHex(id):
		return errors.New("the id is the serial number of a certificate; the id of a public key starts with " + publicKeyPrefix)
	case !strings.HasPrefix(id, publicKeyPrefix) || len(id) == len(publicKeyPrefix):
		return errors.New("the id must be " + publicKeyPrefix + " and what follows it on the merchant platform")
	case !isToken(id) || len(id) > maxSerialLen:
		return errors.New("the id holds blanks or other characters that do not belong to it, or is too long")
	}
	return nil
}

func parsePublicPEM(pem []byte) (*rsa.PublicKey, error) {
	block, err := onePEM(pem, []string{pemPublic, pemPublicPKCS1}, notPublicKey)
	if err != nil {
		return nil, err
	}
	if block.Type == pemPublicPKCS1 {
		key, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return key, checkRSA(key)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("is a %T; WeChat Pay signs with RSA", key)
	}
	return rsaKey, checkRSA(rsaKey)
}

func notPublicKey(pemType string) string {
	switch pemType {
	case pemCertificate:
		return "is a certificate; a platform certificate goes to ParseCertificate and has no id of its own"
	case pemPKCS8, pemPKCS1, pemEncrypted, pemEC:
		return "is a private key, and WeChat Pay hands out none; is it the merchant's own? The public key of WeChat Pay is in pub_key.pem"
	}
	return ""
}

// ParseCertificate reads one platform certificate in PEM, as GET /v3/certificates delivers it after decryption. It
// does not ask who issued it: the caller has it from a place it trusts, such as the APIv3 key's AEAD. Nor does it ask
// for the time; [KeySet.Verify] and [KeySet.Preferred] do.
//
// The merchant's own certificate (apiclient_cert.pem) parses just as well. When [VerifyKey.PublicKey] equals
// [PrivateKey.Public] it is that one, and WeChat Pay never signs with it.
func ParseCertificate(pem []byte) (VerifyKey, error) {
	block, err := onePEM(pem, []string{pemCertificate}, notCertificate)
	if err != nil {
		return VerifyKey{}, fmt.Errorf("certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return VerifyKey{}, fmt.Errorf("certificate: %w", err)
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return VerifyKey{}, fmt.Errorf("certificate: its key is a %T; WeChat Pay signs with RSA", cert.PublicKey)
	}
	if err := checkRSA(public); err != nil {
		return VerifyKey{}, fmt.Errorf("certificate: its key %w", err)
	}
	// A serial is a row of bytes and prints with two digits each; %X of the number would lose a leading zero.
	serial := strings.ToUpper(hex.EncodeToString(cert.SerialNumber.Bytes()))
	if serial == "" || len(serial) > maxSerialLen {
		return VerifyKey{}, errors.New("certificate: its serial number is zero or too long")
	}
	return VerifyKey{serial: serial, public: public, notBefore: cert.NotBefore, notAfter: cert.NotAfter}, nil
}

func notCertificate(pemType string) string {
	switch pemType {
	case pemPublic, pemPublicPKCS1:
		return "is a public key; it goes to ParsePublicKey, together with its id " + publicKeyPrefix + "…"
	case pemPKCS8, pemPKCS1, pemEncrypted, pemEC:
		return "is a private key; a certificate is needed"
	}
	return ""
}

// Serial is the value of the header Wechatpay-Serial that names this key: PUB_KEY_ID_… as it is, or the certificate's
// serial number in upper-case hex, two digits for each byte.
func (k VerifyKey) Serial() string { return k.serial }

// PublicKey returns the RSA key, nil for the zero value. The caller must not change it.
func (k VerifyKey) PublicKey() *rsa.PublicKey { return k.public }

// NotBefore is the first moment of a certificate's validity, the zero time for a public key.
func (k VerifyKey) NotBefore() time.Time { return k.notBefore }

// NotAfter is the last moment of a certificate's validity, the zero time for a public key, which does not expire.
func (k VerifyKey) NotAfter() time.Time { return k.notAfter }

// String names the key by its serial.
func (k VerifyKey) String() string { return "wxcrypto.VerifyKey(" + k.serial + ")" }

// EncryptOAEP encrypts a sensitive field (敏感信息) for WeChat Pay, which finds the key to decrypt it by the request
// header Wechatpay-Serial: RSAES-OAEP with SHA-1, an empty label, standard base64 (wire: API v3, 敏感信息加解密). The
// plaintext may have 42 bytes less than the key, 214 for RSA-2048. Two calls give two ciphertexts.
func (k VerifyKey) EncryptOAEP(plaintext []byte) (string, error) {
	if k.public == nil {
		return "", errors.New("encrypt: the key is not set")
	}
	if most := k.public.Size() - 2*sha1.Size - 2; len(plaintext) > most {
		return "", fmt.Errorf("encrypt: the text has %d bytes; at most %d fit", len(plaintext), most)
	}
	ciphertext, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, k.public, plaintext, nil)
	if err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	return base64.StdEncoding.EncodeToString(ciphertext), nil
}

// isPublicKey tells the two kinds apart. Only certificates have a validity.
func (k VerifyKey) isPublicKey() bool { return strings.HasPrefix(k.serial, publicKeyPrefix) }

// validAt reports whether now is inside a certificate's validity; public keys are always valid.
func (k VerifyKey) validAt(now time.Time) bool {
	return k.isPublicKey() || !now.Before(k.notBefore) && !now.After(k.notAfter)
}

// normalSerial brings a certificate's serial into the form the map uses: WeChat Pay has been seen with lower-case
// hex. Anything that is not hex, ids of public keys above all, stays as it is.
func normalSerial(serial string) string {
	if isHex(serial) {
		return strings.ToUpper(serial)
	}
	return serial
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
