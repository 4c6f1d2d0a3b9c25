package apiv2_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
)

func refundRequest() wxapi.RefundRequest {
	return wxapi.RefundRequest{
		OutTradeNo: "order-1", OutRefundNo: "refund-1", Reason: "不要了", NotifyURL: "https://shop.example.com/pay/notify/v2",
		Refund: 30, Total: 100,
	}
}

func frozenRefund() message {
	return message{
		"appid": testAppID, "mch_id": testMchID, "sign_type": "MD5", "out_trade_no": "order-1", "out_refund_no": "refund-1",
		"total_fee": "100", "refund_fee": "30", "refund_fee_type": "CNY", "refund_desc": "不要了",
		"notify_url": "https://shop.example.com/pay/notify/v2",
	}
}

// accepted is the answer to an application.
func accepted() message {
	return message{
		"out_trade_no": "order-1", "transaction_id": "4200000001", "out_refund_no": "refund-1", "refund_id": "5000000001",
		"refund_fee": "30", "total_fee": "100", "cash_fee": "100",
	}
}

func TestApplyRefund(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer message
		want   want
	}{
		{"accepted", ok(accepted()), want{tries: 1}},
		{"another refund", ok(merged(accepted(), "out_refund_no", "refund-2")), want{is: wxapi.ErrUnknown, tries: 1}},
		{"another order", ok(merged(accepted(), "out_trade_no", "order-2")), want{is: wxapi.ErrUnknown, tries: 1}},
		{"no amount", ok(merged(accepted(), "refund_fee", "")), want{is: wxapi.ErrUnknown, tries: 1}},
		{"not signed", changed(ok(accepted()), "sign", ""), want{is: wxapi.ErrNotVerified, tries: 1}},
		{"system error", failed("SYSTEMERROR"), want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR", tries: 1}},
		{"to be repeated", failed("BIZERR_NEED_RETRY"), want{is: wxapi.ErrUnknown, status: 400, code: "BIZERR_NEED_RETRY", tries: 1}},
		{"too many", failed("FREQUENCY_LIMITED"), want{is: wxapi.ErrUnknown, status: 429, code: "FREQUENCY_LIMITED", tries: 1}},
		{"too many bad ones", failed("INVALID_REQ_TOO_MUCH"), want{status: 400, code: "INVALID_REQ_TOO_MUCH", tries: 1}},
		{"no money", failed("NOTENOUGH"), want{status: 403, code: "NOT_ENOUGH", tries: 1}},
		{"no such account", failed("USER_ACCOUNT_ABNORMAL"), want{status: 403, code: "USER_ACCOUNT_ABNORMAL", tries: 1}},
		{"no such order", failed("ORDERNOTEXIST"), want{status: 404, code: "RESOURCE_NOT_EXISTS", tries: 1}},
		{"no such transaction", failed("INVALID_TRANSACTIONID"), want{status: 400, code: "INVALID_REQUEST", tries: 1}},
		{"too old", failed("TRADE_OVERDUE"), want{status: 400, code: "TRADE_OVERDUE", tries: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, test.answer.xml("xml"))
			c := w.client()
			body, err := c.EncodeRefund(testAppID, refundRequest())
			if err != nil || !maps.Equal(readMessage(t, body), frozenRefund()) || !apiv2.IsFrozen(string(body)) {
				t.Fatalf("frozen %s, %v", body, err)
			}
			got, err := c.ApplyRefund(t.Context(), body)
			test.want.check(t, err)
			w.arrived("/secapi/pay/refund", test.want.tries, frozenRefund(), false)
			expected := wxapi.Refund{}
			if err == nil {
				expected = wxapi.Refund{
					RefundID: "5000000001", OutRefundNo: "refund-1", TransactionID: "4200000001", OutTradeNo: "order-1",
					Status: wxapi.RefundProcessing, Amount: wxapi.RefundAmount{Total: 100, Refund: 30, Currency: "CNY"},
				}
			}
			if got != expected {
				t.Errorf("%+v, want %+v", got, expected)
			}
		})
	}
}

func TestApplyRefundIsNotSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		body   string
		change func(*apiv2.Config)
		want   error
	}{
		{"no certificate", frozenRefund().xml("xml"), func(c *apiv2.Config) { c.Certificate, c.Calls.BaseURL = nil, "https://127.0.0.1:1" }, apiv2.ErrNoCertificate},
		{"frozen for API v3", `{"out_refund_no":"refund-1"}`, func(*apiv2.Config) {}, wxapi.ErrRequest},
		{"another merchant", merged(frozenRefund(), "mch_id", "1900000109").xml("xml"), func(*apiv2.Config) {}, wxapi.ErrRequest},
		{"no number", merged(frozenRefund(), "out_refund_no", "").xml("xml"), func(*apiv2.Config) {}, wxapi.ErrRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, ok(accepted()).xml("xml"))
			_, err := w.client(test.change).ApplyRefund(t.Context(), []byte(test.body))
			if !errors.Is(err, test.want) || w.requests() != 0 {
				t.Errorf("%v after %d requests, want %v", err, w.requests(), test.want)
			}
		})
	}
	if !errors.Is(apiv2.ErrNoCertificate, wxapi.ErrUnreachable) {
		t.Error("without a certificate nothing happens at WeChat Pay, and the error does not say so")
	}
}

func TestEncodeRefundFaults(t *testing.T) {
	t.Parallel()
	c := answering(t, "").client()
	r := refundRequest()
	if body, err := c.EncodeRefund("", r); body != nil || !errors.Is(err, wxapi.ErrRequest) {
		t.Errorf("no appid: %s, %v", body, err)
	}
	r.Refund = 101
	if body, err := c.EncodeRefund(testAppID, r); body != nil || !errors.Is(err, wxapi.ErrRequest) {
		t.Errorf("more than the price: %s, %v", body, err)
	}
}

// queried is the answer to a question about one refund, beside another.
func queried(status string) message {
	return message{
		"out_trade_no": "order-1", "transaction_id": "4200000001", "total_fee": "100", "refund_count": "2",
		"out_refund_no_0": "refund-0", "refund_id_0": "5000000000", "refund_fee_0": "1", "refund_status_0": "REFUNDCLOSE",
		"out_refund_no_1": "refund-1", "refund_id_1": "5000000001", "refund_fee_1": "30", "refund_status_1": status,
		"refund_channel_1": "ORIGINAL", "refund_recv_accout_1": "支付用户零钱", "refund_success_time_1": "2026-01-02 11:12:13",
	}
}

func TestQueryRefund(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer message
		status string
		want   want
	}{
		{"done", ok(queried("SUCCESS")), wxapi.RefundSuccess, want{tries: 1}},
		{"under way", ok(queried("PROCESSING")), wxapi.RefundProcessing, want{tries: 1}},
		{"closed", ok(queried("REFUNDCLOSE")), wxapi.RefundClosed, want{tries: 1}},
		{"abnormal", ok(queried("CHANGE")), wxapi.RefundAbnormal, want{tries: 1}},
		{"a word of tomorrow", ok(queried("TOMORROW")), "TOMORROW", want{tries: 1}},
		{"no status", ok(queried("")), "", want{is: wxapi.ErrUnknown, tries: 1}},
		{"another refund", ok(merged(queried("SUCCESS"), "out_refund_no_1", "refund-2")), "", want{is: wxapi.ErrUnknown, tries: 1}},
		{"a number that stands elsewhere", ok(merged(merged(queried("SUCCESS"), "out_refund_no_1", "x"), "out_refund_no_x", "refund-1")), "", want{is: wxapi.ErrUnknown, tries: 1}},
		{"no such refund", failed("REFUNDNOTEXIST"), "", want{status: 404, code: "RESOURCE_NOT_EXISTS", tries: 1}},
		{"system error", failed("SYSTEMERROR"), "", want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR", tries: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, test.answer.xml("xml"))
			got, err := w.client().QueryRefund(t.Context(), testAppID, "refund-1")
			test.want.check(t, err)
			w.arrived("/pay/refundquery", test.want.tries, message{"appid": testAppID, "out_refund_no": "refund-1", "sign_type": "MD5"}, false)
			expected := wxapi.Refund{}
			if err == nil {
				expected = wxapi.Refund{
					RefundID: "5000000001", OutRefundNo: "refund-1", TransactionID: "4200000001", OutTradeNo: "order-1",
					Channel: "ORIGINAL", UserReceivedAccount: "支付用户零钱", Status: test.status,
					SuccessTime: time.Date(2026, 1, 2, 3, 12, 13, 0, time.UTC),
					Amount:      wxapi.RefundAmount{Total: 100, Refund: 30, Currency: "CNY"},
				}
			}
			if got != expected {
				t.Errorf("%+v, want %+v", got, expected)
			}
		})
	}
}
