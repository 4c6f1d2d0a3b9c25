package apiv2_test

import (
	"crypto/aes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func apiv2Key(tb testing.TB, text string) wxcrypto.APIv2Key {
	tb.Helper()
	key, err := wxcrypto.ParseAPIv2Key(text)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// payment is the notification of a payment, before its sign.
func payment() message {
	m := paid()
	delete(m, "trade_state")
	delete(m, "trade_state_desc")
	for name, value := range map[string]string{
		"return_code": "SUCCESS", "result_code": "SUCCESS", "appid": testAppID, "mch_id": testMchID, "nonce_str": "n",
	} {
		m[name] = value
	}
	return m
}

// refunded is the plaintext of the notification of a refund.
func refunded() message {
	return message{
		"out_refund_no": "refund-1", "out_trade_no": "order-1", "refund_id": "5000000001", "transaction_id": "4200000001",
		"refund_fee": "30", "settlement_refund_fee": "30", "total_fee": "100", "refund_status": "SUCCESS",
		"success_time": "2026-01-02 11:12:13", "refund_recv_accout": "支付用户零钱", "refund_request_source": "API",
	}
}

// sealed is what goes on the wire, encrypted with the standard library alone.
func sealed(tb testing.TB, plaintext string) string {
	tb.Helper()
	sum := md5.Sum([]byte(testKey))
	block, err := aes.NewCipher([]byte(hex.EncodeToString(sum[:])))
	if err != nil {
		tb.Fatal(err)
	}
	n := aes.BlockSize - len(plaintext)%aes.BlockSize
	padded := []byte(plaintext + strings.Repeat(string(rune(n)), n))
	for i := 0; i < len(padded); i += aes.BlockSize {
		block.Encrypt(padded[i:], padded[i:])
	}
	return base64.StdEncoding.EncodeToString(padded)
}

func refundNotice(tb testing.TB, plaintext string) string {
	return message{
		"return_code": "SUCCESS", "appid": testAppID, "mch_id": testMchID, "nonce_str": "n", "req_info": sealed(tb, plaintext),
	}.xml("xml")
}

func TestOpenPayment(t *testing.T) {
	t.Parallel()
	for _, hmacToo := range []bool{false, true} {
		n, err := apiv2.OpenNotification(apiv2Key(t, testKey), []byte(payment().signed(hmacToo).xml("xml")))
		if err != nil || n.Refund != nil || n.Payment == nil || n.AppID != testAppID || n.MchID != testMchID {
			t.Fatalf("%+v, %v", n, err)
		}
		want := wxapi.TransactionAmount{Total: 100, PayerTotal: 90, Currency: "CNY", PayerCurrency: "CNY"}
		if p := n.Payment; p.OutTradeNo != "order-1" || p.TradeState != wxapi.StateSuccess || p.TransactionID != "4200000001" ||
			p.Amount != want || p.AppID != testAppID || p.MchID != testMchID ||
			!p.SuccessTime.Equal(time.Date(2026, 1, 2, 3, 12, 13, 0, time.UTC)) {
			t.Errorf("%+v", p)
		}
	}
}

func TestOpenRefund(t *testing.T) {
	t.Parallel()
	n, err := apiv2.OpenNotification(apiv2Key(t, testKey), []byte(refundNotice(t, refunded().xml("root"))))
	if err != nil || n.Payment != nil || n.Refund == nil || n.AppID != testAppID || n.MchID != testMchID {
		t.Fatalf("%+v, %v", n, err)
	}
	want := wxapi.Refund{
		MchID: testMchID, RefundID: "5000000001", OutRefundNo: "refund-1", TransactionID: "4200000001", OutTradeNo: "order-1",
		UserReceivedAccount: "支付用户零钱", Status: wxapi.RefundSuccess, SuccessTime: time.Date(2026, 1, 2, 3, 12, 13, 0, time.UTC),
		Amount: wxapi.RefundAmount{Total: 100, Refund: 30, Currency: "CNY"},
	}
	if *n.Refund != want {
		t.Errorf("%+v, want %+v", *n.Refund, want)
	}
}

// TestOpenNotificationRefuses changes one thing in a good notification.
func TestOpenNotificationRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       error
	}{
		{"no sign", payment().xml("xml"), wxcrypto.ErrUnsigned},
		{"a sign of no known type", changed(payment().signed(false), "sign", "0123").xml("xml"), wxcrypto.ErrSignType},
		{"a changed amount", changed(payment().signed(false), "total_fee", "1").xml("xml"), wxcrypto.ErrSignature},
		{"an unknown field that is not signed", changed(payment().signed(false), "tomorrow", "1").xml("xml"), wxcrypto.ErrSignature},
		{"return_code FAIL without a sign", message{"return_code": "FAIL", "return_msg": "x"}.xml("xml"), wxcrypto.ErrUnsigned},
		{"return_code FAIL", merged(payment(), "return_code", "FAIL").signed(false).xml("xml"), apiv2.ErrNotSuccess},
		{"result_code FAIL", merged(payment(), "result_code", "FAIL").signed(false).xml("xml"), apiv2.ErrNotSuccess},
		{"no result_code", merged(payment(), "result_code", "").signed(false).xml("xml"), apiv2.ErrNotSuccess},
		{"no amount", merged(payment(), "total_fee", "").signed(false).xml("xml"), apiv2.ErrMalformed},
		{"an amount in yuan", merged(payment(), "total_fee", "1.00").signed(false).xml("xml"), apiv2.ErrMalformed},
		{"no order", merged(payment(), "out_trade_no", "").signed(false).xml("xml"), apiv2.ErrMalformed},
		{"a root of another name", payment().signed(false).xml("root"), apiv2.ErrMalformed},

		{"req_info that is no base64", message{"req_info": "!"}.xml("xml"), wxcrypto.ErrReqInfo},
		{"req_info of half a block", message{"req_info": "AAAA"}.xml("xml"), wxcrypto.ErrReqInfo},
		{"req_info of another key", message{"req_info": base64.StdEncoding.EncodeToString(make([]byte, 32))}.xml("xml"), wxcrypto.ErrReqInfoKey},
		{"a plaintext that is no XML", refundNotice(t, "hello"), wxcrypto.ErrReqInfoKey},
		{"a plaintext with a DOCTYPE", refundNotice(t, "<!DOCTYPE root><root></root>"), wxcrypto.ErrReqInfoKey},
		{"a plaintext with another root", refundNotice(t, refunded().xml("xml")), wxcrypto.ErrReqInfoKey},
		{"no refund number", refundNotice(t, merged(refunded(), "out_refund_no", "").xml("root")), apiv2.ErrMalformed},
		{"no refund_status", refundNotice(t, merged(refunded(), "refund_status", "").xml("root")), apiv2.ErrMalformed},
		{"no refund_fee", refundNotice(t, merged(refunded(), "refund_fee", "").xml("root")), apiv2.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n, err := apiv2.OpenNotification(apiv2Key(t, testKey), []byte(test.body))
			if !errors.Is(err, test.want) || n.Payment != nil || n.Refund != nil {
				t.Errorf("%+v, %v, want %v", n, err, test.want)
			}
		})
	}
	n, err := apiv2.OpenNotification(apiv2Key(t, strings.Repeat("0", 32)), []byte(payment().signed(false).xml("xml")))
	if !errors.Is(err, wxcrypto.ErrSignature) || !reflect.DeepEqual(n, apiv2.Notification{}) {
		t.Errorf("another key: %+v, %v", n, err)
	}
}

func TestOpenNotificationHostile(t *testing.T) {
	t.Parallel()
	for name, text := range texts(t, "hostile", 30) {
		n, err := apiv2.OpenNotification(apiv2Key(t, testKey), text)
		if !errors.Is(err, apiv2.ErrMalformed) || !reflect.DeepEqual(n, apiv2.Notification{}) {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}

// Whatever comes: a payment is believed only with the sign that this key gives
// to all of its fields, and has an order and a price.
func FuzzOpenNotification(f *testing.F) {
	for _, hmacToo := range []bool{false, true} {
		f.Add([]byte(payment().signed(hmacToo).xml("xml")))
	}
	f.Add([]byte(payment().xml("xml")))
	f.Add([]byte(refundNotice(f, refunded().xml("root"))))
	f.Add([]byte(refundNotice(f, "hello")))
	for _, text := range texts(f, "hostile", 30) {
		f.Add(text)
	}
	key := apiv2Key(f, testKey)
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := apiv2.OpenNotification(key, body)
		if err != nil {
			if n.Payment != nil || n.Refund != nil {
				t.Errorf("%+v, %v", n, err)
			}
			return
		}
		if n.Refund != nil {
			if n.Payment != nil || n.Refund.OutRefundNo == "" || n.Refund.OutTradeNo == "" || n.Refund.Amount.Refund < 1 {
				t.Errorf("%+v", n)
			}
			return
		}
		m := readMessage(t, body)
		if sign := m["sign"]; sign != m.signed(false)["sign"] && sign != m.signed(true)["sign"] {
			t.Errorf("believed with the sign %s", sign)
		}
		if n.Payment.OutTradeNo == "" || n.Payment.Amount.Total < 1 || n.Payment.TransactionID == "" {
			t.Errorf("%+v", n.Payment)
		}
	})
}

func ExampleOpenNotification() {
	key, err := wxcrypto.ParseAPIv2Key(testKey)
	if err != nil {
		panic(err)
	}
	n, err := apiv2.OpenNotification(key, []byte(payment().signed(false).xml("xml")))
	if err != nil {
		panic(err)
	}
	fmt.Println(n.Payment.OutTradeNo, n.Payment.Paid(), n.Payment.Amount.Total)
	// Output: order-1 true 100
}
