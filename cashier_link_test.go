package wxpay_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/internal/seal"
)

// token is what a link of an order has in its query.
func (s *shop) token(no string, life time.Duration) string {
	s.t.Helper()
	link, err := url.Parse(s.kit.CashierLink(no, life))
	if err != nil {
		s.t.Fatal(err)
	}
	return link.Query().Get("t")
}

// TestCashierLink: nobody is signed in, and the order can be seen and paid.
func TestCashierLink(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, user := range []string{"", "u2"} {
		no := s.do("POST", "/pay/prepay/native", "u1", cart("cart-7"+user)).order(t).OutTradeNo
		link := s.kit.CashierLink(no, time.Hour)
		if !strings.HasPrefix(link, "/pay/orders/"+no+"/cashier?t=") {
			t.Fatalf("link is %q", link)
		}
		query := "?t=" + s.token(no, time.Hour)
		r := s.do("GET", link, user, "")
		r.page(t, 200, "waiting", "等待支付")
		if !strings.Contains(r.raw, "qr.svg"+query+"&amp;v=") {
			t.Error("the code on the page cannot be had by whom the page is for")
		}
		if r := s.do("GET", "/pay/orders/"+no+"/qr.svg"+query, user, ""); r.status != 200 || r.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("code: %d %s", r.status, r.raw)
		}
		s.pay(no)
		s.do("GET", link, user, "").page(t, 200, "paid", "支付成功")
	}
}

// TestCashierLinkNumbers: any number can be in a path.
func TestCashierLinkNumbers(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.OrderNumber = func(string, time.Time) string { return "a|b*c_d-1" }
	})
	s.buy("native", "u1")
	link := s.kit.CashierLink("a|b*c_d-1", time.Hour)
	if !strings.HasPrefix(link, "/pay/orders/a%7Cb%2Ac_d-1/cashier?t=") {
		t.Errorf("link is %q", link)
	}
	s.do("GET", link, "", "").page(t, 200, "waiting", "等待支付")
}

// TestCashierLinkSays: whether it is paid, and nothing that is only the owner's
// or the app's.
func TestCashierLinkSays(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.Cashier.ReturnURL = func(o wxpay.Order) string { return "/of/" + o.UserID }
	})
	no := s.do("POST", "/pay/prepay/native", "u1", cart("cart-7")).order(t).OutTradeNo
	s.pay(no)
	s.do("POST", "/pay/orders/"+no+"/refunds", "admin", `{"refund":1,"reason":"秘密"}`)
	r := s.do("GET", "/pay/orders/"+no+"?t="+s.token(no, time.Hour), "", "")
	r.order(t)
	var said map[string]json.RawMessage
	if err := json.Unmarshal(r.Data, &said); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"order_ref", "goods_id", "refunds"} {
		if said[name] != nil {
			t.Errorf("%s is %s", name, said[name])
		}
	}
	if string(said["trade_no"]) != `""` || string(said["refund_status"]) != `"PROCESSING"` || string(said["amount"]) != `"2.50元"` {
		t.Errorf("said %s", r.Data)
	}
	if owner := s.do("GET", "/pay/orders/"+no+"?t="+s.token(no, time.Hour), "u1", ""); !strings.Contains(owner.raw, `"order_ref":"cart-7"`) || !strings.Contains(owner.raw, "秘密") {
		t.Errorf("the owner, with a link: %s", owner.raw)
	}
	page := s.do("GET", s.kit.CashierLink(no, time.Hour), "", "").raw
	for _, private := range []string{"/of/", "u1", "cart-7", "秘密", s.stored(no).TransactionID} {
		if strings.Contains(page, private) {
			t.Errorf("%q stands on the page", private)
		}
	}
	if !strings.Contains(s.do("GET", s.kit.CashierLink(no, time.Hour), "u1", "").raw, `href="/of/u1"`) {
		t.Error("the owner is not led on")
	}
}

// TestCashierLinkRefuses: each token but the order's own, in its time.
func TestCashierLinkRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	no, other := s.buy("native", "u1").OutTradeNo, s.buy("native", "u1").OutTradeNo
	key, err := seal.New(s.sim.Account().APIv3Key)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := seal.New(strings.Repeat("x", 32))
	if err != nil {
		t.Fatal(err)
	}
	later, good := s.clock.Now().Add(time.Hour), s.token(no, time.Hour)
	const broken, over, brokenEn, overEn = "支付链接无效", "支付链接已过期", "this payment link is not valid", "this payment link has expired"
	for _, c := range []struct{ name, token, zh, en string }{
		{"another order's", s.token(other, time.Hour), broken, brokenEn},
		{"another purpose", key.Seal("oauth state", "", later), broken, brokenEn},
		{"another purpose of this number", key.Seal(no, "", later), broken, brokenEn},
		{"another app's", foreign.Seal("cashier link "+no, "", later), broken, brokenEn},
		{"over", s.token(no, -time.Minute), over, overEn},
		{"another order's, and over", s.token(other, -time.Minute), broken, brokenEn},
		{"tampered", strings.ToUpper(good[:8]) + strings.ToLower(good[8:]), broken, brokenEn},
		{"cut", good[:len(good)-3], broken, brokenEn},
		{"no token at all", "x", broken, brokenEn},
	} {
		for _, user := range []string{"", "u2"} {
			query := "?t=" + url.QueryEscape(c.token)
			path := "/pay/orders/" + no
			r := s.do("GET", path+"/cashier"+query, user, "")
			r.page(t, 403, "", c.zh)
			if !strings.Contains(r.raw, "要一个新的") {
				t.Errorf("%s: %s", c.name, r.raw)
			}
			s.do("GET", path+"/cashier"+query, user, "", "Accept-Language", "en").page(t, 403, "", c.en)
			for _, file := range []string{"", "/qr.svg", "/qr.png", "/live"} {
				s.do("GET", path+file+query, user, "").refused(t, 403, 403, c.zh)
			}
			s.do("POST", "/pay/paysign"+query, user, named(no)).refused(t, 403, 403, c.zh)
		}
		s.do("GET", "/pay/orders/"+no+"/cashier?t="+url.QueryEscape(c.token), "u1", "").page(t, 200, "waiting", "等待支付") // the owner needs none
	}
}

// TestCashierLinkEnds at its hour.
func TestCashierLinkEnds(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Second)
	var passed atomic.Int64
	s := open(t, func(o *wxpay.Options) { o.Now = func() time.Time { return at.Add(time.Duration(passed.Load())) } })
	no := s.buy("native", "u1").OutTradeNo
	link := s.kit.CashierLink(no, 10*time.Minute)
	passed.Store(int64(10 * time.Minute))
	s.do("GET", link, "", "").page(t, 200, "waiting", "等待支付")
	passed.Add(int64(time.Second))
	s.do("GET", link, "", "").page(t, 403, "", "支付链接已过期")
}

// TestCashierLinkPays: whoever holds the link may pay this very order, and
// change nothing else.
func TestCashierLinkPays(t *testing.T) {
	t.Parallel()
	s := open(t)
	placed := s.buy("jsapi", "u1")
	no, other := placed.OutTradeNo, s.buy("jsapi", "u1").OutTradeNo
	query := "?t=" + s.token(no, time.Hour)
	r := s.do("POST", "/pay/paysign"+query, "", named(no)).order(t)
	s.verifyPay("jsapi", placed.PrepayID, r.Pay)
	s.do("POST", "/pay/paysign"+query, "", named(other)).refused(t, 403, 403, "支付链接无效")
	s.do("POST", "/pay/paysign", "", named(no)).refused(t, 401, 401, "请先登录")
	s.do("POST", "/pay/paysign"+query, "", named(no), "Sec-Fetch-Site", "cross-site").refused(t, 403, 403, "请求来源不被允许")

	s.do("POST", "/pay/orders/"+no+"/close"+query, "", "").refused(t, 401, 401, "请先登录")
	s.do("POST", "/pay/orders/"+no+"/close"+query, "u2", "").refused(t, 403, 403, "无权操作该订单")
	s.do("POST", "/pay/prepay/jsapi"+query, "", named(no)).refused(t, 401, 401, "请先登录")
	s.do("POST", "/pay/prepay/jsapi"+query, "u2", named(no)).refused(t, 403, 403, "无权操作该订单")
	s.pay(no)
	s.do("POST", "/pay/orders/"+no+"/refunds"+query, "", `{"refund":1}`).refused(t, 401, 401, "请先登录")
	s.do("POST", "/pay/orders/"+no+"/refunds"+query, "u2", `{"refund":1}`).refused(t, 403, 403, "无权操作该订单")
	s.do("GET", "/pay/orders/"+no+"/events"+query, "", "").refused(t, 401, 401, "请先登录")
	s.do("GET", "/pay/orders/"+no+"/refunds/refund-1"+query, "", "").refused(t, 401, 401, "请先登录")
	if strings.Contains(s.logs.String(), query[len("?t="):]) {
		t.Error("a token stands in the log")
	}
}
