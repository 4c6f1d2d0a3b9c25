package wxsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// What a client sees of each API fault, and whether WeChat did what was asked.
func TestAPIFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  string
		status int // 0: no answer
		code   string
		done   bool
		signed string // "", good, bad
	}{
		{"status_500", 500, "SYSTEM_ERROR", false, ""},
		{"status_429", 429, "FREQUENCY_LIMITED", false, ""},
		{"timeout", 0, "", true, ""},
		{"slow", 204, "", true, "good"},
		{"reset", 0, "", true, ""},
		{"unsigned", 204, "", true, ""},
		{"bad_signature", 204, "", true, "bad"},
		{"garbage", 200, "", true, "good"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.m.prepay("native", "order-fault", nil)
			s.Fault(wxsim.Fault{Target: "close", Fault: c.fault, Count: 1, Delay: 300 * time.Millisecond})
			if c.fault == "timeout" {
				s.m.http.Timeout = time.Second
			}
			begin := time.Now()
			r, err := s.m.try("POST", transactions+"out-trade-no/order-fault/close", []byte(`{"mchid":"`+s.Account().MchID+`"}`))
			took := time.Since(begin)
			if (err != nil) != (c.status == 0) || r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %q %v, want %d %q", r.status, r.body, err, c.status, c.code)
			}
			switch signature := r.header.Get("Wechatpay-Signature"); {
			case c.signed == "" && signature != "",
				c.signed == "good" && s.m.verify(r.header, r.body) != nil,
				c.signed == "bad" && (len(signature) != 344 || s.m.verify(r.header, r.body) == nil):
				t.Errorf("signature %q is not %q", signature, c.signed)
			}
			if c.fault == "timeout" && !errors.Is(err, context.DeadlineExceeded) || c.fault == "slow" && took < 300*time.Millisecond {
				t.Errorf("%v after %v", err, took)
			}
			if c.fault == "garbage" && json.Valid(r.body) {
				t.Errorf("body %q is JSON", r.body)
			}
			want := map[bool]string{true: "CLOSED", false: "NOTPAY"}[c.done]
			if o, _ := s.Order("order-fault"); o.TradeState != want {
				t.Errorf("order is %s, want %s", o.TradeState, want)
			}
			if again := s.m.close("order-fault"); again.status != 204 { // the fault is used up
				t.Errorf("second close: %d %s", again.status, again.body)
			}
			calls := s.Calls()
			if got := calls[1]; got.Fault != c.fault || got.Status != c.status || !got.Authorized {
				t.Errorf("journal %+v", got)
			}
		})
	}
}

// The order exists after a lost prepay answer, and the same call finds it.
func TestLostPrepay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "prepay", Fault: "reset", Count: 1})
	if _, err := s.m.try("POST", transactions+"native", s.m.order("native", "order-lost", nil)); err == nil {
		t.Fatal("the answer was not lost")
	}
	if got := s.m.query("order-lost").text("trade_state"); got != "NOTPAY" {
		t.Errorf("trade_state %q", got)
	}
	s.m.prepay("native", "order-lost", nil)
	if o, _ := s.Order("order-lost"); o.Prepays != 2 {
		t.Errorf("placed %d times, want 2", o.Prepays)
	}
}

// Where a connection cannot be broken, the answer is cut short.
func TestResetWithoutHijack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "certificates", Fault: "reset"})
	wrapped := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	s.m.base = wrapped
	if r, err := s.m.try("GET", "/v3/certificates", nil); err == nil {
		t.Errorf("answer %d %q", r.status, r.body)
	}
}

// Only authorised calls use a fault up, and only of their own target.
func TestFaultTargets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, target := range []string{"prepay", "query", "close", "certificates"} {
		s.Fault(wxsim.Fault{Target: target, Fault: "status_429", Count: 1})
	}
	s.m.authorization = func(_, _, _, _, _ string) string { return "Bearer x" }
	if r := s.m.query("order-x1"); r.status != 401 {
		t.Errorf("query: %d", r.status)
	}
	s.m.authorization = nil
	for range 2 {
		s.m.call("POST", transactions+"native", s.m.order("native", "order-x1", nil))
		s.m.query("order-x1")
		s.m.close("order-x1")
		s.m.call("GET", "/v3/certificates", nil)
	}
	var got []int
	for _, c := range s.Calls() {
		got = append(got, c.Status)
	}
	if want := []int{401, 429, 429, 429, 429, 200, 200, 204, 200}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}
