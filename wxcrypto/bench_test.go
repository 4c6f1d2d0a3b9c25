package wxcrypto_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

func BenchmarkAuthorization(b *testing.B) {
	signer, body := testSigner(b), bytes.Repeat([]byte("x"), 600)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.Authorization("POST", "/v3/pay/transactions/jsapi", body, testNow, testNonce); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key, message := merchantKey(b), []byte("message")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.Sign(message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	in := goodIncoming(b)
	body := []byte(in.body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.keys.Verify(in.header, body, in.now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckHeader is what a flood of forgeries costs that are refused for their headers.
func BenchmarkCheckHeader(b *testing.B) {
	for _, forgery := range []struct {
		name   string
		change func(testing.TB, *incoming)
	}{
		{"Missing", without("Nonce")},
		{"Twice", twice("Serial")},
		{"TooLong", with("Serial", strings.Repeat("A", 2000))},
		{"Type", with("Signature-Type", "WECHATPAY2-SM2-WITH-SM3")},
		{"Stale", func(tb testing.TB, in *incoming) { in.signedAt(tb, testNow.Add(-time.Hour)) }},
		{"UnknownSerial", with("Serial", testSerial)},
		{"Expired", func(tb testing.TB, in *incoming) {
			in.useCertificate(tb, testSerial, testSerial, testNow.AddDate(-5, 0, 0), testNow.Add(-time.Second))
		}},
	} {
		b.Run(forgery.name, func(b *testing.B) {
			in := goodIncoming(b)
			forgery.change(b, in)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := in.keys.CheckHeader(in.header, in.now); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	key := apiv3Key(b)
	resource := seal(b, testGCMNonce, "transaction", bytes.Repeat([]byte("x"), 700))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.Open(resource); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewNonce(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		wxcrypto.NewNonce()
	}
}
