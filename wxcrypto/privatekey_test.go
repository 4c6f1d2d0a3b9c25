package wxcrypto_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
	"pgregory.net/rapid"
)

// device stands for a KMS or an HSM: it shows nothing of its key but crypto.Signer.
type device struct {
	crypto.Signer
	options crypto.SignerOpts // replaces the caller's options when set
	err     error
}

func (d device) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.options != nil {
		opts = d.options
	}
	return d.Signer.Sign(random, digest, opts)
}

// keyless is a signer whose public key is whatever the test wants.
type keyless struct{ public crypto.PublicKey }

func (k keyless) Public() crypto.PublicKey { return k.public }

func (k keyless) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }

func wrap(tb testing.TB, s crypto.Signer) *wxcrypto.PrivateKey {
	tb.Helper()
	key, err := wxcrypto.NewPrivateKey(s)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func TestSignWithDevice(t *testing.T) {
	t.Parallel()
	key := wrap(t, device{Signer: wechatRSA()})
	signature, err := key.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, key.Public(), "message", signature)
}

func TestSignPassesOnDeviceError(t *testing.T) {
	t.Parallel()
	offline := errors.New("the device is offline")
	signature, err := wrap(t, device{Signer: wechatRSA(), err: offline}).Sign([]byte("message"))
	if signature != "" || !errors.Is(err, offline) {
		t.Errorf("Sign = %q, %v", signature, err)
	}
}

// A device that signs with the wrong padding must be found out here and not by WeChat Pay.
func TestSignChecksDevice(t *testing.T) {
	t.Parallel()
	key := wrap(t, device{Signer: wechatRSA(), options: &rsa.PSSOptions{Hash: crypto.SHA256}})
	signature, err := key.Sign([]byte("message"))
	if signature != "" {
		t.Errorf("a signature all the same: %q", signature)
	}
	wantError(t, err, "no PKCS#1 v1.5 signature")
}

func TestNewPrivateKeyRefuses(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	modulus := wechatRSA().N
	for _, test := range []struct {
		name   string
		signer crypto.Signer
		want   string
	}{
		{"nil", nil, "the signer is nil"},
		{"nil RSA key", (*rsa.PrivateKey)(nil), "the signer is nil"},
		{"empty RSA key", new(rsa.PrivateKey), "no RSA key"},
		{"public half only", &rsa.PrivateKey{PublicKey: wechatRSA().PublicKey}, "merchant private key"},
		{"EC", ec, "API v3 signs with RSA"},
		{"Ed25519", edwards, "API v3 signs with RSA"},
		{"no public key", keyless{}, "API v3 signs with RSA"},
		{"nil public key", keyless{(*rsa.PublicKey)(nil)}, "no RSA key"},
		{"1024 bits", shortRSA(), "an RSA key of 1024 bits; at least 2048 are needed"},
		{"exponent 1", keyless{&rsa.PublicKey{N: modulus, E: 1}}, "no valid RSA key"},
		{"even exponent", keyless{&rsa.PublicKey{N: modulus, E: 4}}, "no valid RSA key"},
		{"even modulus", keyless{&rsa.PublicKey{N: new(big.Int).Lsh(modulus, 1), E: 65537}}, "no valid RSA key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := wxcrypto.NewPrivateKey(test.signer)
			if key != nil {
				t.Error("a key all the same")
			}
			wantError(t, err, test.want)
		})
	}
}

// A key that was never set answers with errors; it must not bring the server down.
func TestZeroPrivateKey(t *testing.T) {
	t.Parallel()
	for _, key := range []*wxcrypto.PrivateKey{nil, {}} {
		_, err := key.Sign(nil)
		wantError(t, err, "not set")
		_, err = key.DecryptOAEP("")
		wantError(t, err, "not set")
		_, err = key.SignJSAPI("wx1", "wx2", testNow, testNonce)
		wantError(t, err, "not set")
		_, err = key.SignApp("wx1", testMchID, "wx2", testNow, testNonce)
		wantError(t, err, "not set")
		if key.Public() != nil {
			t.Error("a public key")
		}
	}
}

func TestOAEPRoundTrip(t *testing.T) {
	t.Parallel()
	private, public := wrap(t, wechatRSA()), wechatPublicKey(t)
	rapid.Check(t, func(r *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 214).Draw(r, "plaintext")
		ciphertext, err := public.EncryptOAEP(plaintext)
		if err != nil {
			r.Fatal(err)
		}
		if got, err := private.DecryptOAEP(ciphertext); !bytes.Equal(got, plaintext) || err != nil {
			r.Fatalf("DecryptOAEP = %q, %v", got, err)
		}
	})
}

func TestEncryptOAEPRefuses(t *testing.T) {
	t.Parallel()
	_, err := wechatPublicKey(t).EncryptOAEP(make([]byte, 215))
	wantError(t, err, "215 bytes; at most 214 fit")
	_, err = wxcrypto.VerifyKey{}.EncryptOAEP(nil)
	wantError(t, err, "not set")
}

func TestEncryptOAEPDiffersEachTime(t *testing.T) {
	t.Parallel()
	one, err1 := wechatPublicKey(t).EncryptOAEP([]byte("张三"))
	two, err2 := wechatPublicKey(t).EncryptOAEP([]byte("张三"))
	if one == two || err1 != nil || err2 != nil {
		t.Errorf("%q, %v and %q, %v", one, err1, two, err2)
	}
}

func TestDecryptOAEPRefuses(t *testing.T) {
	t.Parallel()
	ciphertext, err := wechatPublicKey(t).EncryptOAEP([]byte("张三"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	for _, test := range []struct {
		name       string
		key        *wxcrypto.PrivateKey
		ciphertext string
		want       string
	}{
		{"signer that cannot decrypt", wrap(t, device{Signer: wechatRSA()}), ciphertext, "no crypto.Decrypter"},
		{"foreign key", merchantKey(t), ciphertext, "decryption error"},
		{"changed", wrap(t, wechatRSA()), base64.StdEncoding.EncodeToString(raw), "decryption error"},
		{"cut short", wrap(t, wechatRSA()), base64.StdEncoding.EncodeToString(raw[:200]), "decryption error"},
		{"empty", wrap(t, wechatRSA()), "", "decryption error"},
		{"not base64", wrap(t, wechatRSA()), strings.Replace(ciphertext, "=", "!", 1), "not standard base64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plaintext, err := test.key.DecryptOAEP(test.ciphertext)
			if plaintext != nil {
				t.Errorf("plaintext %q", plaintext)
			}
			wantError(t, err, test.want)
		})
	}
}
