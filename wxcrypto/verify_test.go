package wxcrypto_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
	"pgregory.net/rapid"
)

const testBody = `{"id":"EV-2018022511223320873","event_type":"TRANSACTION.SUCCESS"}`

// incoming is a message as it reaches KeySet.Verify; every rejection below is a good one with one thing changed.
type incoming struct {
	keys   *wxcrypto.KeySet
	header http.Header
	body   string
	now    time.Time
}

func goodIncoming(tb testing.TB) *incoming {
	return &incoming{
		keys:   wxcrypto.NewKeySet(wechatPublicKey(tb)),
		header: signed(tb, wechatRSA(), testPublicKeyID, testNow, testBody),
		body:   testBody,
		now:    testNow,
	}
}

func (in *incoming) verify() (string, error) {
	return in.keys.Verify(in.header, []byte(in.body), in.now)
}

// signedAt signs the good message anew for another moment.
func (in *incoming) signedAt(tb testing.TB, at time.Time) {
	in.header = signed(tb, wechatRSA(), testPublicKeyID, at, in.body)
}

// useCertificate has the good message signed under a certificate's serial.
func (in *incoming) useCertificate(tb testing.TB, claimed, serial string, from, to time.Time) {
	in.keys = wxcrypto.NewKeySet(wechatCertificate(tb, serial, from, to))
	in.header = signed(tb, wechatRSA(), claimed, testNow, in.body)
}

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	const certSerial = "0A57F09EFDC096DE15EBE81A47057A72AABBCCDD"
	for _, test := range []struct {
		name   string
		change func(testing.TB, *incoming)
		serial string
	}{
		{"public key", func(testing.TB, *incoming) {}, testPublicKeyID},
		{"certificate", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, certSerial, certSerial, testNow.AddDate(-1, 0, 0), testNow.AddDate(1, 0, 0))
		}, certSerial},
		{"certificate named in lower case", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, strings.ToLower(certSerial), certSerial, testNow.AddDate(-1, 0, 0), testNow.AddDate(1, 0, 0))
		}, strings.ToLower(certSerial)},
		{"first second of the certificate", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, certSerial, certSerial, testNow, testNow.AddDate(1, 0, 0))
		}, certSerial},
		{"last second of the certificate", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, certSerial, certSerial, testNow.AddDate(-1, 0, 0), testNow)
		}, certSerial},
		{"signature type RSA", func(_ testing.TB, in *incoming) {
			in.header.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
		}, testPublicKeyID},
		{"299 s old", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(-299*time.Second)) }, testPublicKeyID},
		{"299 s ahead", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(299*time.Second)) }, testPublicKeyID},
		{"no body, as with 204", func(tb testing.TB, in *incoming) {
			in.body = ""
			in.signedAt(tb, testNow)
		}, testPublicKeyID},
		{"other keys beside it", func(tb testing.TB, in *incoming) {
			in.keys.Add(wechatCertificate(tb, certSerial, testNow, testNow.AddDate(1, 0, 0)))
		}, testPublicKeyID},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := goodIncoming(t)
			test.change(t, in)
			if serial, err := in.verify(); serial != test.serial || err != nil {
				t.Errorf("Verify = %q, %v; want %q", serial, err, test.serial)
			}
		})
	}
}

func TestVerifyRejects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(testing.TB, *incoming)
		want   error
	}{
		{"no timestamp", without("Timestamp"), wxcrypto.ErrHeaderMissing},
		{"no nonce", without("Nonce"), wxcrypto.ErrHeaderMissing},
		{"no serial", without("Serial"), wxcrypto.ErrHeaderMissing},
		{"no signature", without("Signature"), wxcrypto.ErrHeaderMissing},
		{"empty timestamp", with("Timestamp", ""), wxcrypto.ErrHeaderMissing},
		{"empty signature", with("Signature", ""), wxcrypto.ErrHeaderMissing},
		{"two timestamps", twice("Timestamp"), wxcrypto.ErrHeaderMissing},
		{"two nonces", twice("Nonce"), wxcrypto.ErrHeaderMissing},
		{"two serials", twice("Serial"), wxcrypto.ErrHeaderMissing},
		{"two signatures", twice("Signature"), wxcrypto.ErrHeaderMissing},
		{"long timestamp", with("Timestamp", strings.Repeat("0", 7)+"1772366400"), wxcrypto.ErrHeaderMissing},
		{"long nonce", with("Nonce", strings.Repeat("a", 129)), wxcrypto.ErrHeaderMissing},
		{"long serial", with("Serial", strings.Repeat("A", 129)), wxcrypto.ErrHeaderMissing},
		{"long signature", with("Signature", strings.Repeat("A", 1025)), wxcrypto.ErrHeaderMissing},
		{"body begins inside the nonce", func(tb testing.TB, in *incoming) {
			in.body = "one\ntwo"
			in.signedAt(tb, testNow)
			in.header.Set("Wechatpay-Nonce", testNonce+"\none")
			in.body = "two"
		}, wxcrypto.ErrHeaderMissing},

		{"SM2", with("Signature-Type", "WECHATPAY2-SM2-WITH-SM3"), wxcrypto.ErrSignatureType},
		{"type in another case", with("Signature-Type", "wechatpay2-sha256-rsa2048"), wxcrypto.ErrSignatureType},
		{"two types", func(_ testing.TB, in *incoming) {
			in.header["Wechatpay-Signature-Type"] = []string{"WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SHA256-RSA2048"}
		}, wxcrypto.ErrSignatureType},

		{"300 s old", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(-300*time.Second)) }, wxcrypto.ErrTimestamp},
		{"300 s ahead", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(300*time.Second)) }, wxcrypto.ErrTimestamp},
		{"the clock here is wrong", func(_ testing.TB, in *incoming) { in.now = time.Time{} }, wxcrypto.ErrTimestamp},
		{"timestamp in words", with("Timestamp", "now"), wxcrypto.ErrTimestamp},
		{"timestamp with a sign", with("Timestamp", "+1772366400"), wxcrypto.ErrTimestamp},
		{"negative timestamp", with("Timestamp", "-1772366400"), wxcrypto.ErrTimestamp},
		{"timestamp in hex", with("Timestamp", "0x69a42a40"), wxcrypto.ErrTimestamp},
		{"timestamp in milliseconds", with("Timestamp", "1772366400000"), wxcrypto.ErrTimestamp},

		{"unknown serial, one key held", with("Serial", testSerial), wxcrypto.ErrUnknownSerial},
		{"public key id in lower case", with("Serial", strings.ToLower(testPublicKeyID)), wxcrypto.ErrUnknownSerial},
		{"part of the id", with("Serial", "PUB_KEY_ID_"), wxcrypto.ErrUnknownSerial},
		{"no keys", func(_ testing.TB, in *incoming) { in.keys = new(wxcrypto.KeySet) }, wxcrypto.ErrUnknownSerial},

		{"expired certificate", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, testSerial, testSerial, testNow.AddDate(-5, 0, 0), testNow.Add(-time.Second))
		}, wxcrypto.ErrKeyExpired},
		{"certificate of tomorrow", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, testSerial, testSerial, testNow.Add(time.Second), testNow.AddDate(5, 0, 0))
		}, wxcrypto.ErrKeyExpired},

		{"probe", with("Signature", "WECHATPAY/SIGNTEST/b1fd9c2aF5JpQ3hD"), wxcrypto.ErrSignature},
		{"probe that is no base64", with("Signature", "WECHATPAY/SIGNTEST/b1fd9c2a-"), wxcrypto.ErrSignature},
		{"signature not base64", with("Signature", "!"), wxcrypto.ErrSignature},
		{"signature cut short", func(_ testing.TB, in *incoming) {
			in.header.Set("Wechatpay-Signature", in.header.Get("Wechatpay-Signature")[:340])
		}, wxcrypto.ErrSignature},
		{"another nonce", with("Nonce", strings.ToLower(testNonce)), wxcrypto.ErrSignature},
		{"another timestamp", with("Timestamp", strconv.FormatInt(testNow.Unix()+1, 10)), wxcrypto.ErrSignature},
		{"timestamp written differently", with("Timestamp", "01772366400"), wxcrypto.ErrSignature},
		{"another body", func(_ testing.TB, in *incoming) { in.body += " " }, wxcrypto.ErrSignature},
		{"drained body", func(_ testing.TB, in *incoming) { in.body = "" }, wxcrypto.ErrSignature},
		{"signed by a stranger", func(tb testing.TB, in *incoming) {
			in.header = signed(tb, strangerRSA(), testPublicKeyID, testNow, in.body)
		}, wxcrypto.ErrSignature},
		{"signed with the other known key", func(tb testing.TB, in *incoming) {
			in.keys.Add(certificate(tb, certificatePEM(tb, strangerRSA(), testSerial, testNow, testNow.AddDate(1, 0, 0))))
			in.header.Set("Wechatpay-Serial", testSerial)
		}, wxcrypto.ErrSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := goodIncoming(t)
			test.change(t, in)
			_, err := in.verify()
			requireOnly(t, err, test.want)
			in.headerRefusedLike(t, err)
		})
	}
}

// headerRefusedLike: what is wrong in a header is refused without the body, in the same words. Of the signature nothing
// is said.
func (in *incoming) headerRefusedLike(tb testing.TB, verified error) {
	tb.Helper()
	want := ""
	if !errors.Is(verified, wxcrypto.ErrSignature) {
		want = verified.Error()
	}
	got := ""
	serial, err := in.keys.CheckHeader(in.header, in.now)
	if err != nil {
		got = err.Error()
	}
	if claimed, _ := in.verify(); got != want || serial != claimed {
		tb.Errorf("CheckHeader = %q, %q; want %q, %q", serial, got, claimed, want)
	}
}

func with(name, value string) func(testing.TB, *incoming) {
	return func(_ testing.TB, in *incoming) { in.header.Set("Wechatpay-"+name, value) }
}

func without(name string) func(testing.TB, *incoming) {
	return func(_ testing.TB, in *incoming) { in.header.Del("Wechatpay-" + name) }
}

func twice(name string) func(testing.TB, *incoming) {
	return func(_ testing.TB, in *incoming) {
		in.header.Add("Wechatpay-"+name, in.header.Get("Wechatpay-"+name))
	}
}

// requireOnly fails unless err is want and no other sentinel of this package.
func requireOnly(tb testing.TB, err, want error) {
	tb.Helper()
	for _, sentinel := range []error{
		wxcrypto.ErrHeaderMissing, wxcrypto.ErrSignatureType, wxcrypto.ErrTimestamp, wxcrypto.ErrUnknownSerial,
		wxcrypto.ErrKeyExpired, wxcrypto.ErrSignature, wxcrypto.ErrAlgorithm, wxcrypto.ErrNonce,
		wxcrypto.ErrCiphertext, wxcrypto.ErrDecrypt,
	} {
		if errors.Is(err, sentinel) != (sentinel == want) {
			tb.Errorf("error %v, want %v", err, want)
		}
	}
}

// The cheap checks come first: of everything wrong at once, the earliest is named.
func TestVerifyOrder(t *testing.T) {
	t.Parallel()
	in := goodIncoming(t)
	in.useCertificate(t, testSerial, testSerial, testNow, testNow.AddDate(1, 0, 0))
	expired := wxcrypto.NewKeySet(wechatCertificate(t, testSerial, testNow.AddDate(-2, 0, 0), testNow.AddDate(-1, 0, 0)))
	valid := in.keys

	in.header = http.Header{"Wechatpay-Signature-Type": {"SM2"}}
	in.keys = new(wxcrypto.KeySet)
	for _, step := range []struct {
		want error
		mend func()
	}{
		{wxcrypto.ErrHeaderMissing, func() {
			in.header = signed(t, strangerRSA(), testSerial, testNow.Add(-time.Hour), in.body)
			in.header.Set("Wechatpay-Signature-Type", "SM2")
		}},
		{wxcrypto.ErrSignatureType, func() { in.header.Del("Wechatpay-Signature-Type") }},
		{wxcrypto.ErrTimestamp, func() { in.header = signed(t, strangerRSA(), testSerial, testNow, in.body) }},
		{wxcrypto.ErrUnknownSerial, func() { in.keys = expired }},
		{wxcrypto.ErrKeyExpired, func() { in.keys = valid }},
		{wxcrypto.ErrSignature, func() { in.header = signed(t, wechatRSA(), testSerial, testNow, in.body) }},
	} {
		_, err := in.verify()
		requireOnly(t, err, step.want)
		step.mend()
	}
	if _, err := in.verify(); err != nil {
		t.Errorf("all mended: %v", err)
	}
}

// What a refusal says is for the log, and has to tell the failures apart.
func TestVerifyTells(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(testing.TB, *incoming)
		want   string
	}{
		{"missing", without("Nonce"), "wxcrypto: signature header missing, repeated or malformed: Wechatpay-Nonce is missing"},
		{"twice", twice("Nonce"), "wxcrypto: signature header missing, repeated or malformed: Wechatpay-Nonce is there 2 times"},
		{"type", with("Signature-Type", "SM2"), `wxcrypto: signature type not supported: "SM2"`},
		{"stale", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(-300*time.Second)) },
			"wxcrypto: timestamp not within 5 minutes of now: it is 1772366100, the clock here says 1772366400"},
		{"unknown", with("Serial", testSerial), `wxcrypto: unknown key: serial "` + testSerial + `"`},
		{"expired", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, testSerial, testSerial, testNow.AddDate(-5, 0, 0), testNow.Add(-time.Second))
		}, `wxcrypto: certificate outside its validity: serial "` + testSerial + `", from 2021-03-01T12:00:00Z to 2026-03-01T11:59:59Z`},
		{"no base64", with("Signature", "!"), "wxcrypto: signature does not match: not base64"},
		{"shorter than the key", with("Signature", "AAAA"), `wxcrypto: signature does not match: it has 3 bytes, unlike those of serial "` + testPublicKeyID + `"`},
		{"wrong", func(_ testing.TB, in *incoming) { in.body += " " }, `wxcrypto: signature does not match: serial "` + testPublicKeyID + `"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := goodIncoming(t)
			test.change(t, in)
			if _, err := in.verify(); err == nil || err.Error() != test.want {
				t.Errorf("Verify = %v, want %s", err, test.want)
			}
		})
	}
}

// A stranger writes the serial; what reaches the log must be one short line.
func TestVerifySanitisesSerial(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, claimed, want string }{
		{"plain", testSerial, testSerial},
		{"line break", "AB\nlevel=ERROR msg=forged", "AB?level=ERROR?msg=forged"},
		{"escape sequence", "\x1b[31mAB\x7f", "?[31mAB?"},
		{"not ASCII", "微信", "??"},
		{"long", strings.Repeat("A", 1000), strings.Repeat("A", 64)},
		{"cut inside a letter", strings.Repeat("A", 63) + "微", strings.Repeat("A", 63) + "?"},
		{"none", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := goodIncoming(t)
			in.header["Wechatpay-Serial"] = []string{test.claimed}
			serial, err := in.verify()
			if serial != test.want || err == nil {
				t.Errorf("Verify = %q, %v; want %q and an error", serial, err, test.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("control characters in the error: %q", err)
			}
		})
	}
}

// What WeChat signed is accepted, and no single changed byte is.
func TestVerifyProperty(t *testing.T) {
	t.Parallel()
	keys := wxcrypto.NewKeySet(wechatPublicKey(t))
	rapid.Check(t, func(r *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(r, "body")
		at := testNow.Add(time.Duration(rapid.IntRange(-299, 299).Draw(r, "skew")) * time.Second)
		header := signed(t, wechatRSA(), testPublicKeyID, at, string(body))
		if _, err := keys.Verify(header, body, testNow); err != nil {
			r.Fatal(err)
		}
		if len(body) == 0 {
			return
		}
		body[rapid.IntRange(0, len(body)-1).Draw(r, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		if _, err := keys.Verify(header, body, testNow); !errors.Is(err, wxcrypto.ErrSignature) {
			r.Fatalf("changed body: %v", err)
		}
	})
}

// However far the two clocks are apart, exactly the differences below 300 s pass the clock.
func TestVerifyWindowProperty(t *testing.T) {
	t.Parallel()
	keys := new(wxcrypto.KeySet) // empty, so that the check after the clock answers
	rapid.Check(t, func(r *rapid.T) {
		seconds := rapid.OneOf(rapid.Int64Range(0, 9_999_999_999_999_999), rapid.Int64Range(testNow.Unix()-400, testNow.Unix()+400)).Draw(r, "timestamp")
		header := http.Header{
			"Wechatpay-Timestamp": {strconv.FormatInt(seconds, 10)}, "Wechatpay-Nonce": {testNonce},
			"Wechatpay-Serial": {testSerial}, "Wechatpay-Signature": {"AA=="},
		}
		want := wxcrypto.ErrUnknownSerial
		if seconds <= testNow.Unix()-300 || seconds >= testNow.Unix()+300 {
			want = wxcrypto.ErrTimestamp
		}
		if _, err := keys.Verify(header, nil, testNow); !errors.Is(err, want) {
			r.Fatalf("%d s apart: %v, want %v", seconds-testNow.Unix(), err, want)
		}
	})
}
