package wxsim_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// The answer is lost and the deed is late: what a query says right after, and
// what it says in the end.
func TestLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		target    string
		call      func(s *stage) (result, error)
		meanwhile func(s *stage) error
		first     string // trade_state, or code, right after
		last      string // and half a minute later
		refunds   int
	}{
		{"prepay", "prepay", latePrepay, nil, "ORDER_NOT_EXIST", "NOTPAY", 0},
		{"close", "close", lateClose, nil, "NOTPAY", "CLOSED", 0},
		{"close of an order paid meanwhile", "close", lateClose, func(s *stage) error { return s.Pay("order-late") }, "NOTPAY", "SUCCESS", 0},
		{"refund", "refund", lateRefund, nil, "SUCCESS", "REFUND", 1},
		{"refund that has become impossible", "refund", lateRefund, func(s *stage) error { s.SetBalance(false); return nil }, "SUCCESS", "SUCCESS", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			switch c.target {
			case "close":
				s.place("native", "order-late")
			case "refund":
				s.placePaid("order-late")
			}
			s.Fault(wxsim.Fault{Target: c.target, Fault: "late", Count: 1})
			if r, err := c.call(s); err == nil {
				t.Fatalf("answer %d %s", r.status, r.body)
			}
			if got := s.m.query("order-late"); got.text("trade_state")+got.code() != c.first {
				t.Errorf("right after: %s, want %s", got.body, c.first)
			}
			s.Advance(30*time.Second - 1)
			if got := s.m.query("order-late"); got.text("trade_state")+got.code() != c.first {
				t.Errorf("before its time: %s, want %s", got.body, c.first)
			}
			if c.meanwhile != nil {
				if err := c.meanwhile(s); err != nil {
					t.Fatalf("meanwhile: %v", err)
				}
			}
			s.Advance(1)
			if got := s.m.query("order-late"); got.text("trade_state")+got.code() != c.last {
				t.Errorf("in the end: %s, want %s", got.body, c.last)
			}
			if got := s.Refunds(); len(got) != c.refunds || len(got) > 0 && !got[0].CreatedAt.Equal(noon.Add(30*time.Second)) {
				t.Errorf("refunds %+v", got)
			}
		})
	}
}

func latePrepay(s *stage) (result, error) {
	return s.m.try("POST", transactions+"native", s.m.order("native", "order-late", nil))
}

func lateClose(s *stage) (result, error) {
	return s.m.try("POST", transactions+"out-trade-no/order-late/close", []byte(`{"mchid":"`+s.Account().MchID+`"}`))
}

func lateRefund(s *stage) (result, error) {
	return s.m.try("POST", refunds, s.refundBody("order-late", "r-late", 100, nil))
}

// A late refund that was tried again in time is one refund.
func TestLateRefundTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-late")
	s.Fault(wxsim.Fault{Target: "refund", Fault: "late", Count: 1, Delay: time.Hour})
	if _, err := lateRefund(s); err == nil {
		t.Fatal("the answer was not lost")
	}
	if r := s.m.call("GET", refunds+"/r-late", nil); r.status != 404 || r.code() != "RESOURCE_NOT_EXISTS" {
		t.Errorf("query: %d %s", r.status, r.body)
	}
	if r := s.refund("order-late", "r-late", 100); r.status != 200 {
		t.Errorf("again: %d %s", r.status, r.body)
	}
	s.Advance(2 * time.Hour)
	if o, _ := s.Order("order-late"); o.Refunded != 100 || len(s.Refunds()) != 1 {
		t.Errorf("refunded %d in %d refunds", o.Refunded, len(s.Refunds()))
	}
	if got := len(s.rc.arrivals()); got != 2 {
		t.Errorf("%d notifications, want one of the payment and one of the refund", got)
	}
}
