package wxcrypto_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testMchID       = "1900000001"
	testSerial      = "5157F09EFDC096DE15EBE81A47057A72AABBCCDD"
	testPublicKeyID = "PUB_KEY_ID_0119000000012024010100000000"
	testNonce       = "593BEC0C930BF1AFEB40B4A08C8FB242"
	testAPIv3Key    = "0123456789abcdefABCDEFGHIJKLMNOP"
)

// The clock of all tests stands still here.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// RSA keys are slow to make: one of each per test binary. The key that plays WeChat Pay's is a published testing key;
// were it a new one, seeds and finds of the fuzz targets would hold signatures that no other process accepts.
var (
	wechatRSA   = sync.OnceValue(publishedRSA)
	strangerRSA = sync.OnceValue(newRSA(2048))
	shortRSA    = sync.OnceValue(newRSA(1024))
)

func publishedRSA() *rsa.PrivateKey {
	raw, err := os.ReadFile("testdata/go_testing_key.pem")
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key.(*rsa.PrivateKey)
}

func newRSA(bits int) func() *rsa.PrivateKey {
	return func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return key
	}
}

// testdata reads a file below testdata. Keys lie there as TESTING KEY, so that nothing mistakes them for a leak.
func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.ReplaceAll(raw, []byte("TESTING KEY"), []byte("PRIVATE KEY"))
}

func readJSON[T any](tb testing.TB, name string) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(testdata(tb, name), &v); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return v
}

func privateKey(tb testing.TB, file string) *wxcrypto.PrivateKey {
	tb.Helper()
	key, err := wxcrypto.ParsePrivateKey(testdata(tb, file))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func merchantKey(tb testing.TB) *wxcrypto.PrivateKey { return privateKey(tb, "example_key.pem") }

func publicKey(tb testing.TB, id, file string) wxcrypto.VerifyKey {
	tb.Helper()
	key, err := wxcrypto.ParsePublicKey(id, testdata(tb, file))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func certificate(tb testing.TB, pemText []byte) wxcrypto.VerifyKey {
	tb.Helper()
	key, err := wxcrypto.ParseCertificate(pemText)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// publicPEM and certificatePEM are what the merchant platform and GET /v3/certificates would hand out.
func publicPEM(tb testing.TB, key *rsa.PublicKey) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func certificatePEM(tb testing.TB, signer crypto.Signer, serial string, from, to time.Time) []byte {
	tb.Helper()
	number, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		tb.Fatalf("serial %q", serial)
	}
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "Tenpay.com sign"}, NotBefore: from, NotAfter: to,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func wechatPublicKey(tb testing.TB) wxcrypto.VerifyKey {
	tb.Helper()
	key, err := wxcrypto.ParsePublicKey(testPublicKeyID, publicPEM(tb, &wechatRSA().PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func wechatCertificate(tb testing.TB, serial string, from, to time.Time) wxcrypto.VerifyKey {
	tb.Helper()
	return certificate(tb, certificatePEM(tb, wechatRSA(), serial, from, to))
}

// signed returns the headers WeChat Pay would send with body. The message is written out here once more: the package
// must not be checked against itself.
func signed(tb testing.TB, key *rsa.PrivateKey, serial string, at time.Time, body string) http.Header {
	tb.Helper()
	timestamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256([]byte(timestamp + "\n" + testNonce + "\n" + body + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	return http.Header{
		"Wechatpay-Timestamp": {timestamp},
		"Wechatpay-Nonce":     {testNonce},
		"Wechatpay-Serial":    {serial},
		"Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)},
	}
}

// checkSignature fails unless signature (base64) is SHA-256 with RSA PKCS#1 v1.5 of message.
func checkSignature(tb testing.TB, key *rsa.PublicKey, message, signature string) {
	tb.Helper()
	if !validSignature(key, message, signature) {
		tb.Errorf("signature does not match message %q", message)
	}
}

func validSignature(key *rsa.PublicKey, message, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	digest := sha256.Sum256([]byte(message))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw) == nil
}

func wantError(tb testing.TB, err error, text string) {
	tb.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		tb.Errorf("error %v, want one that says %q", err, text)
	}
}

func TestEveryTestdataFileNamesItsOrigin(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(string(raw), "\n"); !strings.Contains(first, "origin") {
			t.Errorf("%s: the first line names no origin", file)
		}
	}
}
