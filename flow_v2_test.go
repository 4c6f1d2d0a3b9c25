package wxpay_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// atV2 makes a shop one whose account has API v2 and nothing else.
func (s *shop) atV2(o *wxpay.Options) {
	acct := s.sim.Account()
	o.API = wxpay.APIv2
	o.Merchant = wxpay.Merchant{
		MchID: acct.MchID, AppID: acct.AppID, AppIDApp: acct.AppIDApp, AppIDJSAPI: acct.AppIDJSAPI,
		APIv2Key: acct.APIv2Key, APIBase: s.sim.URL(),
	}
}

// bothAPIs adds the key of API v2 to an account.
func (s *shop) bothAPIs(o *wxpay.Options) { o.Merchant.APIv2Key = s.sim.Account().APIv2Key }

// openV2 is a shop at API v2.
func openV2(t *testing.T, change ...func(*wxpay.Options)) *shop {
	t.Helper()
	s := &shop{
		t: t, mux: http.NewServeMux(), store: quiet{memory.New()}, clock: new(clock), logs: new(buffer),
		grants: &grants{of: make(map[string]int)},
	}
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.sim = wxsim.Start(t, wxsim.Config{Now: s.clock.Now})
	s.remount(append([]func(*wxpay.Options){s.atV2}, change...)...)
	return s
}

// verifyPayV2 checks what a client's SDK of API v2 checks.
func (s *shop) verifyPayV2(product string, o order, signType string) {
	s.t.Helper()
	acct := s.sim.Account()
	got := v2(o.Pay)
	want := v2{"package": "prepay_id=" + o.PrepayID, "signType": signType, "timeStamp": got["timeStamp"], "nonceStr": got["nonceStr"], "appId": acct.AppID}
	sign := got["paySign"]
	switch product {
	case "jsapi":
		want["appId"] = acct.AppIDJSAPI
	case "app":
		want = v2{
			"appid": acct.AppIDApp, "partnerid": acct.MchID, "prepayid": o.PrepayID, "package": "Sign=WXPay",
			"noncestr": got["noncestr"], "timestamp": got["timestamp"],
		}
		sign = got["sign"]
	}
	if sign == "" || sign != want.sign(acct.APIv2Key, signType == "HMAC-SHA256") {
		s.t.Errorf("%s: pay %v is not signed as API v2 has it", product, got)
	}
	for name, value := range want {
		if value == "" || got[name] != value && (product != "miniprogram" || name != "appId") {
			s.t.Errorf("%s: %s is %q, want %q", product, name, got[name], value)
		}
	}
	if product == "miniprogram" && got["appId"] != "" {
		s.t.Error("wx.requestPayment takes no appId")
	}
}

// TestFlowV2: every product from prepay to the refund, at an account that has
// API v2 only.
func TestFlowV2(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"jsapi", "miniprogram", "app", "h5", "native"} {
		for _, signType := range []wxcrypto.SignType{wxcrypto.SignMD5, wxcrypto.SignHMACSHA256} {
			t.Run(product+" "+string(signType), func(t *testing.T) {
				t.Parallel()
				s := openV2(t, func(o *wxpay.Options) { o.SignTypeV2 = signType })
				o := s.buy(product, "u1")
				if !apiv2.IsFrozen(s.stored(o.OutTradeNo).PrepayRequest) {
					t.Fatal("the order was not placed through API v2")
				}
				if at, _ := s.sim.Order(o.OutTradeNo); at.NotifyURL != s.url+"/pay/notify/v2" {
					t.Errorf("WeChat is to report to %s", at.NotifyURL)
				}
				switch product {
				case "h5":
					if o.H5URL == "" {
						t.Error("no h5_url")
					}
				case "native":
					if o.CodeURL == "" || o.QRURL == "" {
						t.Error("no code_url")
					}
				default:
					s.verifyPayV2(product, o, string(signType))
					again := s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+o.OutTradeNo+`"}`).order(t)
					s.verifyPayV2(product, again, string(signType))
				}
				if err := s.sim.Pay(o.OutTradeNo); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the grant", func() bool { return s.grants.count(o.OutTradeNo) == 1 })
				sent := lastOf(s.sim.Notifications())
				if sent.Status != http.StatusOK || sent.Attempt != 1 {
					t.Errorf("notification: %+v", sent)
				}
				s.give(o.OutTradeNo, `{"refund":30,"out_refund_no":"back-1"}`).refund(t)
				s.sim.Advance(time.Minute)
				eventually(t, "the refund", func() bool { return s.grants.returned("back-1") == 1 })
				if sent := lastOf(s.sim.Notifications()); sent.Status != http.StatusOK || sent.Attempt != 1 {
					t.Errorf("refund's notification: %+v", sent)
				}
				if got := s.stored(o.OutTradeNo); got.Refunded != 30 || got.RefundStatus != orderstore.RefundSuccess {
					t.Errorf("refunded %v, %s", got.Refunded, got.RefundStatus)
				}
			})
		}
	}
}

// TestFlowV2LostNotification: API v2 is asked as well.
func TestFlowV2LostNotification(t *testing.T) {
	t.Parallel()
	s := openV2(t)
	o := s.buy("native", "u1")
	if err := s.sim.PayQuietly(o.OutTradeNo); err != nil {
		t.Fatal(err)
	}
	if got := s.status(o.OutTradeNo); got.PayStatus != 1 || got.TradeState != "SUCCESS" {
		t.Errorf("status %+v", got)
	}
}

// TestFlowV2Close: closed here once it is closed there; money that is quicker
// wins.
func TestFlowV2Close(t *testing.T) {
	t.Parallel()
	s := openV2(t)
	no := s.buy("native", "u1").OutTradeNo
	if r := s.close(no); r.status != http.StatusOK || s.stored(no).PayStatus != orderstore.Closed {
		t.Errorf("closing answered %d %s", r.status, r.raw)
	}
	if at, _ := s.sim.Order(no); at.TradeState != "CLOSED" {
		t.Errorf("at WeChat it is %s", at.TradeState)
	}
	paid := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(paid); err != nil {
		t.Fatal(err)
	}
	s.close(paid).refused(t, 409, 409, "订单已支付")
	if s.stored(paid).PayStatus != orderstore.Paid {
		t.Error("the money was lost")
	}
}

// TestFlowV2CloseTooEarly: WeChat may refuse to close in the first five minutes.
// The order stays open, and nobody hurries.
func TestFlowV2CloseTooEarly(t *testing.T) {
	t.Parallel()
	s := openV2(t)
	no := s.buy("native", "u1").OutTradeNo
	s.sim.Fault(wxsim.Fault{Target: "close", Fault: "too_early", Count: 1})
	before := s.sim.Requests("close")
	s.close(no).refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	if n := s.sim.Requests("close") - before; n != 1 || s.stored(no).PayStatus != orderstore.Unpaid {
		t.Errorf("%d tries to close, order %v", n, s.stored(no).PayStatus)
	}
}

// TestChangeOfAPI: an order that was placed through one API is signed, asked
// for a new credential, paid and refunded after the shop has changed to the
// other.
func TestChangeOfAPI(t *testing.T) {
	t.Parallel()
	for _, from := range []wxpay.API{wxpay.APIv3, wxpay.APIv2} {
		s := open(t)
		use := func(api wxpay.API) *shop {
			return s.another(s.bothAPIs, func(o *wxpay.Options) { o.API, o.OrderTTL = api, 5*time.Hour })
		}
		before, after := use(from), use(1-from)
		o := before.buy("jsapi", "u1")
		frozen := s.stored(o.OutTradeNo).PrepayRequest
		if apiv2.IsFrozen(frozen) != (from == wxpay.APIv2) {
			t.Fatalf("frozen %.20s", frozen)
		}
		s.clock.advance(3 * time.Hour) // the prepay_id has grown old
		again := after.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+o.OutTradeNo+`"}`).order(t)
		if from == wxpay.APIv2 {
			after.verifyPayV2("jsapi", again, "MD5")
		} else {
			after.verifyPay("jsapi", again.PrepayID, again.Pay)
		}
		if at, _ := s.sim.Order(o.OutTradeNo); at.Prepays != 2 {
			t.Errorf("placed %d times", at.Prepays)
		}
		if err := s.sim.PayQuietly(o.OutTradeNo); err != nil {
			t.Fatal(err)
		}
		if got := after.status(o.OutTradeNo); got.PayStatus != 1 {
			t.Errorf("status %+v", got)
		}
		after.give(o.OutTradeNo, `{"refund":30,"out_refund_no":"back-`+o.OutTradeNo+`"}`).refund(t)
		if r, ok := s.sim.Refund("back-" + o.OutTradeNo); !ok || r.Refund != 30 {
			t.Errorf("refund at WeChat %+v", r)
		}
	}
}

// TestFlowV2Certificate: WeChat takes refunds only from who presents the
// merchant's certificate; without one the refund waits.
func TestFlowV2Certificate(t *testing.T) {
	t.Parallel()
	s := openV2(t)
	overTLS := httptest.NewUnstartedServer(s.sim)
	overTLS.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	overTLS.StartTLS()
	t.Cleanup(overTLS.Close)
	no, other := s.bought(), s.bought()
	acct := s.sim.Account()
	secure := func(o *wxpay.Options) {
		s.atV2(o)
		o.Merchant.APIBase, o.HTTPClient = overTLS.URL, overTLS.Client()
	}
	bare := s.another(secure)
	bare.give(no, `{"refund":30,"out_refund_no":"back-1"}`)
	r, _ := s.stored(no).Refund("back-1")
	if len(s.sim.Refunds()) != 0 || r.Status != orderstore.RefundApplying || r.Problem != "UNREACHABLE" {
		t.Errorf("without a certificate: %+v", r)
	}
	certified := s.another(secure, func(o *wxpay.Options) {
		o.Merchant.Certificate = certificate(t, merchantKey(t, acct.PrivateKeyPEM), acct.SerialNo)
		o.Merchant.PrivateKey = acct.PrivateKeyPEM
	})
	certified.give(other, `{"refund":20,"out_refund_no":"back-2"}`)
	if r, ok := s.sim.Refund("back-2"); !ok || r.Refund != 20 {
		t.Errorf("with one: %+v", r)
	}
}

// TestFlowV2Attach: API v2 takes one byte less, and a quote that has more is
// told of by its own name.
func TestFlowV2Attach(t *testing.T) {
	t.Parallel()
	attach := strings.Repeat("a", 127)
	s := openV2(t, func(o *wxpay.Options) {
		o.Quote = func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
			return wxpay.Quote{Total: 1, Description: "x", Attach: attach}, nil
		}
	})
	if got := s.stored(s.buy("native", "u1").OutTradeNo); got.Attach != attach {
		t.Errorf("attach %q", got.Attach)
	}
	attach += "a"
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).refused(t, 500, 500, "查询商品信息失败")
}

// TestChangeOfAPIWithoutKeys: what only the keys of API v3 can sign is refused;
// what needs no signature still shows the customer how to pay.
func TestChangeOfAPIWithoutKeys(t *testing.T) {
	t.Parallel()
	s := open(t)
	toSign, toScan := s.buy("jsapi", "u1"), s.buy("native", "u1")
	later := s.another(s.atV2)
	later.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+toSign.OutTradeNo+`"}`).refused(t, 500, 500, "系统异常，请稍后重试")
	if !strings.Contains(s.logs.String(), "this needs API v3") {
		t.Error("the log does not say what is missing")
	}
	again := later.do("POST", "/pay/prepay/native", "u1", `{"out_trade_no":"`+toScan.OutTradeNo+`"}`).order(t)
	if again.CodeURL != toScan.CodeURL {
		t.Errorf("code_url %q, want %q", again.CodeURL, toScan.CodeURL)
	}
}
