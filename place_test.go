package wxpay_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxsim"
)

// cart is the body of a prepay of the app's own order.
func cart(ref string) string { return `{"order_ref":"` + ref + `","openid":"` + openID + `"}` }

// open attempts at WeChat: numbers that a customer could pay.
func (s *shop) payable() []string {
	var open []string
	for _, o := range s.sim.Orders() {
		if o.TradeState == "NOTPAY" {
			open = append(open, o.OutTradeNo)
		}
	}
	return open
}

// TestRefSameAttempt: one order of the app, asked for again, is one order.
func TestRefSameAttempt(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	first := s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).order(t)
	again := s.do("POST", "/pay/prepay/native", "u1", cart("cart-1"), key, "any").order(t)
	if again.OutTradeNo != first.OutTradeNo || again.CodeURL != first.CodeURL {
		t.Errorf("first %+v, again %+v", first, again)
	}
	other := s.do("POST", "/pay/prepay/native", "u1", cart("cart-2")).order(t)
	if other.OutTradeNo == first.OutTradeNo {
		t.Error("two orders of the app have one number")
	}
	if o := s.stored(first.OutTradeNo); o.Ref != "cart-1" || o.Total != 250 || o.GoodsID != "" || o.Description != "购物车1" {
		t.Errorf("stored: %+v", o)
	}
	if len(l.created()) != 2 || s.sim.Requests("prepay") != 2 || s.sim.Requests("close") != 0 {
		t.Errorf("%d orders, %d prepays, %d closes", len(l.created()), s.sim.Requests("prepay"), s.sim.Requests("close"))
	}
}

// TestRefOtherAttempt: what WeChat would not take under the old number closes
// it, there and here, before there is a new one.
func TestRefOtherAttempt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, product, body string
		price               int64
		age                 time.Duration
	}{
		{"other product", "h5", cart("cart-1"), 250, 0},
		{"same endpoint at WeChat", "jsapi", cart("cart-1"), 250, 0},
		{"other price", "miniprogram", cart("cart-1"), 200, 0},
		{"other openid", "miniprogram", strings.Replace(cart("cart-1"), openID, "o2", 1), 250, 0},
		{"expired", "miniprogram", cart("cart-1"), 250, 30 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var price atomic.Int64
			price.Store(250)
			s, l := openWatched(t, func(o *wxpay.Options) {
				o.Quote = func(_ context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
					return wxpay.Quote{Total: orderstore.Fen(price.Load()), Description: "购物车"}, nil
				}
			})
			first := s.do("POST", "/pay/prepay/miniprogram", "u1", cart("cart-1")).order(t)
			price.Store(c.price)
			s.clock.advance(c.age)
			next := s.do("POST", "/pay/prepay/"+c.product, "u1", c.body).order(t)
			if next.OutTradeNo == first.OutTradeNo {
				t.Fatal("the number is the old one")
			}
			if got := s.payable(); !slices.Equal(got, []string{next.OutTradeNo}) {
				t.Errorf("open at WeChat: %v, want %s", got, next.OutTradeNo)
			}
			old, now := s.stored(first.OutTradeNo), s.stored(next.OutTradeNo)
			if old.PayStatus != orderstore.Closed || old.TradeState != "CLOSED" || now.PayStatus != orderstore.Unpaid || now.Total != orderstore.Fen(c.price) {
				t.Errorf("old %+v\nnew %+v", old, now)
			}
			want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed}
			if got := s.events(first.OutTradeNo); !slices.Equal(got, want) {
				t.Errorf("history %v, want %v", got, want)
			}
			s.do("POST", "/pay/prepay/miniprogram", "u1", named(first.OutTradeNo)).refused(t, 409, 409, "订单已关闭，请重新下单")
			if len(l.created()) != 2 {
				t.Errorf("orders %v", l.created())
			}
		})
	}
}

// TestRefPaid: the app's own order is paid once, by whichever attempt.
func TestRefPaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, product string
		pay           func(s *shop, first string)
	}{
		{"same product", "miniprogram", func(s *shop, first string) { s.pay(first) }},
		{"other product", "native", func(s *shop, first string) { s.pay(first) }},
		{"paid while nobody was told", "native", func(s *shop, first string) {
			if err := s.sim.PayQuietly(first); err != nil {
				s.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			first := s.do("POST", "/pay/prepay/miniprogram", "u1", cart("cart-1")).order(t)
			c.pay(s, first.OutTradeNo)
			s.do("POST", "/pay/prepay/"+c.product, "u1", cart("cart-1")).refused(t, 409, 409, "订单已支付")
			if o := s.stored(first.OutTradeNo); o.PayStatus != orderstore.Paid {
				t.Errorf("order is %v", o.PayStatus)
			}
			if len(l.created()) != 1 || s.sim.Requests("prepay") != 1 || s.sim.Requests("close") != 0 {
				t.Errorf("%d orders, %d prepays, %d closes", len(l.created()), s.sim.Requests("prepay"), s.sim.Requests("close"))
			}
			eventually(t, "the order is handed over", func() bool { return s.grants.count(first.OutTradeNo) == 1 })
		})
	}
}

// TestRefPaidInTheRace: the customer pays between our question and our close.
func TestRefPaidInTheRace(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, answer := range []string{"", "status_429", "status_500", "reset"} {
		atOnce(t, &all, "close answers "+answer, func(t *testing.T) {
			var s *shop
			var first string
			s, l := openWatched(t, func(o *wxpay.Options) {
				o.HTTPClient = &http.Client{Transport: line{before: func(path string) {
					if strings.HasSuffix(path, "/close") {
						_ = s.sim.PayQuietly(first) // the tries after the first find it paid
					}
				}}}
			})
			first = s.do("POST", "/pay/prepay/miniprogram", "u1", cart("cart-1")).order(t).OutTradeNo
			if answer != "" {
				s.sim.Fault(wxsim.Fault{Target: "close", Fault: answer})
			}
			s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).refused(t, 409, 409, "订单已支付")
			if o := s.stored(first); o.PayStatus != orderstore.Paid || len(l.created()) != 1 {
				t.Errorf("order is %v, %d orders", o.PayStatus, len(l.created()))
			}
		})
	}
}

// TestRefStaysOpenUntilWeChatClosed: while WeChat does not say that the old
// attempt is closed there is no new one.
func TestRefStaysOpenUntilWeChatClosed(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, target := range []string{"query", "close"} {
		atOnce(t, &all, target, func(t *testing.T) {
			s, l := openWatched(t)
			first := s.do("POST", "/pay/prepay/miniprogram", "u1", cart("cart-1")).order(t)
			s.sim.Fault(wxsim.Fault{Target: target, Fault: "status_500"})
			s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
			if o := s.stored(first.OutTradeNo); o.PayStatus != orderstore.Unpaid || len(l.created()) != 1 {
				t.Errorf("order is %v, %d orders", o.PayStatus, len(l.created()))
			}
			s.sim.ClearFaults()
			next := s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).order(t)
			if got := s.payable(); !slices.Equal(got, []string{next.OutTradeNo}) {
				t.Errorf("open at WeChat: %v", got)
			}
		})
	}
}

// TestRefOfAnotherUser is not paid, closed or shown, whatever Quote thinks.
func TestRefOfAnotherUser(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	first := s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).order(t)
	for _, product := range []string{"native", "h5"} {
		s.do("POST", "/pay/prepay/"+product, "u2", cart("cart-1")).refused(t, 403, 403, "无权操作该订单")
	}
	if o := s.stored(first.OutTradeNo); o.PayStatus != orderstore.Unpaid || len(l.created()) != 1 || s.sim.Requests("close") != 0 {
		t.Errorf("order is %v, %d orders", o.PayStatus, len(l.created()))
	}
}

// TestRefPaidLate: an older attempt that was closed and paid all the same
// stands in the way of a new payment, though a newer attempt is open.
// Law: one order of the app is paid once, over however many attempts.
func TestRefPaidLate(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"native", "h5"} {
		t.Run("then "+product, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			old := s.do("POST", "/pay/prepay/miniprogram", "u1", cart("cart-1")).order(t).OutTradeNo
			s.do("POST", "/pay/prepay/native", "u1", cart("cart-1")).order(t)
			s.payLate(old)
			s.do("POST", "/pay/prepay/"+product, "u1", cart("cart-1")).refused(t, 409, 409, "订单已支付")
		})
	}
}

// payLate is WeChat reporting the payment of an order that is closed.
func (s *shop) payLate(no string) {
	s.t.Helper()
	o := s.stored(no)
	if o.PayStatus != orderstore.Closed {
		s.t.Fatalf("%s is %v", no, o.PayStatus)
	}
	got := s.deliver(s.sim.SignNotification(map[string]any{
		"appid": o.AppID, "mchid": o.MchID, "out_trade_no": no, "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
		"transaction_id": "4200001234202601010000000001", "trade_type": "JSAPI", "bank_type": "OTHERS",
		"success_time": s.clock.Now().Format(time.RFC3339), "payer": map[string]any{"openid": openID},
		"amount": map[string]any{"total": int64(o.Total), "payer_total": int64(o.Total), "currency": "CNY", "payer_currency": "CNY"},
	}, wxsim.EventTransactionSuccess, s.url+"/pay/notify"))
	if got.status != 204 {
		s.t.Fatalf("WeChat is answered %d %s", got.status, got.raw)
	}
}

// TestRefInParallel: sixteen pages with five ways to pay never have two
// attempts open at WeChat, at no moment.
func TestRefInParallel(t *testing.T) {
	t.Parallel()
	var s *shop
	var mu sync.Mutex
	var most []string
	s = open(t, func(o *wxpay.Options) {
		o.Hooks.WeChatCall = func(c wxapi.Call) {
			now := s.payable()
			mu.Lock()
			defer mu.Unlock()
			if len(now) > len(most) {
				most = now
			}
		}
	})
	var answers [16]reply
	together(len(answers), func(i int) {
		answers[i] = s.do("POST", "/pay/prepay/"+products[i%len(products)].name, "u1",
			strings.Replace(cart("cart-1"), "{", `{"app_name":"a","app_channel":"c","device":"d",`, 1))
	})
	for i, a := range answers {
		if a.status != 200 {
			t.Errorf("%s: %d %s", products[i%len(products)].name, a.status, a.raw)
		}
	}
	if len(most) != 1 {
		t.Errorf("open at WeChat at one moment: %v", most)
	}
}

// TestRefInTwoProcesses: the same with two kits on one store. Whoever loses is
// told to try again, with an answer that says so.
func TestRefInTwoProcesses(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	shops := []*shop{s, s.another()}
	var answers [8]reply
	together(len(answers), func(i int) {
		answers[i] = shops[i%2].do("POST", "/pay/prepay/"+[]string{"native", "h5"}[i%2], "u1", cart("cart-1"))
	})
	for _, a := range answers {
		switch a.status {
		case 200, 409, 502:
		default:
			t.Errorf("answer is %d %s", a.status, a.raw)
		}
	}
	if got := s.payable(); len(got) > 1 {
		t.Errorf("open at WeChat: %v of %v", got, l.created())
	}
	for _, no := range l.created() { // and both sides agree
		at, ok := s.sim.Order(no)
		if o := s.stored(no); ok && (o.PayStatus == orderstore.Closed) != (at.TradeState == "CLOSED") {
			t.Errorf("%s is %v here and %s at WeChat", no, o.PayStatus, at.TradeState)
		}
	}
}

// TestRefOfQuote: goods can be an order of the app's own, too.
func TestRefOfQuote(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t, func(o *wxpay.Options) {
		o.Quote = func(_ context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			return wxpay.Quote{Total: 100, Description: "1个月会员", Ref: fmt.Sprint("sub-", q.UserID)}, nil
		}
	})
	a, b, c := s.buy("native", "u1"), s.buy("native", "u1"), s.buy("native", "u2")
	if a.OutTradeNo != b.OutTradeNo || a.OutTradeNo == c.OutTradeNo || len(l.created()) != 2 {
		t.Errorf("%s, %s and %s", a.OutTradeNo, b.OutTradeNo, c.OutTradeNo)
	}
	if o := s.stored(a.OutTradeNo); o.Ref != "sub-u1" || o.GoodsID != "vip-month" {
		t.Errorf("stored: %+v", o)
	}
}

// TestNumbersOfTheApp: Options.OrderNumber is used, asked again for a number
// that is taken, and never for one that WeChat would not take.
func TestNumbersOfTheApp(t *testing.T) {
	t.Parallel()
	t.Run("taken", func(t *testing.T) {
		t.Parallel()
		s, l := openWatched(t, func(o *wxpay.Options) {
			o.OrderNumber = func(user string, at time.Time) string { return fmt.Sprint("no-", user, "-", at.UnixMilli()/3) }
		})
		seen := make(map[string]bool)
		for range 5 {
			seen[s.buy("native", "u1").OutTradeNo] = true
		}
		if len(seen) != 5 || len(l.created()) != 5 {
			t.Errorf("numbers %v, orders %v", seen, l.created())
		}
	})
	t.Run("never free", func(t *testing.T) {
		t.Parallel()
		s, l := openWatched(t, func(o *wxpay.Options) {
			o.OrderNumber = func(string, time.Time) string { return "the-only-number" }
		})
		if no := s.buy("native", "u1").OutTradeNo; no != "the-only-number" {
			t.Errorf("number is %q", no)
		}
		s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).refused(t, 500, 500, "系统异常，请稍后重试")
		s.do("POST", "/pay/prepay/native", "u2", body("native", "vip-month")).refused(t, 500, 500, "系统异常，请稍后重试")
		if len(l.created()) != 1 || s.sim.Requests("prepay") != 1 {
			t.Errorf("orders %v", l.created())
		}
	})
	for _, bad := range []string{"", "short", strings.Repeat("a", 33), "订单号订单号", "a/b/c/d"} {
		t.Run("not a number "+bad, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, func(o *wxpay.Options) {
				o.OrderNumber = func(string, time.Time) string { return bad }
			})
			s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).refused(t, 500, 500, "系统异常，请稍后重试")
			s.nothingDone(l)
		})
	}
	t.Run("all characters", func(t *testing.T) {
		t.Parallel()
		s := open(t, func(o *wxpay.Options) {
			o.OrderNumber = func(string, time.Time) string { return "aZ0_-|*" }
		})
		o := s.buy("native", "u1")
		if got := s.do("GET", "/pay/orders/"+o.OutTradeNo, "u1", "").order(t); got.OutTradeNo != "aZ0_-|*" || got.Stale {
			t.Errorf("status: %+v", got)
		}
		if got := s.do("GET", o.QRURL, "u1", ""); got.status != 200 {
			t.Errorf("%s: %d", o.QRURL, got.status)
		}
		if got := s.do("POST", "/pay/orders/"+o.OutTradeNo+"/close", "u1", "").order(t); got.PayStatus != 2 {
			t.Errorf("closed: %+v", got)
		}
	})
}
