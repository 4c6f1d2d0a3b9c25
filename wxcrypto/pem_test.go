package wxcrypto_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// pemFiles is one of everything a merchant may have at hand.
type pemFiles struct {
	pkcs8, pkcs1, public, publicPKCS1, cert                  []byte
	encrypted, encryptedOld, ec8, ec1, ecPub, ecCert         []byte
	short8, shortPub, shortPubPKCS1, shortCert, request, der []byte
}

func makePEM(tb testing.TB) pemFiles {
	tb.Helper()
	block := func(pemType string, der []byte, err error) []byte {
		if err != nil {
			tb.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	}
	key := wechatRSA()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	f := pemFiles{pkcs8: block("PRIVATE KEY", der, err), der: der}
	f.pkcs1 = block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
	f.public = publicPEM(tb, &key.PublicKey)
	f.publicPKCS1 = block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey), nil)
	f.cert = certificatePEM(tb, key, testSerial, testNow, testNow.AddDate(5, 0, 0))
	f.encrypted = block("ENCRYPTED PRIVATE KEY", der, nil)
	f.encryptedOld = pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: der,
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00112233445566778899AABBCCDDEEFF"},
	})
	f.request = block("CERTIFICATE REQUEST", der, nil)

	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	ecDER, err := x509.MarshalPKCS8PrivateKey(ec)
	f.ec8 = block("PRIVATE KEY", ecDER, err)
	ecDER, err = x509.MarshalECPrivateKey(ec)
	f.ec1 = block("EC PRIVATE KEY", ecDER, err)
	ecDER, err = x509.MarshalPKIXPublicKey(&ec.PublicKey)
	f.ecPub = block("PUBLIC KEY", ecDER, err)
	f.ecCert = certificatePEM(tb, ec, testSerial, testNow, testNow.AddDate(5, 0, 0))

	shortDER, err := x509.MarshalPKCS8PrivateKey(shortRSA())
	f.short8 = block("PRIVATE KEY", shortDER, err)
	f.shortPub = publicPEM(tb, &shortRSA().PublicKey)
	f.shortPubPKCS1 = block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&shortRSA().PublicKey), nil)
	f.shortCert = certificatePEM(tb, shortRSA(), testSerial, testNow, testNow.AddDate(5, 0, 0))
	return f
}

func (pemFiles) garbage(pemType string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: []byte("garbage")})
}

// loader is one of the three parsers of PEM.
type loader func([]byte) (*rsa.PublicKey, error)

func loadPrivate(text []byte) (*rsa.PublicKey, error) {
	key, err := wxcrypto.ParsePrivateKey(text)
	return key.Public(), err
}

func loadPublic(text []byte) (*rsa.PublicKey, error) {
	key, err := wxcrypto.ParsePublicKey(testPublicKeyID, text)
	return key.PublicKey(), err
}

func loadCertificate(text []byte) (*rsa.PublicKey, error) {
	key, err := wxcrypto.ParseCertificate(text)
	return key.PublicKey(), err
}

func join(texts ...[]byte) []byte { return bytes.Join(texts, nil) }

func TestPEMAccepts(t *testing.T) {
	t.Parallel()
	f := makePEM(t)
	for _, test := range []struct {
		name string
		load loader
		text []byte
	}{
		{"private key PKCS#8", loadPrivate, f.pkcs8},
		{"private key PKCS#1", loadPrivate, f.pkcs1},
		{"private key beside its certificate", loadPrivate, join(f.cert, f.pkcs8)},
		{"private key with CRLF", loadPrivate, bytes.ReplaceAll(f.pkcs8, []byte("\n"), []byte("\r\n"))},
		{"private key with byte order mark", loadPrivate, join([]byte("\ufeff"), f.pkcs8)},
		{"private key after other text", loadPrivate, join([]byte("Bag Attributes\n  localKeyID: 01\n"), f.pkcs8)},
		{"private key without last line break", loadPrivate, bytes.TrimSpace(f.pkcs8)},
		{"public key SPKI", loadPublic, f.public},
		{"public key PKCS#1", loadPublic, f.publicPKCS1},
		{"certificate", loadCertificate, f.cert},
		{"certificate beside its key", loadCertificate, join(f.pkcs8, f.cert)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			public, err := test.load(test.text)
			if err != nil || !public.Equal(&wechatRSA().PublicKey) {
				t.Errorf("%v, %v", public, err)
			}
		})
	}
}

func TestPEMRefuses(t *testing.T) {
	t.Parallel()
	f := makePEM(t)
	oneLine := bytes.ReplaceAll(f.pkcs8, []byte("\n"), []byte(" "))
	bare := bytes.Join(bytes.Split(f.pkcs8, []byte("\n"))[1:20], []byte("\n"))
	for _, test := range []struct {
		name string
		load loader
		text []byte
		want string
	}{
		{"nothing as private key", loadPrivate, nil, "is empty"},
		{"blanks as private key", loadPrivate, []byte(" \n"), "is empty"},
		{`literal \n in private key`, loadPrivate, bytes.ReplaceAll(f.pkcs8, []byte("\n"), []byte(`\n`)), `the two characters \n`},
		{"private key on one line", loadPrivate, oneLine, "damaged PEM"},
		{"private key indented", loadPrivate, bytes.ReplaceAll(f.pkcs8, []byte("\n"), []byte("\n  ")), "damaged PEM"},
		{"private key without end", loadPrivate, f.pkcs8[:500], "damaged PEM"},
		{"private key without -----BEGIN", loadPrivate, bare, "the lines -----BEGIN"},
		{"name of the private key file", loadPrivate, []byte("/etc/wxpay/apiclient_key.pem"), "not its name"},
		{"DER as private key", loadPrivate, f.der, "is binary"},
		{"certificate as private key", loadPrivate, f.cert, "is a certificate (apiclient_cert.pem?)"},
		{"public key as private key", loadPrivate, f.public, "is a public key"},
		{"request as private key", loadPrivate, f.request, `is a "CERTIFICATE REQUEST", which is of no use here`},
		{"encrypted PKCS#8", loadPrivate, f.encrypted, "is encrypted"},
		{"encrypted PKCS#1", loadPrivate, f.encryptedOld, "is encrypted"},
		{"EC as PKCS#8", loadPrivate, f.ec8, "API v3 signs with RSA"},
		{"EC as SEC 1", loadPrivate, f.ec1, "is an EC key"},
		{"private key of 1024 bits", loadPrivate, f.short8, "an RSA key of 1024 bits; at least 2048 are needed"},
		{"two private keys", loadPrivate, join(f.pkcs8, f.pkcs1), "more than one PRIVATE KEY"},
		{"private key with garbage inside", loadPrivate, f.garbage("PRIVATE KEY"), "asn1"},

		{"nothing as public key", loadPublic, nil, "is empty"},
		{"certificate as public key", loadPublic, f.cert, "a platform certificate goes to ParseCertificate"},
		{"private key as public key", loadPublic, f.pkcs8, "is a private key"},
		{"EC public key", loadPublic, f.ecPub, "WeChat Pay signs with RSA"},
		{"public key of 1024 bits", loadPublic, f.shortPub, "an RSA key of 1024 bits"},
		{"public key with garbage inside", loadPublic, f.garbage("PUBLIC KEY"), "asn1"},
		{"public key PKCS#1 with garbage inside", loadPublic, f.garbage("RSA PUBLIC KEY"), "asn1"},
		{"public key PKCS#1 of 1024 bits", loadPublic, f.shortPubPKCS1, "an RSA key of 1024 bits"},
		{"two public keys", loadPublic, join(f.public, f.public), "more than one PUBLIC KEY"},

		{"nothing as certificate", loadCertificate, nil, "is empty"},
		{"public key as certificate", loadCertificate, f.public, "goes to ParsePublicKey, together with its id PUB_KEY_ID_"},
		{"private key as certificate", loadCertificate, f.pkcs8, "is a private key"},
		{"EC certificate", loadCertificate, f.ecCert, "WeChat Pay signs with RSA"},
		{"certificate of 1024 bits", loadCertificate, f.shortCert, "an RSA key of 1024 bits"},
		{"certificate with garbage inside", loadCertificate, f.garbage("CERTIFICATE"), "malformed certificate"},
		{"two certificates", loadCertificate, join(f.cert, f.cert), "more than one CERTIFICATE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			public, err := test.load(test.text)
			if public != nil && err == nil {
				t.Error("a key all the same")
			}
			wantError(t, err, test.want)
			wantNoLineOf(t, err, test.text)
		})
	}
}

// wantNoLineOf fails when an error repeats key material. Whatever was given may have been a private key.
func wantNoLineOf(tb testing.TB, err error, text []byte) {
	tb.Helper()
	if err == nil {
		return
	}
	for line := range strings.FieldsSeq(string(text)) {
		if len(line) >= 16 && strings.Contains(err.Error(), line) {
			tb.Errorf("the error repeats the input: %v", err)
		}
	}
}
