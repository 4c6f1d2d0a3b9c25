package wxsim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// What a correct receiver sees of each notify fault: status per send at first,
// and after the schedule's first 15 s.
func TestNotifyFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault   string
		first   []int                  // statuses before Pay returns
		later   []int                  // statuses after 15 s more
		check   func(d delivered) bool // of the first arrival
		genuine bool
	}{
		{"drop", []int{0}, []int{0, 204}, func(d delivered) bool { return d.genuine == nil }, true},
		{"duplicate", []int{204, 204}, []int{204, 204}, func(d delivered) bool { return d.genuine == nil }, true},
		{"probe", []int{401, 204}, []int{401, 204}, func(d delivered) bool {
			return strings.HasPrefix(d.header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/")
		}, false},
		{"forge", []int{401}, []int{401, 204}, func(d delivered) bool { return d.total() == 100 }, false},
		{"wrong_amount", []int{204}, []int{204, 204}, func(d delivered) bool { return d.genuine == nil && d.total() == 1 }, true},
		{"old_timestamp", []int{401}, []int{401, 204}, func(d delivered) bool {
			return d.header.Get("Wechatpay-Timestamp") < fmt.Sprint(noon.Add(-10*time.Minute).Unix())
		}, false},
		{"wrong_key", []int{401}, []int{401, 204}, func(d delivered) bool { return d.total() == 100 }, false},
		{"delay", nil, []int{204}, func(d delivered) bool { return d.genuine == nil }, true},
		{"reorder", nil, []int{204}, func(d delivered) bool { return d.genuine == nil }, true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Fault(wxsim.Fault{Target: "notify", Fault: c.fault, Count: 1, Delay: 10 * time.Second})
			s.placePaid("order-faulty")
			if got := seconds(s.statuses("order-faulty")); !slices.Equal(got, c.first) {
				t.Errorf("statuses %v, want %v", got, c.first)
			}
			s.Advance(15 * time.Second)
			if got := seconds(s.statuses("order-faulty")); !slices.Equal(got, c.later) {
				t.Errorf("statuses after 15 s %v, want %v", got, c.later)
			}
			arrived := s.rc.arrivals()
			if !c.check(arrived[0]) || (arrived[0].genuine == nil) != c.genuine {
				t.Errorf("first arrival: %+v", arrived[0])
			}
			last := arrived[len(arrived)-1]
			if last.genuine != nil || last.total() != 100 {
				t.Errorf("last arrival is not the genuine one: %+v", last)
			}
			if notes := s.Notifications(); notes[0].Fault != c.fault && c.fault != "delay" && c.fault != "reorder" {
				t.Errorf("record does not name the fault: %+v", notes[0])
			}
		})
	}
}

// seconds lists the second numbers of pairs.
func seconds(pairs [][2]int) []int {
	var out []int
	for _, p := range pairs {
		out = append(out, p[1])
	}
	return out
}

// A wrong amount differs even from an order of one fen.
func TestWrongAmountOfOneFen(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "notify", Fault: "wrong_amount", Count: 1})
	s.m.prepay("native", "order-fen", map[string]any{"notify_url": s.rc.url, "amount": map[string]any{"total": 1}})
	if err := s.Pay("order-fen"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	if got := s.rc.arrivals(); len(got) != 1 || got[0].total() != 2 {
		t.Errorf("arrivals %+v", got)
	}
}

// A receiver that accepts a forged notification still gets the genuine one.
func TestForgedAnswerDoesNotCount(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.rc.answerWith(200)
	s.Fault(wxsim.Fault{Target: "notify", Fault: "wrong_key", Count: 1})
	s.placePaid("order-gullible")
	s.Advance(15 * time.Second)
	if got := s.Notifications(); len(got) != 2 || got[0].Accepted || !got[1].Accepted {
		t.Errorf("record %+v", got)
	}
}

func TestNotifyDelayAndOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "notify", Fault: "delay", Count: 1, Delay: time.Hour})
	s.placePaid("order-delayed")
	s.Fault(wxsim.Fault{Target: "notify", Fault: "reorder", Count: 1})
	s.placePaid("order-overtaken")
	s.placePaid("order-overtaking")
	s.Advance(2 * time.Hour)
	var got []string
	for _, n := range s.Notifications() {
		got = append(got, fmt.Sprint(n.OutTradeNo, " ", n.Attempt, " ", n.At.Sub(noon)))
	}
	want := []string{"order-overtaking 1 0s", "order-overtaken 1 0s", "order-delayed 1 1h0m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("sends %q, want %q", got, want)
	}
}

// Faults queue up, clear, and strike by chance repeatably.
func TestFaultsInTurn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "query", Fault: "status_500", Count: 2})
	s.Fault(wxsim.Fault{Target: "query", Fault: "status_429"})
	var got []int
	for range 4 {
		got = append(got, s.m.query("order-x1").status)
	}
	s.ClearFaults()
	got = append(got, s.m.query("order-x1").status)
	if want := []int{500, 500, 429, 429, 404}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}

func TestFaultRate(t *testing.T) {
	t.Parallel()
	strikes := func(seed int64) (out []int) {
		s := newStage(t, wxsim.Config{Seed: seed})
		s.Fault(wxsim.Fault{Target: "query", Fault: "status_500", Rate: 0.3})
		for i := range 200 {
			if s.m.query("order-x1").status == 500 {
				out = append(out, i)
			}
		}
		return out
	}
	a, b, other := strikes(11), strikes(11), strikes(12)
	if !slices.Equal(a, b) {
		t.Errorf("the same seed strikes at %v and at %v", a, b)
	}
	if slices.Equal(a, other) {
		t.Error("two seeds strike alike")
	}
	if len(a) < 30 || len(a) > 90 {
		t.Errorf("%d strikes of 200 at a rate of 0.3", len(a))
	}
}

// complainer is a TB that remembers.
type complainer struct {
	*testing.T
	said []string
}

func (c *complainer) Fatalf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

// A fault that does not exist fails the test that asked for it.
func TestFaultUnknown(t *testing.T) {
	t.Parallel()
	for _, f := range []wxsim.Fault{
		{Target: "notfiy", Fault: "drop"}, {Target: "notify", Fault: "status_500"}, {Target: "query", Fault: "drop"},
		{Target: "keys", Fault: "lose"}, {Target: "query", Fault: "slow", Rate: 1.1}, {Target: "query", Fault: "slow", Count: -1},
		{Target: "query", Fault: "slow", Delay: -1}, {},
	} {
		c := &complainer{T: t}
		wxsim.Start(c).Fault(f)
		if len(c.said) != 1 {
			t.Errorf("fault %+v: said %q", f, c.said)
		}
	}
}

// Each re-send can be hit anew, also one that had been put off.
func TestNotifyDelayTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.rc.answerWith(500)
	s.Fault(wxsim.Fault{Target: "notify", Fault: "delay", Count: 2, Delay: time.Minute})
	s.placePaid("order-delayed")
	s.Advance(3 * time.Minute)
	var got []time.Duration
	for _, n := range s.Notifications() {
		got = append(got, n.At.Sub(noon))
	}
	if want := []time.Duration{60 * time.Second, 135 * time.Second, 150 * time.Second, 180 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("sent at %v, want %v", got, want)
	}
}
