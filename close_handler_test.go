package wxpay_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

func (s *shop) close(no string) reply { return s.do("POST", "/pay/orders/"+no+"/close", "u1", "") }

// TestClose closes at WeChat and here, and once more is no error.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			heard := new(changes)
			s := open(t, heard.hook)
			no := s.buy(p.name, "u1").OutTradeNo
			for range 2 {
				r := s.close(no)
				if o := r.order(t); o.OutTradeNo != no || o.PayStatus != 2 || o.TradeState != "CLOSED" || o.PayTime != "" || r.Code != 200 || r.Msg != "订单已关闭" {
					t.Errorf("answer: %s", r.raw)
				}
			}
			at, _ := s.sim.Order(no)
			if o := s.stored(no); o.PayStatus != orderstore.Closed || o.ClosedAt.IsZero() || at.TradeState != "CLOSED" {
				t.Errorf("stored %+v, at WeChat %s", o, at.TradeState)
			}
			if s.sim.Requests("close") != 1 || s.sim.Requests("query") != 1 { // 关单前先查单
				t.Errorf("%d queries, %d closes", s.sim.Requests("query"), s.sim.Requests("close"))
			}
			want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed}
			if got := s.events(no); !slices.Equal(got, want) {
				t.Errorf("history %v", got)
			}
			if got := heard.all(); !slices.Equal(got, []string{"close: closed " + no + " false false"}) {
				t.Errorf("hooks heard %q", got)
			}
			if o := s.status(no); o.PayStatus != 2 || o.Stale {
				t.Errorf("status: %+v", o)
			}
			if err := s.sim.Pay(no); err == nil {
				t.Error("a closed order was paid")
			}
		})
	}
}

// TestCloseOfAPaidOrder: the customer was quicker, and wins.
func TestCloseOfAPaidOrder(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		name   string
		quiet  bool // the notification is lost
		fault  string
		atLast bool // paid only when the close is on its way
		closes int
	}{
		{name: "known"},
		{name: "unknown here", quiet: true},
		{name: "between question and close", quiet: true, atLast: true, closes: 1},
		{name: "close answers 429", quiet: true, atLast: true, fault: "status_429", closes: 3},
		{name: "close answers 500", quiet: true, atLast: true, fault: "status_500", closes: 3},
		{name: "close is never answered", quiet: true, atLast: true, fault: "reset", closes: 3},
		{name: "close is answered by nobody knows what, signed", quiet: true, atLast: true, fault: "garbage", closes: 1},
	} {
		atOnce(t, &all, c.name, func(t *testing.T) {
			var s *shop
			var no string
			s = open(t, func(o *wxpay.Options) {
				o.HTTPClient = &http.Client{Transport: line{before: func(path string) {
					if c.atLast && strings.HasSuffix(path, "/close") {
						_ = s.sim.PayQuietly(no) // the tries after the first find it paid
					}
				}}}
			})
			no = s.buy("native", "u1").OutTradeNo
			switch {
			case !c.quiet:
				s.pay(no)
			case !c.atLast:
				if err := s.sim.PayQuietly(no); err != nil {
					t.Fatal(err)
				}
			}
			if c.fault != "" {
				s.sim.Fault(wxsim.Fault{Target: "close", Fault: c.fault})
			}
			s.close(no).refused(t, 409, 409, "订单已支付")
			if o := s.stored(no); o.PayStatus != orderstore.Paid || o.TransactionID == "" {
				t.Errorf("order is %v", o.PayStatus)
			}
			if got := s.events(no); slices.Contains(got, orderstore.EventClosed) {
				t.Errorf("history %v", got)
			}
			if n := s.sim.Requests("close"); n != c.closes {
				t.Errorf("%d closes, want %d", n, c.closes)
			}
			eventually(t, "the order is handed over", func() bool { return s.grants.count(no) == 1 })
		})
	}
}

// TestCloseWhileTheCustomerPays: whoever is entering the password is not
// interrupted, and wins.
func TestCloseWhileTheCustomerPays(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.Begin(no); err != nil {
		t.Fatal(err)
	}
	s.close(no).refused(t, 429, 429, "操作过于频繁，请稍后再试")
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid {
		t.Errorf("order is %v", o.PayStatus)
	}
	s.pay(no)
	s.close(no).refused(t, 409, 409, "订单已支付")
}

// TestCloseWhenWeChatFails: "closed" is said only after WeChat said so.
func TestCloseWhenWeChatFails(t *testing.T) {
	t.Parallel()
	const down, busy = "微信支付暂时不可用，请稍后重试", "操作过于频繁，请稍后再试"
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		target, fault string
		status        int
		msg           string
	}{
		{"query", "status_500", 502, down},
		{"query", "unsigned", 502, down},
		{"query", "status_429", 429, busy},
		{"close", "status_500", 502, down},
		{"close", "status_429", 429, busy},
		{"close", "userpaying", 502, down},
	} {
		atOnce(t, &all, c.target+" "+c.fault, func(t *testing.T) {
			heard := new(changes)
			s := open(t, heard.hook)
			no := s.buy("native", "u1").OutTradeNo
			s.sim.Fault(wxsim.Fault{Target: c.target, Fault: c.fault})
			s.close(no).refused(t, c.status, c.status, c.msg)
			at, _ := s.sim.Order(no)
			if o := s.stored(no); o.PayStatus != orderstore.Unpaid || at.TradeState != "NOTPAY" {
				t.Errorf("order is %v here and %s at WeChat", o.PayStatus, at.TradeState)
			}
			if got := heard.all(); len(got) != 0 {
				t.Errorf("hooks heard %q", got)
			}
			s.sim.ClearFaults()
			if o := s.close(no).order(t); o.PayStatus != 2 {
				t.Errorf("second try: %+v", o)
			}
		})
	}
}

// TestCloseWhoseAnswerIsLost: WeChat closed and nobody heard it; a question
// finds out.
func TestCloseWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, fault := range []string{"reset", "unsigned", "bad_signature"} {
		atOnce(t, &all, fault, func(t *testing.T) {
			s := open(t)
			no := s.buy("native", "u1").OutTradeNo
			s.sim.Fault(wxsim.Fault{Target: "close", Fault: fault})
			if o := s.close(no).order(t); o.PayStatus != 2 || o.TradeState != "CLOSED" {
				t.Errorf("answer: %+v", o)
			}
			if o := s.stored(no); o.PayStatus != orderstore.Closed {
				t.Errorf("order is %v", o.PayStatus)
			}
		})
	}
}

// TestCloseBelievesNoUnsignedAnswer: a 204 that WeChat did not sign closes
// nothing, as long as WeChat says that the order is open.
func TestCloseBelievesNoUnsignedAnswer(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.HTTPClient = &http.Client{Transport: forger{}}
	})
	no := s.buy("native", "u1").OutTradeNo
	s.close(no).refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid {
		t.Errorf("order is %v", o.PayStatus)
	}
}

// forger answers closes in WeChat's place.
type forger struct{}

func (forger) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/close") {
		return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return wire.RoundTrip(r)
}

// TestCloseOfWhatWeChatNeverKnew: a young order may still be on its way there;
// an old one never will be.
func TestCloseOfWhatWeChatNeverKnew(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"))
	no := l.created()[0]
	s.close(no).refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid {
		t.Errorf("young order is %v", o.PayStatus)
	}
	s.clock.advance(time.Minute)
	if o := s.close(no).order(t); o.PayStatus != 2 {
		t.Errorf("old order: %+v", o)
	}
	if n := s.sim.Requests("close"); n != 0 {
		t.Errorf("%d closes", n)
	}
	events, err := s.store.Events(t.Context(), no)
	if err != nil || len(events) != 3 || events[2].Kind != orderstore.EventClosed || events[2].Note != "WeChat never knew the order" {
		t.Errorf("history %+v, %v", events, err)
	}
	s.do("POST", "/pay/prepay/native", "u1", named(no)).refused(t, 409, 409, "订单已关闭，请重新下单")
}

// TestCloseOfAnExpiredOrder: its time is over, and WeChat has still to be told.
func TestCloseOfAnExpiredOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	s.clock.advance(time.Hour)
	if o := s.close(no).order(t); o.PayStatus != 2 {
		t.Errorf("answer: %+v", o)
	}
	if at, _ := s.sim.Order(no); at.TradeState != "CLOSED" {
		t.Errorf("at WeChat: %s", at.TradeState)
	}
}

// TestCloseAtOnce: many closes are one close, told once.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s := open(t, heard.hook)
	no := s.buy("native", "u1").OutTradeNo
	s.sim.Fault(wxsim.Fault{Target: "query", Fault: "slow", Delay: 100 * time.Millisecond, Count: 1})
	together(8, func(int) {
		if o := s.close(no).order(t); o.PayStatus != 2 {
			t.Errorf("answer: %+v", o)
		}
	})
	want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed}
	if got := s.events(no); !slices.Equal(got, want) {
		t.Errorf("history %v", got)
	}
	if got := heard.all(); len(got) != 1 {
		t.Errorf("hooks heard %q", got)
	}
}

// TestCloseStoreFails: WeChat closed, the store did not take it. The next
// close, or question, finds out.
func TestCloseStoreFails(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	no := s.buy("native", "u1").OutTradeNo
	s.status(no) // the question before the close has nothing new to save then
	l.breakDown("save")
	s.close(no).refused(t, 503, 503, "订单服务暂时不可用，请稍后重试")
	l.breakDown()
	at, _ := s.sim.Order(no)
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid || at.TradeState != "CLOSED" {
		t.Errorf("order is %v here and %s at WeChat", o.PayStatus, at.TradeState)
	}
	s.clock.advance(2 * time.Second)
	if o := s.status(no); o.PayStatus != 2 || o.TradeState != "CLOSED" {
		t.Errorf("status: %+v", o)
	}
}

// TestPaidAfterClose: money that arrives late is not lost.
func TestPaidAfterClose(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s := open(t, heard.hook)
	no := s.buy("native", "u1").OutTradeNo
	s.close(no).order(t)
	s.payLate(no)
	if o := s.status(no); o.PayStatus != 1 || o.TradeState != "SUCCESS" || o.TradeNo == "" {
		t.Errorf("status: %+v", o)
	}
	eventually(t, "the order is handed over", func() bool { return !s.stored(no).HandedOverAt.IsZero() })
	want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed, orderstore.EventPaidLate, orderstore.EventHandedOver}
	if got := s.events(no); !slices.Equal(got, want) {
		t.Errorf("history %v, want %v", got, want)
	}
	if got := heard.all(); !slices.Equal(got, []string{"close: closed " + no + " false false", "notification: paid_late " + no + " true false"}) {
		t.Errorf("hooks heard %q", got)
	}
	if !strings.Contains(s.logs.String(), "money is not where the order says") || s.grants.count(no) != 1 {
		t.Errorf("%d grants; the log has no word of it", s.grants.count(no))
	}
	s.close(no).refused(t, 409, 409, "订单已支付")
}
