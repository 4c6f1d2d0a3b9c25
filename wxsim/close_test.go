package wxsim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// While the customer enters the password a close has to wait.
func TestCloseWhilePaying(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		then   func(s *stage) error
		status int // of a close afterwards
		code   string
		state  string
	}{
		{"still paying", func(*stage) error { return nil }, 429, "FREQUENCY_LIMITED", "NOTPAY"},
		{"paid", func(s *stage) error { return s.Pay("order-begun") }, 400, "ORDER_PAID", "SUCCESS"},
		{"cancelled", func(s *stage) error { return s.Cancel("order-begun") }, 204, "", "CLOSED"},
		{"failed", func(s *stage) error { return s.Fail("order-begun") }, 204, "", "CLOSED"},
		{"out of time", func(s *stage) error { s.Advance(10 * time.Minute); return nil }, 204, "", "CLOSED"},
		{"out of time altogether", func(s *stage) error { s.Advance(8 * 24 * time.Hour); return nil }, 204, "", "CLOSED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.m.prepay("native", "order-begun", map[string]any{"notify_url": s.rc.url, "time_expire": "2026-11-21T12:10:00+08:00"})
			if err := s.Begin("order-begun"); err != nil {
				t.Fatalf("begin: %v", err)
			}
			if got := s.m.query("order-begun").text("trade_state"); got != "NOTPAY" {
				t.Errorf("while paying it reads %s", got)
			}
			if err := c.then(s); err != nil {
				t.Fatalf("then: %v", err)
			}
			if r := s.m.close("order-begun"); r.status != c.status || r.code() != c.code {
				t.Errorf("close: %d %s, want %d %q", r.status, r.body, c.status, c.code)
			}
			o, _ := s.Order("order-begun")
			if o.TradeState != c.state || o.Paying != (c.status == 429) {
				t.Errorf("order %+v", o)
			}
		})
	}
}

func TestBeginRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.place("native", "order-closed")
	s.m.close("order-closed")
	for no, want := range map[string]error{"order-paid": wxsim.ErrPaid, "order-closed": wxsim.ErrClosed, "order-none": wxsim.ErrNoOrder} {
		if err := s.Begin(no); !errors.Is(err, want) {
			t.Errorf("begin %s: %v, want %v", no, err, want)
		}
		if err := s.PayDuringClose(no); !errors.Is(err, want) {
			t.Errorf("pay during close %s: %v, want %v", no, err, want)
		}
	}
}

// The customer is quicker than the close, by one order or by a fault.
func TestPayDuringClose(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(s *stage) error{
		"method": func(s *stage) error { return s.PayDuringClose("order-race") },
		"fault": func(s *stage) error {
			s.Fault(wxsim.Fault{Target: "close", Fault: "paid_first", Count: 1})
			return s.Begin("order-race")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.place("native", "order-race")
			s.place("native", "order-other")
			if err := arrange(s); err != nil {
				t.Fatalf("arrange: %v", err)
			}
			if got := s.m.query("order-race").text("trade_state"); got != "NOTPAY" {
				t.Errorf("before the close it reads %s", got)
			}
			for range 2 {
				if r := s.m.close("order-race"); r.status != 400 || r.code() != "ORDER_PAID" {
					t.Errorf("close: %d %s", r.status, r.body)
				}
			}
			if r := s.m.close("order-other"); r.status != 204 {
				t.Errorf("close of another order: %d %s", r.status, r.body)
			}
			s.Advance(0) // waits for the send
			if got := s.Notifications(); len(got) != 1 || got[0].OutTradeNo != "order-race" || !got[0].Accepted {
				t.Errorf("sends %+v", got)
			}
		})
	}
}

// What cannot be paid is closed, however quick the customer is.
func TestPaidFirstTooLate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-race", map[string]any{"time_expire": "2026-11-21T12:01:00+08:00"})
	if err := s.PayDuringClose("order-race"); err != nil {
		t.Fatalf("arrange: %v", err)
	}
	s.Advance(time.Minute)
	if r := s.m.close("order-race"); r.status != 204 {
		t.Errorf("close: %d %s", r.status, r.body)
	}
}

func TestCloseUserPaying(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-open")
	s.Fault(wxsim.Fault{Target: "close", Fault: "userpaying", Count: 1})
	if r := s.m.close("order-open"); r.status != 202 || r.code() != "USERPAYING" || r.header.Get("Wechatpay-Signature") == "" {
		t.Errorf("answer %d %s", r.status, r.body)
	}
	if r := s.m.close("order-open"); r.status != 204 {
		t.Errorf("second close: %d %s", r.status, r.body)
	}
}
