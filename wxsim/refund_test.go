package wxsim_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

const refunds = "/v3/refund/domestic/refunds"

// refundBody is a good application; changes as in order.
func (s *stage) refundBody(no, refundNo string, fen int, change map[string]any) []byte {
	s.m.t.Helper()
	body := map[string]any{
		"out_trade_no": no, "out_refund_no": refundNo, "reason": "不想要了", "notify_url": s.rc.url,
		"amount": map[string]any{"refund": fen, "total": 100, "currency": "CNY"},
	}
	for k, v := range change {
		if _, gone := v.(deleted); gone {
			delete(body, k)
			continue
		}
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		s.m.t.Fatalf("body: %v", err)
	}
	return raw
}

// refund applies for a refund of an order of 100 fen.
func (s *stage) refund(no, refundNo string, fen int) result {
	s.m.t.Helper()
	return s.m.call("POST", refunds, s.refundBody(no, refundNo, fen, nil))
}

// refundStatus is what a query says.
func (s *stage) refundStatus(refundNo string) string {
	s.m.t.Helper()
	return s.m.call("GET", refunds+"/"+refundNo, nil).text("status")
}

// Accepted, then done: what the answers and the notification say.
func TestRefund(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-refund")
	o, _ := s.Order("order-refund")
	s.Advance(time.Minute)
	accepted := s.refund("order-refund", "refund-1", 30)
	r, _ := s.Sim.Refund("refund-1")
	want := `{"amount":{"currency":"CNY","discount_refund":0,"from":[],"payer_refund":30,"payer_total":100,"refund":30,` +
		`"settlement_refund":30,"settlement_total":100,"total":100},"channel":"ORIGINAL","create_time":"2026-11-21T12:01:00+08:00",` +
		`"funds_account":"AVAILABLE","out_refund_no":"refund-1","out_trade_no":"order-refund","refund_id":"` + r.RefundID +
		`","status":"PROCESSING","transaction_id":"` + o.TransactionID + `","user_received_account":"支付用户零钱"}`
	if accepted.status != 200 || string(accepted.body) != want {
		t.Errorf("accepted %d\n got %s\nwant %s", accepted.status, accepted.body, want)
	}
	if !regexp.MustCompile(`^503\d{7}20261121\d{11}$`).MatchString(r.RefundID) {
		t.Errorf("refund_id %q", r.RefundID)
	}
	s.Advance(5*time.Second - 1)
	if got := s.refundStatus("refund-1"); got != "PROCESSING" || len(s.rc.arrivals()) != 1 {
		t.Errorf("before its time: %s, %d notifications", got, len(s.rc.arrivals()))
	}
	s.Advance(1)
	done := s.m.call("GET", refunds+"/refund-1", nil)
	want = strings.Replace(want, `"status":"PROCESSING",`, `"status":"SUCCESS","success_time":"2026-11-21T12:01:05+08:00",`, 1)
	if string(done.body) != want {
		t.Errorf("done\n got %s\nwant %s", done.body, want)
	}
	query := s.m.query("order-refund")
	if query.text("trade_state") != "REFUND" || query.text("trade_state_desc") != "转入退款" || !strings.Contains(string(query.body), `"payer_total":100`) {
		t.Errorf("order reads %s", query.body)
	}
	if o, _ := s.Order("order-refund"); o.Refunded != 30 || o.TradeState != "REFUND" {
		t.Errorf("order %+v", o)
	}
}

// The notification of a refund is a document of its own.
func TestRefundNotification(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-refund")
	s.refund("order-refund", "refund-1", 30)
	s.Advance(5 * time.Second)
	got := s.rc.arrivals()
	if len(got) != 2 || got[1].genuine != nil {
		t.Fatalf("arrivals %+v", got)
	}
	for name, want := range map[string]string{
		"event_type": "REFUND.SUCCESS", "summary": "退款成功", "create_time": "2026-11-21T12:00:05+08:00", "resource_type": "encrypt-resource",
	} {
		if got[1].envelope[name] != want {
			t.Errorf("%s is %q, want %q", name, got[1].envelope[name], want)
		}
	}
	resource := got[1].envelope["resource"].(map[string]any)
	if resource["original_type"] != "refund" || resource["associated_data"] != "refund" {
		t.Errorf("resource %v", resource)
	}
	r, _ := s.Sim.Refund("refund-1")
	plain, err := json.Marshal(got[1].plaintext)
	want := `{"amount":{"payer_refund":30,"payer_total":100,"refund":30,"total":100},"mchid":"` + s.Account().MchID +
		`","out_refund_no":"refund-1","out_trade_no":"order-refund","refund_id":"` + r.RefundID +
		`","refund_status":"SUCCESS","success_time":"2026-11-21T12:00:05+08:00","transaction_id":"` + r.TransactionID + `","user_received_account":"支付用户零钱"}`
	if err != nil || string(plain) != want {
		t.Errorf("plaintext\n got %s\nwant %s", plain, want)
	}
	sent := s.Notifications()
	if len(sent) != 2 || sent[1].EventType != "REFUND.SUCCESS" || sent[1].OutRefundNo != "refund-1" || sent[1].OutTradeNo != "order-refund" || !sent[1].Accepted {
		t.Errorf("record %+v", sent)
	}
	if sent[0].EventType != "TRANSACTION.SUCCESS" || sent[0].OutRefundNo != "" || sent[0].ID == sent[1].ID {
		t.Errorf("record %+v", sent)
	}
}

// It is re-sent on the same schedule and hit by the same faults.
func TestRefundNotificationFaults(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-refund")
	s.Fault(wxsim.Fault{Target: "notify", Fault: "drop", Count: 1})
	s.Fault(wxsim.Fault{Target: "notify", Fault: "wrong_amount", Count: 1})
	s.refund("order-refund", "refund-1", 30)
	s.Advance(time.Hour)
	var got []string
	for _, n := range s.Notifications()[1:] {
		got = append(got, fmt.Sprint(n.OutRefundNo, " ", n.Attempt, " ", n.At.Sub(noon), " ", n.Status, " ", n.Fault))
	}
	want := []string{"refund-1 1 5s 0 drop", "refund-1 2 20s 204 wrong_amount", "refund-1 3 35s 204 "}
	if !slices.Equal(got, want) {
		t.Errorf("sends %q, want %q", got, want)
	}
	amounts := []string{}
	for _, d := range s.rc.arrivals()[1:] {
		raw, _ := json.Marshal(d.plaintext["amount"])
		amounts = append(amounts, string(raw))
	}
	if want := []string{`{"payer_refund":1,"payer_total":100,"refund":1,"total":100}`, `{"payer_refund":30,"payer_total":100,"refund":30,"total":100}`}; !slices.Equal(amounts, want) {
		t.Errorf("amounts %q, want %q", amounts, want)
	}
}

// A payment's re-send and the refund's first send do not disturb each other:
// the late payment notification still says SUCCESS.
func TestRefundBeforePaymentIsNotified(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Fault(wxsim.Fault{Target: "notify", Fault: "drop", Count: 1})
	s.placePaid("order-refund")
	s.refund("order-refund", "refund-1", 100)
	s.Advance(15 * time.Second)
	got := s.rc.arrivals()
	if len(got) != 2 || got[0].envelope["event_type"] != "REFUND.SUCCESS" || got[1].plaintext["trade_state"] != "SUCCESS" {
		t.Errorf("arrivals %+v", got)
	}
	r, err := s.Notification("order-refund")
	if err != nil || s.judgeRequest(r).plaintext["trade_state"] != "SUCCESS" {
		t.Errorf("built: %v", err)
	}
}

// Without a notify_url nobody is told; the refund is done all the same.
func TestRefundWithoutNotifyURL(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-refund")
	s.m.call("POST", refunds, s.refundBody("order-refund", "refund-1", 100, map[string]any{"notify_url": deleted{}}))
	s.Advance(time.Hour)
	if got := s.refundStatus("refund-1"); got != "SUCCESS" || len(s.Notifications()) != 1 {
		t.Errorf("%s, sends %+v", got, s.Notifications())
	}
}

// With a negative delay the notification may overtake the answer.
func TestRefundAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, wxsim.Config{RefundDelay: -1})
	s.placePaid("order-refund")
	arrived := make(chan time.Time, 1)
	s.rc.answer = func(int, delivered) int { arrived <- time.Now(); return 204 }
	s.Fault(wxsim.Fault{Target: "refund", Fault: "slow", Count: 1, Delay: 500 * time.Millisecond})
	r := s.refund("order-refund", "refund-1", 100)
	answered := time.Now()
	if r.text("status") != "SUCCESS" || r.text("success_time") != "2026-11-21T12:00:00+08:00" {
		t.Errorf("answer %s", r.body)
	}
	if told := <-arrived; !told.Before(answered) {
		t.Errorf("notified %v after the answer", told.Sub(answered))
	}
	s.Advance(0) // waits for the send
	if got := s.Notifications(); len(got) != 2 || !got[1].Accepted {
		t.Errorf("sends %+v", got)
	}
}

// Run lets refunds reach their end as real time passes.
func TestRefundInRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, wxsim.Config{Now: time.Now, RefundDelay: 50 * time.Millisecond})
	s.placePaid("order-refund")
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	s.refund("order-refund", "refund-1", 100)
	for begin := time.Now(); len(s.rc.arrivals()) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("the refund was not notified")
		}
	}
	if got := s.refundStatus("refund-1"); got != "SUCCESS" {
		t.Errorf("status %s", got)
	}
}
