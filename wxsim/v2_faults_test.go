package wxsim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// What a client of API v2 sees of each fault, and whether WeChat did what was
// asked.
func TestV2Faults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		lost  bool   // no answer
		code  string // as resultV2.code says
		done  bool
		sign  string // good, bad, or "" for none
	}{
		{"status_500", false, "SYSTEMERROR", false, "good"},
		{"status_429", false, "FREQUENCY_LIMITED", false, "good"},
		{"timeout", true, "", true, ""},
		{"slow", false, "", true, "good"},
		{"reset", true, "", true, ""},
		{"unsigned", false, "", true, ""},
		{"bad_signature", false, "", true, "bad"},
		{"garbage", false, "FAIL ", true, ""},
		{"late", true, "", false, ""},
	} {
		for _, target := range []string{"prepay", "close", "refund"} {
			t.Run(target+" "+c.fault, func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				m := s.v2()
				do, done := s.deedV2(m, target)
				s.Fault(wxsim.Fault{Target: target, Fault: c.fault, Count: 1, Delay: 300 * time.Millisecond})
				if c.fault == "timeout" {
					go s.letGo(t)
				}
				r, err := do()
				if (err != nil) != c.lost || err == nil && (r.status != 200 || r.code() != c.code) {
					t.Errorf("%d %s %v, want %q", r.status, r.body, err, c.code)
				}
				sign := r.fields["sign"]
				good := sign == signV2(r.fields, "", m.key)
				if c.sign == "" && sign != "" || c.sign == "good" && !good || c.sign == "bad" && (good || len(sign) != 32) {
					t.Errorf("sign %q is not %q", sign, c.sign)
				}
				if html := strings.HasPrefix(string(r.body), "<html>"); html != (c.fault == "garbage") {
					t.Errorf("body %s", r.body)
				}
				if done() != c.done {
					t.Errorf("done: %v, want %v", done(), c.done)
				}
				calls := s.Calls()
				want := map[bool]int{true: 0, false: 200}[c.lost]
				if got := calls[len(calls)-1]; got.Target != target || got.Fault != c.fault || got.Status != want || !got.Authorized {
					t.Errorf("journal %+v", got)
				}
				s.Advance(300 * time.Millisecond)
				if done() != (c.done || c.fault == "late") {
					t.Errorf("done in the end: %v", done())
				}
			})
		}
	}
}

// letGo ends the waiting of a timeout fault once the call has run into it.
func (s *stage) letGo(t *testing.T) {
	for t.Context().Err() == nil {
		if calls := s.Calls(); len(calls) > 0 && calls[len(calls)-1].Fault == "timeout" {
			s.Close()
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// deedV2 prepares one call of a target, and says how to see that it was done.
func (s *stage) deedV2(m *merchantV2, target string) (do func() (resultV2, error), done func() bool) {
	post := func(path string, fields map[string]string) func() (resultV2, error) {
		return func() (resultV2, error) { return m.post(path, textV2(m.signed(fields))) }
	}
	switch target {
	case "close":
		s.placeV2(m, "order-deed", shopURL)
		return post("/pay/closeorder", map[string]string{"out_trade_no": "order-deed"}), func() bool {
			o, _ := s.Order("order-deed")
			return o.TradeState == "CLOSED"
		}
	case "refund":
		s.placeV2(m, "order-deed", shopURL)
		_ = s.PayQuietly("order-deed")
		return post(refundPathV2, refundV2("order-deed", "r-1", 1)), func() bool { return len(s.Refunds()) == 1 }
	}
	return post("/pay/unifiedorder", orderV2("NATIVE", "order-deed", shopURL)), func() bool { return len(s.Orders()) == 1 }
}

// Queries have faults, too, and a call whose sign is wrong uses none up.
func TestV2QueryFaults(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.placeV2(m, "order-asked", shopURL)
	s.Fault(wxsim.Fault{Target: "query", Fault: "status_500", Count: 1})
	s.Fault(wxsim.Fault{Target: "refund", Fault: "status_500", Count: 1})
	ask := map[string]string{"out_trade_no": "order-asked"}
	m.key = "wrong"
	if r := m.call("/pay/orderquery", ask); r.code() != "FAIL 签名错误" {
		t.Errorf("wrong sign: %s", r.body)
	}
	m.key = m.account.APIv2Key
	for path, want := range map[string]string{"/pay/orderquery": "", "/pay/refundquery": "REFUNDNOTEXIST"} {
		if r := m.call(path, ask); r.code() != "SYSTEMERROR" {
			t.Errorf("%s: %s", path, r.body)
		}
		if r := m.call(path, ask); r.code() != want {
			t.Errorf("%s again: %s", path, r.body)
		}
	}
}
