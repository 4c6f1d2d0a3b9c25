package apiv2_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func request() wxapi.PrepayRequest {
	return wxapi.PrepayRequest{
		AppID: testAppID, MchID: testMchID, Description: "1个月会员 <&>", OutTradeNo: "order-1", Attach: "a]]>b",
		TimeExpire: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), NotifyURL: "https://shop.example.com/pay/notify/v2",
		Amount: wxapi.Amount{Total: 100, Currency: "CNY"}, Payer: &wxapi.Payer{OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
		SceneInfo: &wxapi.SceneInfo{PayerClientIP: "203.0.113.7", H5Info: &wxapi.H5Info{Type: "Wap"}},
	}
}

// frozen is what every product keeps.
func frozen(more message) message {
	m := message{
		"appid": testAppID, "mch_id": testMchID, "sign_type": "MD5", "body": "1个月会员 <&>", "out_trade_no": "order-1",
		"attach": "a]]>b", "fee_type": "CNY", "total_fee": "100", "spbill_create_ip": "203.0.113.7",
		"time_expire": "20260102110405", "notify_url": "https://shop.example.com/pay/notify/v2",
	}
	maps.Copy(m, more)
	return m
}

func TestPrepay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		product wxapi.Product
		sends   message
		answer  message
		want    wxapi.Credential
	}{
		{
			wxapi.JSAPI, message{"trade_type": "JSAPI", "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
			message{"prepay_id": "wx20"}, wxapi.Credential{PrepayID: "wx20"},
		},
		{wxapi.App, message{"trade_type": "APP"}, message{"prepay_id": "wx20"}, wxapi.Credential{PrepayID: "wx20"}},
		{
			wxapi.H5, message{"trade_type": "MWEB", "scene_info": `{"h5_info":{"type":"Wap"}}`},
			message{"prepay_id": "wx20", "mweb_url": "https://wx.tenpay.com/x?a=1&b=2"}, wxapi.Credential{H5URL: "https://wx.tenpay.com/x?a=1&b=2"},
		},
		{
			wxapi.Native, message{"trade_type": "NATIVE", "product_id": "order-1"},
			message{"prepay_id": "wx20", "code_url": "weixin://wxpay/x"}, wxapi.Credential{CodeURL: "weixin://wxpay/x"},
		},
	} {
		t.Run(string(test.product), func(t *testing.T) {
			t.Parallel()
			w := answering(t, ok(test.answer).xml("xml"))
			c := w.client()
			body, err := c.EncodePrepay(test.product, request())
			if err != nil {
				t.Fatal(err)
			}
			if kept := readMessage(t, body); !maps.Equal(kept, frozen(test.sends)) {
				t.Errorf("frozen %v", kept)
			}
			if again, err := c.EncodePrepay(test.product, request()); err != nil || string(again) != string(body) {
				t.Errorf("the same request gave %s, %v", again, err)
			}
			if !apiv2.IsFrozen(string(body)) || apiv2.SignTypeOf(string(body)) != wxcrypto.SignMD5 {
				t.Errorf("not known again: %s", body)
			}
			for range 2 {
				got, err := c.Prepay(t.Context(), test.product, body)
				if err != nil || got != test.want {
					t.Errorf("%+v, %v", got, err)
				}
			}
			w.arrived("/pay/unifiedorder", 2, frozen(test.sends), false)
		})
	}
}

// How a frozen order is signed is frozen with it.
func TestPrepaySignType(t *testing.T) {
	t.Parallel()
	w := answering(t, ok(message{"prepay_id": "wx20"}).signed(true).xml("xml"))
	body, err := w.client(func(c *apiv2.Config) { c.SignType = wxcrypto.SignHMACSHA256 }).EncodePrepay(wxapi.App, request())
	if err != nil {
		t.Fatal(err)
	}
	if got := apiv2.SignTypeOf(string(body)); got != wxcrypto.SignHMACSHA256 {
		t.Errorf("sign type %s", got)
	}
	if _, err := w.client().Prepay(t.Context(), wxapi.App, body); err != nil { // this one would sign new orders with MD5
		t.Error(err)
	}
	w.arrived("/pay/unifiedorder", 1, frozen(message{"trade_type": "APP", "sign_type": "HMAC-SHA256"}), true)
}

func TestEncodePrepayUnknownAddress(t *testing.T) {
	t.Parallel()
	c := answering(t, "").client()
	r := request()
	r.SceneInfo = nil
	body, err := c.EncodePrepay(wxapi.Native, r)
	if err != nil || readMessage(t, body)["spbill_create_ip"] != "127.0.0.1" {
		t.Errorf("%s, %v", body, err)
	}
}

// TestEncodePrepayFaults changes one thing in a good request.
func TestEncodePrepayFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		product wxapi.Product
		change  func(*wxapi.PrepayRequest)
		want    string
	}{
		{"no appid", wxapi.App, func(r *wxapi.PrepayRequest) { r.AppID = "" }, "appid is missing"},
		{"another merchant", wxapi.App, func(r *wxapi.PrepayRequest) { r.MchID = "1900000109" }, "mch_id is another merchant's"},
		{"no price", wxapi.App, func(r *wxapi.PrepayRequest) { r.Amount.Total = 0 }, "amount.total is less than 1 fen"},
		{"long description", wxapi.App, func(r *wxapi.PrepayRequest) { r.Description = strings.Repeat("a", 128) }, "body is longer than 127"},
		{"long attach", wxapi.App, func(r *wxapi.PrepayRequest) { r.Attach = strings.Repeat("a", 128) }, "attach is longer than 127"},
		{"attach with a control character", wxapi.App, func(r *wxapi.PrepayRequest) { r.Attach = "\x01" }, "attach has characters that XML cannot carry"},
		{"no openid", wxapi.JSAPI, func(r *wxapi.PrepayRequest) { r.Payer = nil }, "openid is missing"},
		{"no scene", wxapi.H5, func(r *wxapi.PrepayRequest) { r.SceneInfo = nil }, "scene_info.h5_info is missing"},
		{"no product", "micropay", func(*wxapi.PrepayRequest) {}, "no such product"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := request()
			test.change(&r)
			body, err := answering(t, "").client().EncodePrepay(test.product, r)
			if body != nil || !errors.Is(err, wxapi.ErrRequest) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %v, want %s", body, err, test.want)
			}
		})
	}
}

func TestPrepayErrors(t *testing.T) {
	t.Parallel()
	good := func(c *apiv2.Client) []byte {
		body, err := c.EncodePrepay(wxapi.App, request())
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	for _, test := range []struct {
		name    string
		product wxapi.Product
		answer  message
		body    func(*apiv2.Client) []byte
		want    want
	}{
		{"no credential in the answer", wxapi.App, ok(nil), good, want{is: wxapi.ErrUnknown, tries: 1}},
		{"paid already", wxapi.App, failed("ORDERPAID"), good, want{status: 400, code: "ORDER_PAID", tries: 1}},
		{"closed", wxapi.App, failed("ORDERCLOSED"), good, want{status: 400, code: "ORDER_CLOSED", tries: 1}},
		{"number used", wxapi.App, failed("OUT_TRADE_NO_USED"), good, want{status: 400, code: "OUT_TRADE_NO_USED", tries: 1}},
		{"no permission", wxapi.App, failed("NOAUTH"), good, want{status: 403, code: "NO_AUTH", tries: 1}},
		{"sign refused", wxapi.App, failed("SIGNERROR"), good, want{status: 401, code: "SIGN_ERROR", tries: 1}},
		{"too many", wxapi.App, failed("FREQUENCY_LIMITED"), good, want{status: 429, code: "FREQUENCY_LIMITED", tries: 3}},
		{"frozen for another product", wxapi.Native, ok(nil), good, want{is: wxapi.ErrRequest}},
		{"frozen for API v3", wxapi.App, ok(nil), func(*apiv2.Client) []byte { return []byte(`{"appid":"x"}`) }, want{is: wxapi.ErrRequest}},
		{"frozen for another merchant", wxapi.App, ok(nil), func(*apiv2.Client) []byte {
			return []byte(frozen(message{"trade_type": "APP", "mch_id": "1900000109", "attach": "a"}).xml("xml"))
		}, want{is: wxapi.ErrRequest}},
		{"frozen to be signed in no known way", wxapi.App, ok(nil), func(*apiv2.Client) []byte {
			return []byte(frozen(message{"trade_type": "APP", "sign_type": "RSA", "attach": "a"}).xml("xml"))
		}, want{is: wxapi.ErrRequest}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := answering(t, test.answer.xml("xml"))
			c := w.client()
			got, err := c.Prepay(t.Context(), test.product, test.body(c))
			test.want.check(t, err)
			if got != (wxapi.Credential{}) || w.requests() != test.want.tries {
				t.Errorf("%+v after %d tries, want %d", got, w.requests(), test.want.tries)
			}
		})
	}
}
