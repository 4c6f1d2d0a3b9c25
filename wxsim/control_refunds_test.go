package wxsim_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Refunds told through the controls alone.
func TestControlRefunds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.place("native", "order-open")
	s.refund("order-paid", "r-1", 60)
	base := s.URL() + "/_sim"
	for _, c := range []struct {
		method, path, body string
		status             int
		contains           string
	}{
		{"POST", "/refunds/decide", `{"out_refund_no":"r-1","status":"ABNORMAL"}`, 200, `"status":"PROCESSING"`},
		{"POST", "/refunds/decide", `{"status":"CLOSED"}`, 200, `{"next":["CLOSED"]}`},
		{"POST", "/refunds/decide", `{"out_refund_no":"","status":"SUCCESS"}`, 200, `{"next":["CLOSED","SUCCESS"]}`},
		{"POST", "/refunds/decide", `{"out_refund_no":"r-none","status":"SUCCESS"}`, 404, "no such refund"},
		{"POST", "/refunds/decide", `{"out_refund_no":"r-1","status":"REFUND"}`, 400, "ends as SUCCESS, ABNORMAL or CLOSED"},
		{"POST", "/refunds/decide", `{"out_trade_no":"r-1"}`, 400, "unknown field"},
		{"POST", "/clock", `{"advance":"5s"}`, 200, `"now"`},
		{"GET", "/refunds", "", 200, `"status":"ABNORMAL"`},
		{"GET", "/notifications", "", 200, `"event_type":"REFUND.ABNORMAL","out_trade_no":"order-paid","out_refund_no":"r-1","attempt":1`},
		{"POST", "/refunds/decide", `{"out_refund_no":"r-1","status":"SUCCESS"}`, 409, "not PROCESSING any more"},
		{"POST", "/refunds/balance", `{"enough":false}`, 200, `{"enough":false}`},
		{"POST", "/refunds/balance", `{}`, 400, "enough is missing"},
		{"POST", "/refunds/payer", `{"out_trade_no":"order-paid","gone":true}`, 200, `"out_trade_no":"order-paid"`},
		{"POST", "/refunds/payer", `{"out_trade_no":"order-paid"}`, 400, "gone is missing"},
		{"POST", "/refunds/payer", `{"out_trade_no":"order-none","gone":true}`, 404, "no such order"},
		{"POST", "/refunds/payer", `{"out_trade_no":"order-open","gone":true}`, 409, "not paid"},
		{"GET", "/refunds/nothing", "", 404, "no control"},
	} {
		r := control(t, c.method, base+c.path, c.body)
		if r.status != c.status || !strings.Contains(string(r.body), c.contains) {
			t.Errorf("%s %s %s: %d %s, want %d … %s", c.method, c.path, c.body, r.status, r.body, c.status, c.contains)
		}
	}
	if r := s.refund("order-paid", "r-2", 10); r.status != 403 || r.code() != "USER_ACCOUNT_ABNORMAL" {
		t.Errorf("refund after the controls: %d %s", r.status, r.body)
	}
}

// The fields of a refund that other programs read.
func TestControlRefundNames(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.refund("order-paid", "r-1", 60)
	names := func() map[string]any {
		var got struct{ Refunds []map[string]any }
		if err := json.Unmarshal(control(t, "GET", s.URL()+"/_sim/refunds", "").body, &got); err != nil || len(got.Refunds) != 1 {
			t.Fatalf("refunds %v: %v", got, err)
		}
		return got.Refunds[0]
	}
	if _, early := names()["success_at"]; early {
		t.Error("success_at before it succeeded")
	}
	control(t, "POST", s.URL()+"/_sim/clock", `{"advance":"1m"}`)
	r, _ := s.Sim.Refund("r-1")
	got := names()
	for name, want := range map[string]any{
		"out_refund_no": "r-1", "refund_id": r.RefundID, "out_trade_no": "order-paid", "transaction_id": r.TransactionID,
		"refund": 60.0, "total": 100.0, "status": "SUCCESS", "channel": "ORIGINAL", "api": "v3", "reason": "不想要了", "notify_url": s.rc.url,
		"created_at": "2026-11-21T12:00:00+08:00", "success_at": "2026-11-21T12:00:05+08:00",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if len(got) != 13 {
		t.Errorf("%d names, want 13: %v", len(got), got)
	}
	if orders := control(t, "GET", s.URL()+"/_sim/orders", ""); !strings.Contains(string(orders.body), `"refunded":60`) {
		t.Errorf("orders %s", orders.body)
	}
}
