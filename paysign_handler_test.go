package wxpay_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestPaySign: a customer who cancelled gets parameters that were never used
// before, for the prepay_id there is.
func TestPaySign(t *testing.T) {
	t.Parallel()
	for _, p := range products[:3] { // app, jsapi, miniprogram
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			placed := s.buy(p.name, "u1")
			if err := s.sim.Cancel(placed.OutTradeNo); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{placed.Pay["nonceStr"] + placed.Pay["noncestr"]: true}
			for range 3 {
				r := s.do("POST", "/pay/paysign", "u1", named(placed.OutTradeNo))
				if got := keys(t, r.Data); !slices.Equal(got, []string{"out_trade_no", "pay", "prepay_id"}) || r.Code != 200 || r.Msg != "成功" {
					t.Errorf("answer is %s", r.raw)
				}
				o := r.order(t)
				if got := slices.Sorted(maps.Keys(o.Pay)); !slices.Equal(got, p.pay) {
					t.Errorf("pay has %v, want %v", got, p.pay)
				}
				if o.OutTradeNo != placed.OutTradeNo || o.PrepayID != placed.PrepayID {
					t.Errorf("signed %+v, placed %+v", o, placed)
				}
				s.verifyPay(p.name, placed.PrepayID, o.Pay)
				nonce := o.Pay["nonceStr"] + o.Pay["noncestr"]
				if seen[nonce] {
					t.Errorf("nonce %s was used before", nonce)
				}
				seen[nonce] = true
			}
			if n := len(s.sim.Calls()); n != 1 {
				t.Errorf("%d calls to WeChat", n)
			}
		})
	}
}

// TestPaySignReplays: past the two hours of a prepay_id the frozen prepay is
// sent again.
func TestPaySignReplays(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"app", "jsapi", "miniprogram"} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
			placed := s.buy(product, "u1")
			s.clock.advance(2 * time.Hour)
			o := s.do("POST", "/pay/paysign", "u1", named(placed.OutTradeNo)).order(t)
			at, _ := s.sim.Order(placed.OutTradeNo)
			if o.PrepayID == placed.PrepayID || o.PrepayID != at.PrepayID || s.stored(placed.OutTradeNo).PrepayID != o.PrepayID {
				t.Errorf("prepay_id %q, placed with %q, WeChat has %q", o.PrepayID, placed.PrepayID, at.PrepayID)
			}
			s.verifyPay(product, at.PrepayID, o.Pay)
			if bodies := s.prepays(); len(bodies) != 2 || bodies[0] != bodies[1] {
				t.Errorf("prepays: %q", bodies)
			}
		})
	}
}

// TestPaySignAfterAFailedPrepay: the order has no prepay_id yet, and gets one.
func TestPaySignAfterAFailedPrepay(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 6})
	s.do("POST", "/pay/prepay/app", "u1", body("app", "vip-month"))
	no := l.created()[0]
	s.do("POST", "/pay/paysign", "u1", named(no)).refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	o := s.do("POST", "/pay/paysign", "u1", named(no)).order(t)
	s.verifyPay("app", o.PrepayID, o.Pay)
	if len(s.sim.Orders()) != 1 {
		t.Errorf("%d orders at WeChat", len(s.sim.Orders()))
	}
}

func TestPaySignRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, product string
		prepare       func(s *shop, no string)
		msg           string
	}{
		{"h5", "h5", func(*shop, string) {}, "该支付方式无需签名"},
		{"native", "native", func(*shop, string) {}, "该支付方式无需签名"},
		{"paid", "jsapi", func(s *shop, no string) { s.pay(no) }, "订单已支付"},
		{"closed", "jsapi", func(s *shop, no string) { s.do("POST", "/pay/orders/"+no+"/close", "u1", "").order(s.t) }, "订单已关闭，请重新下单"},
		{"expired", "jsapi", func(s *shop, _ string) { s.clock.advance(30 * time.Minute) }, "订单已过期，请重新下单"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.buy(c.product, "u1").OutTradeNo
			c.prepare(s, no)
			s.do("POST", "/pay/paysign", "u1", named(no)).refused(t, 409, 409, c.msg)
			if n := s.sim.Requests("prepay"); n != 1 {
				t.Errorf("%d prepays", n)
			}
		})
	}
	t.Run("bad bodies", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		no := s.buy("jsapi", "u1").OutTradeNo
		s.do("POST", "/pay/paysign", "u1", `{}`).refused(t, 400, 301, "缺少参数out_trade_no")
		s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":7}`).refused(t, 400, 301, "参数out_trade_no格式错误")
		s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":`).refused(t, 400, 301, "请求体不是有效的JSON")
		s.do("POST", "/pay/paysign", "u1", named(no), "Content-Type", "text/plain").refused(t, 415, 415, "请求体须为application/json")
	})
}

// TestPaySignStoreFails after WeChat has answered: the customer is not sent to
// pay what is not written down.
func TestPaySignStoreFails(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
	placed := s.buy("jsapi", "u1")
	s.clock.advance(3 * time.Hour)
	l.breakDown("save")
	s.do("POST", "/pay/paysign", "u1", named(placed.OutTradeNo)).refused(t, 503, 503, "订单服务暂时不可用，请稍后重试")
	l.breakDown()
	if o := s.stored(placed.OutTradeNo); o.PrepayID != placed.PrepayID || o.PayStatus != orderstore.Unpaid {
		t.Errorf("stored: %+v", o)
	}
	o := s.do("POST", "/pay/paysign", "u1", named(placed.OutTradeNo)).order(t)
	at, _ := s.sim.Order(placed.OutTradeNo)
	s.verifyPay("jsapi", at.PrepayID, o.Pay)
}
