package apiv2_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
)

// paid is the answer to a query of a paid order.
func paid() message {
	return message{
		"trade_state": "SUCCESS", "trade_state_desc": "支付成功", "out_trade_no": "order-1", "transaction_id": "4200000001",
		"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "is_subscribe": "Y", "trade_type": "JSAPI", "bank_type": "CMC",
		"total_fee": "100", "cash_fee": "90", "fee_type": "CNY", "time_end": "20260102111213", "attach": "a&b",
		"coupon_count": "1", "coupon_fee_0": "10", "promotion_detail": `{"promotion_detail":[]}`,
	}
}

// TestAnswers changes one thing in a good answer. No call believes what is not
// signed, not whole, or about something else.
func TestAnswers(t *testing.T) {
	t.Parallel()
	without := func(name string) message {
		m := ok(paid())
		delete(m, name)
		return m
	}
	for _, test := range []struct {
		name, answer string
		want         want
	}{
		{"good", ok(paid()).xml("xml"), want{tries: 1}},
		{"good, with HMAC-SHA256", ok(paid()).signed(true).xml("xml"), want{tries: 1}},
		{"signed with an unknown field", ok(message(merged(paid(), "tomorrow", "1"))).xml("xml"), want{tries: 1}},

		{"no sign", without("sign").xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},
		{"a sign of no known type", changed(ok(paid()), "sign", "ABCD").xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},
		{"another key's sign", changed(ok(paid()), "sign", strings.Repeat("A", 32)).xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},
		{"a value changed on the way", changed(ok(paid()), "total_fee", "1").xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},
		{"an unknown field that is not signed", changed(ok(paid()), "tomorrow", "1").xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},

		{"another merchant", message(ok(merged(paid(), "mch_id", "1900000109"))).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"another appid", ok(merged(paid(), "appid", "wx0000000000000000")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"another order", ok(merged(paid(), "out_trade_no", "order-2")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"no return_code", without("return_code").xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"no result_code", ok(merged(paid(), "result_code", "")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"no state", ok(merged(paid(), "trade_state", "")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"paid without an amount", ok(merged(paid(), "total_fee", "")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"paid without a transaction", ok(merged(paid(), "transaction_id", "")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"an amount in yuan", ok(merged(paid(), "total_fee", "1.00")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},
		{"a negative amount", ok(merged(paid(), "cash_fee", "-1")).xml("xml"), want{is: wxapi.ErrUnknown, tries: 1}},

		{"communication refused", message{"return_code": "FAIL", "return_msg": "签名错误"}.xml("xml"), want{status: 400, tries: 1}},
		{"an odd return_code", message{"return_code": "PARAM_ERROR"}.xml("xml"), want{status: 400, tries: 1}},
		{"a return_code in small letters", changed(ok(paid()), "return_code", "success").xml("xml"), want{status: 400, tries: 1}},
		{"no such order", failed("ORDERNOTEXIST").xml("xml"), want{status: 404, code: "ORDER_NOT_EXIST", tries: 1}},
		{"system error", failed("SYSTEMERROR").xml("xml"), want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR", tries: 3}},
		{"a refusal that is not signed", changed(failed("ORDERNOTEXIST"), "sign", "").xml("xml"), want{is: wxapi.ErrNotVerified, tries: 3}},
		{"an unknown code", failed("TOMORROW").xml("xml"), want{status: 400, code: "TOMORROW", tries: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, test.answer)
			_, err := w.client().Query(t.Context(), testAppID, "order-1")
			test.want.check(t, err)
			w.arrived("/pay/orderquery", test.want.tries, message{"appid": testAppID, "out_trade_no": "order-1", "sign_type": "MD5"}, false)
		})
	}
}

// What is not the XML of API v2 is no answer.
func TestAnswersHostile(t *testing.T) {
	t.Parallel()
	for name, text := range texts(t, "hostile", 30) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, string(text))
			_, err := w.client().Query(t.Context(), testAppID, "order-1")
			want{is: wxapi.ErrUnknown}.check(t, err)
		})
	}
}

// Under one merchant's key everything must still be the merchant's: a client
// reports every fault at once.
func TestConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := apiv2.New(apiv2.Config{SignType: "RSA", Calls: wxapi.Config{BaseURL: "ftp://x"}})
	const want = "apiv2: Config.MchID is required: the merchant number\n" +
		"apiv2: Config.Key is required: the APIv2 key\n" +
		"apiv2: Config.SignType is neither MD5 nor HMAC-SHA256\n" +
		"wxapi: Config.BaseURL must be like https://api.mch.weixin.qq.com"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// merged is a message with one field more or another.
func merged(m message, name, value string) message {
	m = maps.Clone(m)
	m[name] = value
	return m
}
