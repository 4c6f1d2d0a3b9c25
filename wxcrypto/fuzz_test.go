package wxcrypto_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// The seeds of each fuzz target come from a function, and TestFuzzSeeds proves that they reach both sides of every
// parser. A corpus that is lost or no longer fits fails there instead of quietly testing nothing.

func pemSeeds(tb testing.TB) [][]byte {
	f := makePEM(tb)
	return [][]byte{
		f.pkcs8, f.pkcs1, f.public, f.publicPKCS1, f.cert, f.encrypted, f.encryptedOld, f.ec8, f.ec1, f.ecPub, f.ecCert,
		f.short8, f.shortPub, f.shortCert, f.request, f.der, nil, []byte("apiclient_key.pem"), f.pkcs8[:500],
		join(f.cert, f.pkcs8, f.public), join(f.cert, f.cert), bytes.ReplaceAll(f.pkcs8, []byte("\n"), []byte(`\n`)),
		testdata(tb, "go_certificate_0C4AEF34B89340881BB2B25226393DC2E47F094B.pem"),
		testdata(tb, "docs_wechatpay_public_key.pem"),
	}
}

type headerSeed struct {
	timestamp, nonce, serial, signature, signatureType string
	repeat                                             uint8 // how often each header is there
	body                                               []byte
}

func headerSeeds(tb testing.TB) []headerSeed {
	good := signed(tb, wechatRSA(), testPublicKeyID, testNow, testBody)
	seed := headerSeed{
		good.Get("Wechatpay-Timestamp"), good.Get("Wechatpay-Nonce"), good.Get("Wechatpay-Serial"),
		good.Get("Wechatpay-Signature"), "", 1, []byte(testBody),
	}
	seeds := []headerSeed{seed}
	for _, change := range []func(*headerSeed){
		func(s *headerSeed) { s.timestamp = "-1" },
		func(s *headerSeed) { s.timestamp = "9999999999999999" },
		func(s *headerSeed) { s.nonce = "a\nb" },
		func(s *headerSeed) { s.serial = testSerial },
		func(s *headerSeed) { s.serial = "\x1b[31m微信" },
		func(s *headerSeed) { s.signature = "WECHATPAY/SIGNTEST/b1fd9c2aF5JpQ3hD" },
		func(s *headerSeed) { s.signatureType = "WECHATPAY2-SM2-WITH-SM3" },
		func(s *headerSeed) { s.signatureType = "WECHATPAY2-SHA256-RSA2048" },
		func(s *headerSeed) { s.repeat = 2 },
		func(s *headerSeed) { s.repeat = 0 },
		func(s *headerSeed) { s.body = nil },
	} {
		changed := seed
		change(&changed)
		seeds = append(seeds, changed)
	}
	return seeds
}

func (s headerSeed) header() http.Header {
	header := make(http.Header)
	for range s.repeat % 4 {
		for name, value := range map[string]string{
			"Timestamp": s.timestamp, "Nonce": s.nonce, "Serial": s.serial, "Signature": s.signature,
		} {
			header.Add("Wechatpay-"+name, value)
		}
		if s.signatureType != "" {
			header.Add("Wechatpay-Signature-Type", s.signatureType)
		}
	}
	return header
}

func resourceSeeds(tb testing.TB) []wxcrypto.Resource {
	good := seal(tb, testGCMNonce, "transaction", []byte(`{"trade_state":"SUCCESS"}`))
	seeds := []wxcrypto.Resource{good, seal(tb, testGCMNonce, "", nil), {}}
	for _, change := range []func(*wxcrypto.Resource){
		func(r *wxcrypto.Resource) { r.Algorithm = "AEAD_SM4_GCM" },
		func(r *wxcrypto.Resource) { r.Nonce = "" },
		func(r *wxcrypto.Resource) { r.Nonce = strings.Repeat("é", 12) },
		func(r *wxcrypto.Resource) { r.Ciphertext = "AAAA" },
		func(r *wxcrypto.Resource) { r.Ciphertext = "!" },
		func(r *wxcrypto.Resource) { r.AssociatedData = "refund" },
	} {
		changed := good
		change(&changed)
		seeds = append(seeds, changed)
	}
	return seeds
}

func TestFuzzSeeds(t *testing.T) {
	t.Parallel()
	count := make(map[string]int)
	note := func(what string, err error) {
		if err == nil {
			count[what+" accepted"]++
		} else {
			count[what+" refused"]++
		}
	}
	for _, text := range pemSeeds(t) {
		_, err1 := loadPrivate(text)
		_, err2 := loadPublic(text)
		_, err3 := loadCertificate(text)
		note("private key", err1)
		note("public key", err2)
		note("certificate", err3)
	}
	keys := wxcrypto.NewKeySet(wechatPublicKey(t))
	for _, seed := range headerSeeds(t) {
		_, err := keys.Verify(seed.header(), seed.body, testNow)
		note("headers", err)
	}
	for _, seed := range resourceSeeds(t) {
		_, err := apiv3Key(t).Open(seed)
		note("resource", err)
	}
	for _, seed := range reqInfoSeeds(t) {
		_, err := apiv2Key(t).OpenReqInfo(seed)
		note("req_info", err)
	}
	for what, least := range map[string]int{
		"private key accepted": 2, "private key refused": 5, "public key accepted": 2, "public key refused": 5,
		"certificate accepted": 2, "certificate refused": 5, "headers accepted": 2, "headers refused": 5,
		"resource accepted": 2, "resource refused": 5, "req_info accepted": 2, "req_info refused": 4,
	} {
		if count[what] < least {
			t.Errorf("%s: %d seeds, want at least %d", what, count[what], least)
		}
	}
}

// Whatever bytes come as a file: a loader returns a key that works, or an error and no key.
func FuzzParsePEM(f *testing.F) {
	for _, text := range pemSeeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := wxcrypto.ParsePrivateKey(text); err == nil {
			signature, err := key.Sign(text)
			if err != nil {
				t.Fatalf("a key that cannot sign: %v", err)
			}
			checkSignature(t, key.Public(), string(text), signature)
		} else if key != nil {
			t.Error("private key and error")
		}
		public, err := wxcrypto.ParsePublicKey(testPublicKeyID, text)
		checkVerifyKey(t, public, err)
		cert, err := wxcrypto.ParseCertificate(text)
		checkVerifyKey(t, cert, err)
		if serial := cert.Serial(); err == nil && (len(serial)%2 != 0 || strings.Trim(serial, "0123456789ABCDEF") != "") {
			t.Errorf("serial %q", serial)
		}
	})
}

func checkVerifyKey(t *testing.T, key wxcrypto.VerifyKey, err error) {
	t.Helper()
	if err != nil {
		if key != (wxcrypto.VerifyKey{}) {
			t.Error("key and error")
		}
		return
	}
	if _, err := key.EncryptOAEP([]byte("张三")); err != nil {
		t.Errorf("a key that cannot encrypt: %v", err)
	}
	if got, ok := wxcrypto.NewKeySet(key).Get(key.Serial()); !ok || got != key {
		t.Errorf("not found under its own serial %q", key.Serial())
	}
}

// Whatever headers and body a stranger sends: Verify agrees with the rule written out a second time below, and what it
// returns for the log is one short line.
func FuzzVerifyHeaders(f *testing.F) {
	for _, s := range headerSeeds(f) {
		f.Add(s.timestamp, s.nonce, s.serial, s.signature, s.signatureType, s.repeat, s.body)
	}
	keys := wxcrypto.NewKeySet(wechatPublicKey(f))
	f.Fuzz(func(t *testing.T, timestamp, nonce, serial, signature, signatureType string, repeat uint8, body []byte) {
		seed := headerSeed{timestamp, nonce, serial, signature, signatureType, repeat, body}
		claimed, err := keys.Verify(seed.header(), body, testNow)
		if want := seed.genuine(); (err == nil) != want {
			t.Errorf("Verify: %v, want it accepted: %t", err, want)
		}
		if len(claimed) > 64 || strings.ContainsFunc(claimed, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("serial for the log: %q", claimed)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("control characters in the error: %q", err)
		}
	})
}

// genuine is the rule in its shortest form, without regard to the order and the cost of the checks.
func (s headerSeed) genuine() bool {
	seconds, err := strconv.ParseInt(s.timestamp, 10, 64)
	skew := testNow.Sub(time.Unix(seconds, 0)).Abs()
	return err == nil && skew < 5*time.Minute && s.repeat%4 == 1 && s.serial == testPublicKeyID && !strings.Contains(s.nonce, "\n") &&
		(s.signatureType == "" || s.signatureType == "WECHATPAY2-SHA256-RSA2048") &&
		validSignature(&wechatRSA().PublicKey, s.timestamp+"\n"+s.nonce+"\n"+string(s.body)+"\n", s.signature)
}

// Whatever resource comes: Open refuses it with one of its sentinels, or returns the plaintext that encrypts to it.
func FuzzOpen(f *testing.F) {
	for _, r := range resourceSeeds(f) {
		f.Add(r.Algorithm, r.Nonce, r.AssociatedData, r.Ciphertext)
	}
	key := apiv3Key(f)
	f.Fuzz(func(t *testing.T, algorithm, nonce, associatedData, ciphertext string) {
		resource := wxcrypto.Resource{Algorithm: algorithm, Nonce: nonce, AssociatedData: associatedData, Ciphertext: ciphertext}
		plaintext, err := key.Open(resource)
		if err == nil {
			raw, _ := base64.StdEncoding.DecodeString(ciphertext)
			if again := seal(t, nonce, associatedData, plaintext); again.Ciphertext != base64.StdEncoding.EncodeToString(raw) {
				t.Errorf("opened to %q, which encrypts to something else", plaintext)
			}
			return
		}
		if plaintext != nil {
			t.Error("plaintext and error")
		}
		if !errors.Is(err, wxcrypto.ErrAlgorithm) && !errors.Is(err, wxcrypto.ErrNonce) &&
			!errors.Is(err, wxcrypto.ErrCiphertext) && !errors.Is(err, wxcrypto.ErrDecrypt) {
			t.Errorf("no sentinel: %v", err)
		}
	})
}
