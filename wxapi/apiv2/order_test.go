package apiv2_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	full := wxapi.Transaction{
		AppID: testAppID, MchID: testMchID, OutTradeNo: "order-1", TransactionID: "4200000001", TradeType: "JSAPI",
		TradeState: "SUCCESS", TradeStateDesc: "支付成功", BankType: "CMC", Attach: "a&b", OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		SuccessTime:     time.Date(2026, 1, 2, 3, 12, 13, 0, time.UTC),
		Amount:          wxapi.TransactionAmount{Total: 100, PayerTotal: 90, Currency: "CNY", PayerCurrency: "CNY"},
		PromotionDetail: json.RawMessage(`{"promotion_detail":[]}`),
	}
	for _, test := range []struct {
		name   string
		answer message
		want   func(*wxapi.Transaction)
	}{
		{"paid", paid(), func(*wxapi.Transaction) {}},
		{"no currency is CNY", merged(paid(), "fee_type", ""), func(*wxapi.Transaction) {}},
		{"another currency", merged(paid(), "fee_type", "USD"), func(t *wxapi.Transaction) { t.Amount.Currency = "USD" }},
		{"refunded", merged(paid(), "trade_state", "REFUND"), func(t *wxapi.Transaction) { t.TradeState = "REFUND" }},
		{"a time that is none", merged(paid(), "time_end", "2026"), func(t *wxapi.Transaction) { t.SuccessTime = time.Time{} }},
		{"promotions that are no JSON", merged(paid(), "promotion_detail", "{"), func(t *wxapi.Transaction) { t.PromotionDetail = nil }},
		{"not paid", message{"trade_state": "NOTPAY", "out_trade_no": "order-1"}, func(t *wxapi.Transaction) {
			*t = wxapi.Transaction{
				AppID: testAppID, MchID: testMchID, OutTradeNo: "order-1", TradeState: "NOTPAY",
				Amount: wxapi.TransactionAmount{Currency: "CNY", PayerCurrency: "CNY"},
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := full
			test.want(&want)
			got, err := answering(t, ok(test.answer).xml("xml")).client().Query(t.Context(), testAppID, "order-1")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v\nwant %+v", got, err, want)
			}
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer message
		want   want
	}{
		{"closed", ok(nil), want{tries: 1}},
		{"closed before", failed("ORDERCLOSED"), want{tries: 1}},
		{"paid meanwhile", failed("ORDERPAID"), want{status: 400, code: "ORDER_PAID", tries: 1}},
		{"no such order", failed("ORDERNOTEXIST"), want{status: 404, code: "ORDER_NOT_EXIST", tries: 1}},
		{"too early, or in another state", failed("TRADE_STATE_ERROR"), want{status: 400, code: "TRADE_STATE_ERROR", tries: 1}},
		{"too many", failed("FREQUENCY_LIMITED"), want{is: wxapi.ErrUnknown, status: 429, code: "FREQUENCY_LIMITED", tries: 3}},
		{"system error", failed("SYSTEMERROR"), want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR", tries: 3}},
		{"closed, says somebody who cannot sign", changed(failed("ORDERCLOSED"), "sign", ""), want{is: wxapi.ErrNotVerified, tries: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, test.answer.xml("xml"))
			test.want.check(t, w.client().Close(t.Context(), testAppID, "order-1"))
			w.arrived("/pay/closeorder", test.want.tries, message{"appid": testAppID, "out_trade_no": "order-1", "sign_type": "MD5"}, false)
		})
	}
}

func TestNothingIsAskedWithoutANumber(t *testing.T) {
	t.Parallel()
	w := answering(t, "")
	c := w.client()
	for _, about := range [][2]string{{"", "order-1"}, {testAppID, ""}} {
		_, err := c.Query(t.Context(), about[0], about[1])
		want{is: wxapi.ErrRequest}.check(t, err)
		want{is: wxapi.ErrRequest}.check(t, c.Close(t.Context(), about[0], about[1]))
		_, err = c.QueryRefund(t.Context(), about[0], about[1])
		want{is: wxapi.ErrRequest}.check(t, err)
	}
	if w.requests() != 0 {
		t.Errorf("%d requests arrived", w.requests())
	}
}
