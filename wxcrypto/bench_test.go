package wxcrypto_test

import (
	"bytes"
	"testing"

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

// BenchmarkVerifyStranger is what a flood of forgeries under an unknown serial costs.
func BenchmarkVerifyStranger(b *testing.B) {
	in := goodIncoming(b)
	in.header.Set("Wechatpay-Serial", testSerial)
	body := []byte(in.body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.keys.Verify(in.header, body, in.now); err == nil {
			b.Fatal("accepted")
		}
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
