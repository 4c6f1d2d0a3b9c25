package wxsim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// A payment out of nowhere is in the bill and in a query; nobody was told.
func TestStrayPayment(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	if err := s.AddStrayPayment("stray-0001", 5, noon.Add(time.Hour)); err != nil {
		t.Fatalf("stray: %v", err)
	}
	o, _ := s.Order("stray-0001")
	bill := s.bill("")
	if !strings.Contains(bill, "`2026-11-21 13:00:00,`"+o.AppID+",`"+o.MchID+",`0,`,`"+o.TransactionID+",`stray-0001,`"+o.OpenID+",`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.05,") ||
		!strings.Contains(bill, "`4,`1235.61,") {
		t.Errorf("bill %s", bill)
	}
	if r := s.m.query("stray-0001"); r.text("trade_state") != "SUCCESS" || r.text("transaction_id") != o.TransactionID {
		t.Errorf("query %s", r.body)
	}
	s.Advance(time.Hour)
	for _, n := range s.Notifications() {
		if n.OutTradeNo == "stray-0001" {
			t.Errorf("notified %+v", n)
		}
	}
}

func TestStrayPaymentRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-known")
	if err := s.AddStrayPayment("order-known", 1, time.Time{}); !errors.Is(err, wxsim.ErrOrderExists) {
		t.Errorf("known number: %v", err)
	}
	for name, err := range map[string]error{
		"short number": s.AddStrayPayment("stray", 1, time.Time{}),
		"bad number":   s.AddStrayPayment("stray.0001", 1, time.Time{}),
		"no money":     s.AddStrayPayment("stray-0001", 0, time.Time{}),
		"tomorrow":     s.AddStrayPayment("stray-0001", 1, noon.Add(time.Second)),
	} {
		if err == nil || errors.Is(err, wxsim.ErrOrderExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := len(s.Orders()); got != 1 {
		t.Errorf("%d orders, want the known one", got)
	}
}

func TestControlStray(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, c := range []struct {
		body     string
		status   int
		contains string
	}{
		{`{"out_trade_no":"stray-0001","total":5}`, 200, `"paid_at":"2026-11-21T12:00:00+08:00"`},
		{`{"out_trade_no":"stray-0002","total":5,"paid_at":"2026-11-20T03:00:00Z"}`, 200, `"paid_at":"2026-11-20T11:00:00+08:00"`},
		{`{"out_trade_no":"stray-0001","total":5}`, 409, "exists already"},
		{`{"out_trade_no":"stray-0003"}`, 400, "not an amount"},
		{`{"out_trade_no":"stray-0003","total":5,"paid_at":"yesterday"}`, 400, "body is not"},
	} {
		if r := control(t, "POST", s.URL()+"/_sim/bill/stray", c.body); r.status != c.status || !strings.Contains(string(r.body), c.contains) {
			t.Errorf("%s: %d %s, want %d … %s", c.body, r.status, r.body, c.status, c.contains)
		}
	}
}
