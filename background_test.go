package wxpay_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestNotificationNeverCame: nobody asks and nothing was heard, and the order
// becomes paid and is handed over at its first appointment all the same.
func TestNotificationNeverCame(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(4 * time.Second)
	time.Sleep(100 * time.Millisecond) // several rounds of Run
	if n := s.sim.Requests("query"); n != 0 {
		t.Errorf("asked %d times before the appointment", n)
	}
	s.clock.advance(2 * time.Second)
	eventually(t, "the order is handed over", func() bool { return s.grants.count(no) == 1 })
	if o := s.stored(no); o.PayStatus != orderstore.Paid {
		t.Errorf("order is %v", o.PayStatus)
	}
	events, err := s.store.Events(t.Context(), no)
	if err != nil || len(events) < 3 || events[2].Kind != orderstore.EventPaid || events[2].Source != orderstore.FromQuery {
		t.Errorf("history %+v, %v", events, err)
	}
}

// TestExpiredOrder is closed at both sides, with nobody asking for it.
func TestExpiredOrder(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	no := s.buy("native", "u1").OutTradeNo
	s.clock.advance(29 * time.Minute)
	eventually(t, "WeChat is asked once more", func() bool { return s.sim.Requests("query") > 0 })
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid {
		t.Fatalf("before its time is over the order is %v", o.PayStatus)
	}
	s.clock.advance(2 * time.Minute)
	eventually(t, "the order is closed", func() bool { return s.stored(no).PayStatus == orderstore.Closed })
	if o, _ := s.sim.Order(no); o.TradeState != "CLOSED" {
		t.Errorf("at WeChat it is %s", o.TradeState)
	}
	if want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed}; !slices.Equal(s.events(no), want) {
		t.Errorf("history %v, want %v", s.events(no), want)
	}
}

// TestExpiredButPaid: the customer paid in the last second, WeChat's word was
// lost, and the closing finds out. The payment wins.
func TestExpiredButPaid(t *testing.T) {
	t.Parallel()
	s := open(t, loud, func(o *wxpay.Options) { o.RunInterval = time.Hour })
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(31 * time.Minute)
	other := s.buy("native", "u2").OutTradeNo // its payment wakes the worker
	if err := s.sim.Pay(other); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the order is handed over", func() bool { return s.grants.count(no) == 1 })
	if o, _ := s.sim.Order(no); o.TradeState != "SUCCESS" {
		t.Errorf("at WeChat it is %s", o.TradeState)
	}
}

// TestNeverReachedWeChat: the process died between the write and the prepay.
// WeChat does not know the order, and it is closed here when its time is over.
func TestNeverReachedWeChat(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500"})
	r := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), "Idempotency-Key", "k1")
	if r.status != 502 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	orders, err := s.store.Due(t.Context(), s.clock.Now().Add(time.Hour), 10)
	if err != nil || len(orders) != 1 {
		t.Fatalf("due: %v, %v", orders, err)
	}
	s.clock.advance(31 * time.Minute)
	eventually(t, "the order is closed", func() bool { return s.stored(orders[0].OutTradeNo).PayStatus == orderstore.Closed })
	if n := s.sim.Requests("close"); n != 0 {
		t.Errorf("WeChat was asked %d times to close what it does not know", n)
	}
}

// TestCloseRacesThePayment: WeChat answers the close of an expired order with
// an error because the customer is paying; the payment is not lost.
func TestCloseRacesThePayment(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	no := s.buy("native", "u1").OutTradeNo
	s.sim.Fault(wxsim.Fault{Target: "close", Fault: "status_429"})
	s.clock.advance(31 * time.Minute)
	eventually(t, "a try to close", func() bool { return s.sim.Requests("close") > 0 })
	if o := s.stored(no); o.PayStatus != orderstore.Unpaid {
		t.Errorf("the order is %v though WeChat has not closed it", o.PayStatus)
	}
	s.sim.ClearFaults()
	s.clock.advance(time.Hour)
	eventually(t, "the order is closed", func() bool { return s.stored(no).PayStatus == orderstore.Closed })
}
