package wxpay_test

import (
	"context"
	"errors"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// cashier opens the page of an order.
func (s *shop) cashier(no, user string, header ...string) reply {
	s.t.Helper()
	return s.do("GET", "/pay/orders/"+no+"/cashier", user, "", header...)
}

var (
	stateOf  = regexp.MustCompile(`<main id="cashier" data-state="(\w+)"`)
	statusOf = regexp.MustCompile(`<h1[^>]*>([^<]*)</h1>`)
)

// page is a page for people: state is empty for one without an order.
func (r reply) page(t testing.TB, status int, state, heading string) {
	t.Helper()
	if r.status != status || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("answer is %d %s %s", r.status, r.header.Get("Content-Type"), r.raw)
	}
	if got := group(stateOf, r.raw); got != state {
		t.Errorf("state %q, want %q", got, state)
	}
	if got := html.UnescapeString(group(statusOf, r.raw)); got != heading {
		t.Errorf("heading %q, want %q", got, heading)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Vary": "Accept-Language, User-Agent",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if csp := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
}

func group(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// TestCashierStates: the page says where the order stands, and offers to pay
// only what can be paid.
func TestCashierStates(t *testing.T) {
	t.Parallel()
	refund := func(fen string) func(*shop, string) {
		return func(s *shop, no string) {
			s.pay(no)
			s.do("POST", "/pay/orders/"+no+"/refunds", "admin", `{"refund":`+fen+`}`)
		}
	}
	for _, c := range []struct {
		name             string
		prepare          func(s *shop, no string)
		state, zh, en    string
		key              string
		offered, stalely bool
	}{
		{"waiting", func(*shop, string) {}, "waiting", "等待支付", "Waiting for payment", "0,,0,false", true, false},
		{"paid", func(s *shop, no string) { s.pay(no) }, "paid", "支付成功", "Paid", "1,,0,false", false, false},
		{"paid, but no notification came", func(s *shop, no string) { _ = s.sim.PayQuietly(no) }, "paid", "支付成功", "Paid", "1,,0,false", false, false},
		{"closed", func(s *shop, no string) { s.close(no).order(s.t) }, "closed", "订单已关闭", "Order closed", "2,,0,false", false, false},
		{"expired", func(s *shop, _ string) {
			s.sim.Fault(wxsim.Fault{Target: "close", Fault: "status_500"})
			s.clock.advance(31 * time.Minute)
		}, "expired", "支付时间已过", "The time to pay is over", "0,,0,false", false, false},
		{"being refunded", refund("40"), "refunding", "退款中", "Being refunded", "1,PROCESSING,0,false", false, false},
		{"WeChat does not answer", func(s *shop, _ string) { s.sim.Fault(wxsim.Fault{Target: "query", Fault: "status_500"}) }, "waiting", "等待支付", "Waiting for payment", "0,,0,true", true, true},
		{"refunded in part", func(s *shop, no string) {
			refund("40")(s, no)
			s.sim.Advance(time.Minute)
			eventually(s.t, "the refund", func() bool { return s.stored(no).Refunded == 40 })
		}, "paid", "支付成功", "Paid", "1,SUCCESS,40,false", false, false},
		{"refunded", func(s *shop, no string) {
			refund("100")(s, no)
			s.sim.Advance(time.Minute)
			eventually(s.t, "the refund", func() bool { return s.stored(no).Refunded == 100 })
		}, "refunded", "已退款", "Refunded", "1,SUCCESS,100,false", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.buy("native", "u1").OutTradeNo
			c.prepare(s, no)
			r := s.cashier(no, "u1")
			r.page(t, 200, c.state, c.zh)
			s.cashier(no, "u1", "Accept-Language", "en").page(t, 200, c.state, c.en)
			if !strings.Contains(r.raw, `data-key="`+c.key+`"`) {
				t.Errorf("no key %s in %s", c.key, r.raw)
			}
			if got := strings.Contains(r.raw, "qr.svg"); got != c.offered {
				t.Errorf("a code to scan: %v", got)
			}
			if got := strings.Contains(r.raw, `class="stale"`); got != c.stalely {
				t.Errorf("said to be stale: %v", got)
			}
		})
	}
}

// TestCashierRefuses: a person who may not see an order gets a page that says
// why, and nothing of the order.
func TestCashierRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	for _, c := range []struct {
		name, no, user string
		status         int
		zh, en, hint   string
	}{
		{"nobody is signed in", no, "", 401, "请先登录", "please sign in", "登录后"},
		{"another's order", no, "u2", 403, "无权操作该订单", "this order is not yours", "换用下单的账号"},
		{"the admin may refund it, not pay it", no, "admin", 403, "无权操作该订单", "this order is not yours", "换用下单的账号"},
		{"no such order", "20260101000000000", "u1", 404, "订单不存在", "no such order", "检查链接"},
		{"no number", "x", "u1", 404, "订单不存在", "no such order", "检查链接"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := s.cashier(c.no, c.user)
			r.page(t, c.status, "", c.zh)
			s.cashier(c.no, c.user, "Accept-Language", "en").page(t, c.status, "", c.en)
			if !strings.Contains(r.raw, c.hint) || strings.Contains(r.raw, "1个月会员") || strings.Contains(r.raw, no) {
				t.Error(r.raw)
			}
		})
	}
	s.do("POST", "/pay/orders/"+no+"/cashier", "u1", "").refused(t, 405, 405, "请求方法不被允许")
}

// TestCashierWhenTheStoreFails: a page, too.
func TestCashierWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.Store = brokenGet{o.Store} })
	s.cashier("20260101000000000", "u1").page(t, 503, "", "订单服务暂时不可用，请稍后重试")
}

// TestCashierFresh: what stands on the page can be used. A code or link that has
// grown old is replaced by the same prepay, byte for byte; when WeChat gives
// none the page says so.
func TestCashierFresh(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		product string
		life    time.Duration
	}{{"native", 2 * time.Hour}, {"h5", 5 * time.Minute}} {
		t.Run(c.product, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
			no := s.buy(c.product, "u1").OutTradeNo
			shows := func() string {
				o := s.stored(no)
				r := s.cashier(no, "u1")
				r.page(t, 200, "waiting", "等待支付")
				switch {
				case strings.Contains(r.raw, `data-trouble="true"`) && !strings.Contains(r.raw, "qr.svg") && !strings.Contains(r.raw, `id="h5"`):
					return "trouble"
				case c.product == "h5" && strings.Contains(r.raw, html.EscapeString(s.stored(no).H5URL)):
					return s.stored(no).H5URL
				case c.product == "native":
					return group(regexp.MustCompile(`qr\.svg\?v=(\w+)`), r.raw)
				}
				t.Fatalf("%+v: %s", o.Credential, r.raw)
				return ""
			}
			first := shows()
			if again := shows(); again != first {
				t.Errorf("%q became %q", first, again)
			}
			s.clock.advance(c.life)
			s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500"})
			if got := shows(); got != "trouble" {
				t.Errorf("without a code: %q", got)
			}
			s.sim.ClearFaults()
			s.clock.advance(time.Minute)
			if later := shows(); later == first || later == "trouble" {
				t.Errorf("%q later: %q", first, later)
			}
			for _, body := range s.prepays()[1:] {
				if body != s.prepays()[0] {
					t.Errorf("prepays differ: %q", s.prepays())
				}
			}
		})
	}
}

// TestCashierPlacesNothing: products that show no code ask for no prepay, and
// neither does an order that cannot be paid.
func TestCashierPlacesNothing(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"jsapi", "miniprogram", "app"} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
			no := s.buy(product, "u1").OutTradeNo
			s.clock.advance(3 * time.Hour)
			s.cashier(no, "u1").page(t, 200, "waiting", "等待支付")
			if n := s.sim.Requests("prepay"); n != 1 {
				t.Errorf("%d prepays", n)
			}
		})
	}
}

// TestCashierReferrer: WeChat must be told the origin for H5, and nobody the
// whole address.
func TestCashierReferrer(t *testing.T) {
	t.Parallel()
	s := open(t)
	for product, want := range map[string]string{
		"native": "no-referrer", "app": "no-referrer", "miniprogram": "no-referrer", "h5": "strict-origin", "jsapi": "strict-origin",
	} {
		r := s.cashier(s.buy(product, "u1").OutTradeNo, "u1")
		if got := r.header.Get("Referrer-Policy"); got != want {
			t.Errorf("%s: %q, want %q", product, got, want)
		}
		if got := strings.Contains(r.header.Get("Content-Security-Policy"), "frame-src weixin:"); got != (product == "jsapi") {
			t.Errorf("%s: frames of WeChat's bridge allowed: %v", product, got)
		}
	}
	if got := s.cashier("20260101000000000", "u1").header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("notice: %q", got)
	}
}

// TestCashierInside: what the browser is, and where the customer comes from,
// changes what is offered.
func TestCashierInside(t *testing.T) {
	t.Parallel()
	const weChat = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50"
	s := open(t)
	h5, jsapi := s.buy("h5", "u1").OutTradeNo, s.buy("jsapi", "u1").OutTradeNo
	for _, c := range []struct{ name, no, query, agent, want, none string }{
		{"h5 in a browser", h5, "", "", "去微信支付", "您付好了吗"},
		{"h5, come back", h5, "?back=1", "", "您付好了吗？", "去微信支付"},
		{"h5 inside WeChat", h5, "", weChat, "在浏览器中打开", `id="h5"`},
		{"jsapi inside WeChat", jsapi, "", weChat, "点击下面的按钮", `class="hint">请在微信里打开`},
		{"jsapi in a browser", jsapi, "", "", `class="hint">请在微信里打开`, "点击下面的按钮"},
	} {
		r := s.do("GET", "/pay/orders/"+c.no+"/cashier"+c.query, "u1", "", "User-Agent", c.agent)
		if !strings.Contains(r.raw, c.want) || strings.Contains(r.raw, c.none) {
			t.Errorf("%s: %s", c.name, r.raw)
		}
	}
}

// TestCashierTheme: an app's own name, picture, colour and way on.
func TestCashierTheme(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.Cashier = wxpay.Cashier{
			Title: "小店 & Co", LogoURL: "https://cdn.example.com/logo.png", Accent: "#ffcc00",
			ReturnURL: func(o wxpay.Order) string { return "/done?no=" + o.OutTradeNo },
		}
	})
	no := s.buy("native", "u1").OutTradeNo
	r := s.cashier(no, "u1")
	for _, want := range []string{"小店 &amp; Co</span>", `src="https://cdn.example.com/logo.png"`, "--accent:#ffcc00;--on-accent:#000"} {
		if !strings.Contains(r.raw, want) {
			t.Errorf("no %s", want)
		}
	}
	if !strings.Contains(r.header.Get("Content-Security-Policy"), "img-src 'self' https://cdn.example.com;") {
		t.Error(r.header.Get("Content-Security-Policy"))
	}
	s.pay(no)
	if r := s.cashier(no, "u1"); !strings.Contains(r.raw, `id="done" href="/done?no=`+no+`"`) {
		t.Error(r.raw)
	}
}

// brokenGet is a store that cannot be read.
type brokenGet struct{ orderstore.Store }

var errBroken = errors.New("the disk is gone")

func (brokenGet) Get(context.Context, string) (orderstore.Order, error) {
	return orderstore.Order{}, errBroken
}
