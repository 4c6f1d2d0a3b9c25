package wxpay_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

const key = "Idempotency-Key"

// together runs n functions at the same time and waits for them.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

// atOnce runs a subtest beside the others of its test, however few processors
// there are: it mostly waits for the pauses between tries.
func atOnce(t *testing.T, all *sync.WaitGroup, name string, test func(t *testing.T)) {
	all.Go(func() { t.Run(name, test) })
}

// another is a second process of the shop: a kit of its own on the same store.
func (s *shop) another(change ...func(*wxpay.Options)) *shop {
	s.t.Helper()
	other := &shop{t: s.t, mux: http.NewServeMux(), store: s.store, clock: s.clock, logs: s.logs, grants: s.grants, sim: s.sim}
	server := httptest.NewServer(other.mux)
	s.t.Cleanup(server.Close)
	other.url = server.URL
	other.remount(append([]func(*wxpay.Options){func(o *wxpay.Options) { o.NotifyURL = s.url + "/pay/notify" }}, change...)...)
	return other
}

// TestParallelClicks: whoever clicks how often, one key is one order.
func TestParallelClicks(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	var answers [32]order
	together(len(answers), func(i int) {
		answers[i] = s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), key, "k1").order(t)
	})
	for i, a := range answers {
		if a.OutTradeNo != answers[0].OutTradeNo || a.CodeURL != answers[0].CodeURL || a.CodeURL == "" {
			t.Errorf("click %d: %+v, the first got %+v", i, a, answers[0])
		}
	}
	if got := l.created(); len(got) != 1 || s.sim.Requests("prepay") != 1 {
		t.Errorf("orders %v, %d prepays", got, s.sim.Requests("prepay"))
	}
	if !strings.HasPrefix(answers[0].OutTradeNo, "k") || len(answers[0].OutTradeNo) != 32 {
		t.Errorf("number is %q", answers[0].OutTradeNo)
	}
}

// TestParallelClicksInTwoProcesses: the second process waits for the first one,
// whose code would be dead if it asked for another.
func TestParallelClicksInTwoProcesses(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "slow", Delay: 300 * time.Millisecond, Count: 1})
	shops := []*shop{s, s.another()}
	var answers [16]order
	together(len(answers), func(i int) {
		answers[i] = shops[i%2].do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), key, "k1").order(t)
	})
	for i, a := range answers {
		if a.OutTradeNo != answers[0].OutTradeNo || a.CodeURL != answers[0].CodeURL || a.CodeURL == "" {
			t.Errorf("click %d: %+v, the first got %+v", i, a, answers[0])
		}
	}
	if got := l.created(); len(got) != 1 || s.sim.Requests("prepay") != 1 {
		t.Errorf("orders %v, %d prepays", got, s.sim.Requests("prepay"))
	}
}

// TestKeyOfAnotherWish: a key names one wish of one user.
func TestKeyOfAnotherWish(t *testing.T) {
	t.Parallel()
	const reused = "Idempotency-Key已用于其他请求"
	for _, c := range []struct {
		name, product, body string
	}{
		{"other goods", "miniprogram", body("miniprogram", "vip-year")},
		{"goods that do not exist", "miniprogram", body("miniprogram", "vip-decade")},
		{"other product", "native", body("native", "vip-month")},
		{"same endpoint at WeChat", "jsapi", body("jsapi", "vip-month")},
		{"other openid", "miniprogram", without("miniprogram", "openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p")},
		{"the app's own order", "miniprogram", `{"order_ref":"cart-1","openid":"` + openID + `"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			first := s.do("POST", "/pay/prepay/miniprogram", "u1", body("miniprogram", "vip-month"), key, "k1").order(t)
			s.do("POST", "/pay/prepay/"+c.product, "u1", c.body, key, "k1").refused(t, 409, 409, reused)
			s.clock.advance(3 * time.Hour) // also when the first wish cannot be paid any more
			s.do("POST", "/pay/prepay/"+c.product, "u1", c.body, key, "k1").refused(t, 409, 409, reused)
			if got := l.created(); !slices.Equal(got, []string{first.OutTradeNo}) || s.sim.Requests("prepay") != 1 {
				t.Errorf("orders %v, %d prepays", got, s.sim.Requests("prepay"))
			}
		})
	}
}

// TestKeyOfAnotherWishSendsNothing: what is refused is not sent to WeChat on
// behalf of the wish that came first, either.
func TestKeyOfAnotherWishSendsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), key, "k1").order(t)
	s.clock.advance(2 * time.Hour) // its code is dead
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-year"), key, "k1").refused(t, 409, 409, "Idempotency-Key已用于其他请求")
	if n := s.sim.Requests("prepay"); n != 1 {
		t.Errorf("%d prepays", n)
	}
}

// TestParallelWishesOfOneKey: two wishes that were both priced before either
// was stored. One of them is the order, and nobody gets the other's.
func TestParallelWishesOfOneKey(t *testing.T) {
	t.Parallel()
	goods := []string{"vip-month", "vip-year"}
	var priced sync.WaitGroup
	priced.Add(len(goods))
	s, l := openWatched(t, func(o *wxpay.Options) {
		o.Quote = func(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			priced.Done()
			priced.Wait()
			return catalog.Quote(ctx, q)
		}
	})
	var answers [2]reply
	together(len(goods), func(i int) {
		answers[i] = s.do("POST", "/pay/prepay/native", "u1", body("native", goods[i]), key, "k1")
	})
	won := 0
	for i, a := range answers {
		if a.status != 200 {
			a.refused(t, 409, 409, "Idempotency-Key已用于其他请求")
			continue
		}
		won++
		if o := s.stored(a.order(t).OutTradeNo); o.GoodsID != goods[i] || o.Total != prices[goods[i]] {
			t.Errorf("who wanted %s got %s for %v", goods[i], o.GoodsID, o.Total)
		}
	}
	if won != 1 || len(l.created()) != 1 || s.sim.Requests("prepay") != 1 {
		t.Errorf("%d got an order, orders %v, %d prepays", won, l.created(), s.sim.Requests("prepay"))
	}
}

// TestKeysOfTwoUsers do not meet, and a key is compared whole.
func TestKeysOfTwoUsers(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	seen := make(map[string]string)
	for _, c := range [][2]string{{"u1", "k1"}, {"u2", "k1"}, {"u1", "k2"}, {"u1", "K1"}, {"u", "1k1"}, {"u1k", "1"}, {"u1", strings.Repeat("k", 4000)}} {
		no := s.do("POST", "/pay/prepay/native", c[0], body("native", "vip-month"), key, c[1]).order(t).OutTradeNo
		if other := seen[no]; other != "" {
			t.Errorf("%s is the order of %s and of %s", no, other, c)
		}
		seen[no] = fmt.Sprint(c)
	}
	if n := len(l.created()); n != len(seen) {
		t.Errorf("%d orders", n)
	}
}

// TestClicksWithoutAKey are as many orders.
func TestClicksWithoutAKey(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	a, b := s.buy("native", "u1"), s.buy("native", "u1")
	if a.OutTradeNo == b.OutTradeNo || a.CodeURL == b.CodeURL || len(l.created()) != 2 {
		t.Errorf("%+v and %+v are one order", a, b)
	}
}

// TestKeyAfterwards: a key whose order has come to its end does not begin
// another one.
func TestKeyAfterwards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(s *shop, no string)
		msg  string
	}{
		{"paid", func(s *shop, no string) { s.pay(no) }, "订单已支付"},
		{"closed", func(s *shop, no string) { s.do("POST", "/pay/orders/"+no+"/close", "u1", "").order(s.t) }, "订单已关闭，请重新下单"},
		{"expired", func(s *shop, _ string) { s.clock.advance(30 * time.Minute) }, "订单已过期，请重新下单"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			click := func() reply {
				return s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), key, "k1")
			}
			no := click().order(t).OutTradeNo
			c.end(s, no)
			click().refused(t, 409, 409, c.msg)
			if len(l.created()) != 1 || s.sim.Requests("prepay") != 1 {
				t.Errorf("%d orders, %d prepays", len(l.created()), s.sim.Requests("prepay"))
			}
			if other := s.buy("native", "u1").OutTradeNo; other == no {
				t.Error("a new order has the old number")
			}
		})
	}
}

// pay is the customer paying, with WeChat's notification taken.
func (s *shop) pay(no string) {
	s.t.Helper()
	if err := s.sim.Pay(no); err != nil {
		s.t.Fatal(err)
	}
	if o := s.stored(no); o.PayStatus != orderstore.Paid {
		s.t.Fatalf("%s is %v after payment", no, o.PayStatus)
	}
}

// TestWeChatFails: whatever kept WeChat's answer away, nothing of it is
// believed, the order stays as it is, and the next try sends the same bytes
// under the same number.
func TestWeChatFails(t *testing.T) {
	t.Parallel()
	const down, busy = "微信支付暂时不可用，请稍后重试", "操作过于频繁，请稍后再试"
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		fault  string
		tries  int // how often one call to WeChat is tried
		status int
		msg    string
	}{
		{"status_500", 3, 502, down},
		{"status_429", 3, 429, busy},
		{"timeout", 3, 502, down},
		{"reset", 3, 502, down},
		{"unsigned", 3, 502, down},
		{"bad_signature", 3, 502, down},
		{"garbage", 1, 502, down},
	} {
		for _, product := range []string{"miniprogram", "native"} {
			atOnce(t, &all, c.fault+"/"+product, func(t *testing.T) {
				var price atomic.Int64
				price.Store(100)
				s, l := openWatched(t, func(o *wxpay.Options) {
					if c.fault == "timeout" { // the kit's own patience is 5 s
						o.HTTPClient = &http.Client{Transport: wire, Timeout: 500 * time.Millisecond}
					}
					o.Quote = func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
						return wxpay.Quote{Total: orderstore.Fen(price.Load()), Description: "1个月会员"}, nil
					}
				})
				s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: c.fault, Count: c.tries})
				click := func() reply {
					return s.do("POST", "/pay/prepay/"+product, "u1", body(product, "vip-month"), key, "k1")
				}
				failed := click()
				failed.refused(t, c.status, c.status, c.msg)
				if len(l.created()) != 1 {
					t.Fatalf("orders %v", l.created())
				}
				no := l.created()[0]
				if want := `{"out_trade_no":"` + no + `"}`; string(failed.Data) != want {
					t.Errorf("data is %s, want %s", failed.Data, want)
				}
				if o := s.stored(no); o.PayStatus != orderstore.Unpaid || !o.Credential.IsZero() || !o.PrepaidAt.IsZero() {
					t.Errorf("stored: %+v", o)
				}
				want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepayFailed}
				if got := s.events(no); !slices.Equal(got, want) {
					t.Errorf("history %v, want %v", got, want)
				}

				price.Store(9900) // what was ordered is ordered
				again := click().order(t)
				if again.OutTradeNo != no || again.PrepayID+again.CodeURL == "" {
					t.Errorf("the second try got %+v", again)
				}
				bodies := s.prepays()
				if len(bodies) != c.tries+1 || len(slices.Compact(bodies)) != 1 {
					t.Errorf("%d prepays: %q", len(bodies), bodies)
				}
				if len(s.sim.Orders()) != 1 || len(l.created()) != 1 || s.stored(no).Total != 100 {
					t.Errorf("%d orders at WeChat, %d here", len(s.sim.Orders()), len(l.created()))
				}
			})
		}
	}
}

// TestWeChatFailsWithoutAKey: the number in the answer leads back to the order.
func TestWeChatFailsWithoutAKey(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
	failed := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"))
	failed.refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	again := s.do("POST", "/pay/prepay/native", "u1", string(failed.Data)).order(t)
	if got := l.created(); !slices.Equal(got, []string{again.OutTradeNo}) || again.CodeURL == "" {
		t.Errorf("orders %v, the second try got %+v", got, again)
	}
}

// TestWeChatFailsThenSucceeds within one request: one order, and the customer
// notices nothing.
func TestWeChatFailsThenSucceeds(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, fault := range []string{"status_500", "reset", "unsigned", "bad_signature"} {
		atOnce(t, &all, fault, func(t *testing.T) {
			s, l := openWatched(t)
			s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: fault, Count: 2})
			o := s.buy("native", "u1")
			at, _ := s.sim.Order(o.OutTradeNo)
			if len(l.created()) != 1 || len(s.sim.Orders()) != 1 || o.CodeURL != at.CodeURL {
				t.Errorf("%d orders, %d at WeChat, code %q, WeChat's is %q", len(l.created()), len(s.sim.Orders()), o.CodeURL, at.CodeURL)
			}
			if bodies := s.prepays(); len(bodies) != 3 || len(slices.Compact(bodies)) != 1 {
				t.Errorf("prepays: %q", bodies)
			}
		})
	}
}

// TestWeChatRefuses: a refusal is not tried again by itself, says why in the
// log and nothing of it to the customer.
func TestWeChatRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*wxpay.Options)
		code   string
	}{
		{"wrong appid", func(o *wxpay.Options) { o.Merchant.AppIDJSAPI = "wx0000000000000000" }, "APPID_MCHID_NOT_MATCH"},
		{"wrong serial", func(o *wxpay.Options) { o.Merchant.CertSerial = "3" + strings.Repeat("A", 39) }, "SIGN_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, c.change)
			r := s.do("POST", "/pay/prepay/jsapi", "u1", body("jsapi", "vip-month"), key, "k1")
			r.refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
			if s.sim.Requests("prepay") != 1 || len(l.created()) != 1 || len(s.sim.Orders()) != 0 {
				t.Errorf("%d prepays, %d orders, %d at WeChat", s.sim.Requests("prepay"), len(l.created()), len(s.sim.Orders()))
			}
			o := s.stored(l.created()[0])
			events, err := s.store.Events(t.Context(), o.OutTradeNo)
			if err != nil || len(events) != 2 || events[1].Kind != orderstore.EventPrepayFailed || !strings.Contains(events[1].Note, c.code) {
				t.Errorf("history %+v, %v", events, err)
			}
			if o.PayStatus != orderstore.Unpaid || !strings.Contains(s.logs.String(), c.code) || strings.Contains(r.raw, c.code) {
				t.Errorf("order is %v; code in the log %v, in the answer %v", o.PayStatus, strings.Contains(s.logs.String(), c.code), strings.Contains(r.raw, c.code))
			}
		})
	}
}

// TestPayAgain: prepay with out_trade_no of orders in every state.
func TestPayAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		product string
		prepare func(s *shop, no string)
		ask     string // product asked for
		msg     string
	}{
		{"paid", "native", func(s *shop, no string) { s.pay(no) }, "native", "订单已支付"},
		{"closed", "native", func(s *shop, no string) { s.do("POST", "/pay/orders/"+no+"/close", "u1", "").order(s.t) }, "native", "订单已关闭，请重新下单"},
		{"expired", "native", func(s *shop, _ string) { s.clock.advance(30 * time.Minute) }, "native", "订单已过期，请重新下单"},
		{"other product", "native", func(*shop, string) {}, "h5", "该订单使用了其他支付方式，请重新下单"},
		{"same endpoint at WeChat", "miniprogram", func(*shop, string) {}, "jsapi", "该订单使用了其他支付方式，请重新下单"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			no := s.buy(c.product, "u1").OutTradeNo
			c.prepare(s, no)
			s.do("POST", "/pay/prepay/"+c.ask, "u1", named(no)).refused(t, 409, 409, c.msg)
			if len(l.created()) != 1 || s.sim.Requests("prepay") != 1 {
				t.Errorf("%d orders, %d prepays", len(l.created()), s.sim.Requests("prepay"))
			}
		})
	}
}

// TestPayAgainReplays: a credential is used as long as WeChat takes it, and
// then the frozen prepay is sent again, byte for byte, whatever goods cost and
// settings say by then.
func TestPayAgainReplays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		product string
		age     time.Duration
		prepays int
	}{
		{"native", 0, 1},
		{"native", 2*time.Hour - time.Minute, 1},
		{"native", 2 * time.Hour, 2},
		{"app", 2*time.Hour - time.Minute, 1},
		{"app", 2 * time.Hour, 2},
		{"jsapi", 2 * time.Hour, 2},
		{"miniprogram", 2 * time.Hour, 2},
		{"h5", 4 * time.Minute, 1},
		{"h5", 5 * time.Minute, 2},
	} {
		t.Run(fmt.Sprint(c.product, " after ", c.age), func(t *testing.T) {
			t.Parallel()
			var price atomic.Int64
			price.Store(100)
			s := open(t, func(o *wxpay.Options) {
				o.OrderTTL = 24 * time.Hour
				o.Quote = func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
					return wxpay.Quote{Total: orderstore.Fen(price.Load()), Description: "1个月会员"}, nil
				}
			})
			first := s.buy(c.product, "u1")
			price.Store(9900)
			s.clock.advance(c.age)
			again := s.do("POST", "/pay/prepay/"+c.product, "u1", named(first.OutTradeNo)).order(t)
			bodies := s.prepays()
			if len(bodies) != c.prepays || len(slices.Compact(bodies)) != 1 {
				t.Fatalf("%d prepays, want %d alike: %q", len(bodies), c.prepays, bodies)
			}
			same := again.PrepayID == first.PrepayID && again.CodeURL == first.CodeURL && again.H5URL == first.H5URL
			if again.OutTradeNo != first.OutTradeNo || same != (c.prepays == 1) {
				t.Errorf("first %+v, again %+v", first, again)
			}
			at, _ := s.sim.Order(first.OutTradeNo)
			if again.PrepayID+again.CodeURL+again.H5URL != s.credential(at) {
				t.Errorf("got %+v, at WeChat %+v", again, at)
			}
			if again.Pay != nil {
				s.verifyPay(c.product, again.PrepayID, again.Pay)
			}
			want := slices.Repeat([]orderstore.EventKind{orderstore.EventPrepaid}, c.prepays)
			if got := s.events(first.OutTradeNo); !slices.Equal(got[1:], want) {
				t.Errorf("history %v", got)
			}
		})
	}
}

// credential is the one that WeChat holds for good now.
func (s *shop) credential(at wxsim.Order) string {
	switch at.Product {
	case "native":
		return at.CodeURL
	case "h5":
		return at.H5URL
	}
	return at.PrepayID
}

// TestPayAgainAtOnce: many tabs with one dead code make one new code.
func TestPayAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
	no := s.buy("native", "u1").OutTradeNo
	s.clock.advance(3 * time.Hour)
	var codes [16]string
	together(len(codes), func(i int) {
		codes[i] = s.do("POST", "/pay/prepay/native", "u1", named(no)).order(t).CodeURL
	})
	if got := slices.Compact(codes[:]); len(got) != 1 || got[0] == "" || s.sim.Requests("prepay") != 2 {
		t.Errorf("codes %q, %d prepays", got, s.sim.Requests("prepay"))
	}
}

// TestPayAgainWhatWeChatClosed: an order that is over at WeChat, though not
// here, is found out when its prepay is replayed.
func TestPayAgainWhatWeChatClosed(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"native", "jsapi"} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.OrderTTL = 7 * 24 * time.Hour })
			no := s.buy(product, "u1").OutTradeNo
			paid := s.buy(product, "u1").OutTradeNo
			if err := s.sim.PayQuietly(paid); err != nil {
				t.Fatal(err)
			}
			s.clock.advance(3 * time.Hour)
			s.do("POST", "/pay/prepay/"+product, "u1", named(paid)).refused(t, 409, 409, "订单已支付")
			if o := s.stored(paid); o.PayStatus != orderstore.Paid {
				t.Errorf("order is %v", o.PayStatus)
			}
			s.sim.Advance(7 * 24 * time.Hour) // WeChat's clock alone: it closes what is a week old
			s.do("POST", "/pay/prepay/"+product, "u1", named(no)).refused(t, 409, 409, "订单已关闭，请重新下单")
			if o := s.stored(no); o.PayStatus != orderstore.Closed {
				t.Errorf("order is %v", o.PayStatus)
			}
		})
	}
}

// TestClientGoesAway in the middle of a prepay: the order is finished for the
// next click, and nobody is woken up.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	sent, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s, l := openWatched(t, func(o *wxpay.Options) {
		o.HTTPClient = &http.Client{Transport: line{before: func(string) { once.Do(func() { close(sent); <-release }) }}}
	})
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/pay/prepay/native", strings.NewReader(body("native", "vip-month")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-User", "u1")
	req.Header.Set(key, "k1")
	gone := make(chan error)
	go func() {
		_, err := client.Do(req)
		gone <- err
	}()
	<-sent
	leave()
	if err := <-gone; err == nil {
		t.Fatal("the client was answered")
	}
	eventually(t, "the request is over", func() bool { return strings.Contains(s.logs.String(), "request answered") })
	close(release)
	no := l.created()[0]
	eventually(t, "the order has its code", func() bool { return s.stored(no).CodeURL != "" })
	again := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), key, "k1").order(t)
	if again.OutTradeNo != no || s.sim.Requests("prepay") != 1 || again.CodeURL == "" {
		t.Errorf("second click got %+v, %d prepays", again, s.sim.Requests("prepay"))
	}
	if strings.Contains(s.logs.String(), `"level":"ERROR"`) {
		t.Error("a client that goes away is an error in the log, though nobody can act")
	}
}
