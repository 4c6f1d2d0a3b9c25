package wxpay_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// refundEnds waits until the refund has that state, while the clock runs ahead
// to each appointment.
func (s *shop) refundEnds(no, outRefundNo string, want orderstore.RefundStatus) {
	s.t.Helper()
	s.refundGets(no, outRefundNo, string(want), func(r orderstore.Refund) bool {
		if r.Status == orderstore.RefundProcessing && r.Status != want {
			s.sim.Advance(5 * time.Second) // WeChat is done with it
		}
		return r.Status == want
	})
}

// refundGets waits until the refund is there, while the clock runs ahead to
// each appointment. It may take many steps, of which each may take its time: the
// clock is not moved past the claim of a step under way, because another would
// begin beside it, and which of them hears the news first would be chance.
func (s *shop) refundGets(no, outRefundNo, where string, there func(orderstore.Refund) bool) {
	s.t.Helper()
	const mostSteps, mostOfOne = 30, 20 * time.Second
	var last orderstore.Refund
	for since := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		o := s.stored(no)
		r, _ := o.Refund(outRefundNo)
		if there(r) {
			return
		}
		if r != last {
			last, since = r, time.Now()
		}
		if r.Claims > mostSteps || time.Since(since) > mostOfOne {
			s.t.Fatalf("refund does not get to %s: %+v", where, r)
		}
		if !inAStep(o, r) {
			s.clock.advance(max(0, r.NextActionAt.Sub(s.clock.Now())))
		}
	}
}

// inAStep reports whether the last that happened to the order is the claim of
// a step of that refund.
func inAStep(o wxpay.Order, r wxpay.Refund) bool {
	return r.NextActionAt.Sub(o.UpdatedAt) == till.RefundLease
}

// hasty is wire, but waits for the answer to an application for a refund only
// that long.
type hasty struct{ application *http.Transport }

func newHasty(wait time.Duration) hasty {
	h := hasty{wire.Clone()}
	h.application.ResponseHeaderTimeout = wait
	return h
}

func (h hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/refunds") {
		return h.application.RoundTrip(r)
	}
	return wire.RoundTrip(r)
}

// TestRefundWithoutItsAnswer: whatever became of the answers, there is one
// refund at WeChat, and it gets to its end without a notification.
func TestRefundWithoutItsAnswer(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		fault string
		count int
	}{
		{"status_500", 3}, {"status_429", 3}, {"reset", 1}, {"reset", 3}, {"unsigned", 2}, {"bad_signature", 3},
		{"garbage", 3}, {"timeout", 1}, {"late", 1},
	} {
		atOnce(t, &all, c.fault, func(t *testing.T) {
			heard := new(ofRefunds)
			hasty := newHasty(700 * time.Millisecond)
			t.Cleanup(hasty.application.CloseIdleConnections)
			s := open(t, heard.hook, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: hasty} })
			no := s.bought()
			s.sim.Fault(wxsim.Fault{Target: "notify", Fault: "drop"})
			s.sim.Fault(wxsim.Fault{Target: "refund", Fault: c.fault, Count: c.count})
			got := s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
			if got.Status != "APPLYING" && got.Status != "PROCESSING" {
				t.Errorf("answer: %+v", got)
			}
			s.refundEnds(no, "R-1", orderstore.RefundSuccess)
			if at := s.atWeChat(no); len(at) != 1 || at[0].OutRefundNo != "R-1" || at[0].Refund != 100 {
				t.Errorf("at WeChat: %+v", at)
			}
			var bodies []string
			for _, call := range s.sim.Calls() {
				if call.Target == "refund" && call.Method == http.MethodPost {
					bodies = append(bodies, string(call.Body))
				}
			}
			if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 {
				t.Errorf("WeChat was sent different things: %q", bodies)
			}
			eventually(t, "the refund is handed over", func() bool { return s.grants.returned("R-1") == 1 })
			eventually(t, "the hooks hear of the end", func() bool { // which may be after the hand-over
				said := heard.all()
				return len(said) > 0 && said[len(said)-1] == "query: succeeded R-1 false"
			})
		})
	}
}

// TestRefundWithoutMoney: the account is empty; once it is not, the very same
// refund goes through by itself.
func TestRefundWithoutMoney(t *testing.T) {
	t.Parallel()
	heard := new(ofRefunds)
	s := open(t, heard.hook)
	no := s.bought()
	s.sim.SetBalance(false)
	if got := s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t); got.Status != "APPLYING" || got.Problem != "NOT_ENOUGH" {
		t.Errorf("answer: %+v", got)
	}
	s.refundGets(no, "R-1", "its fourth try", func(r orderstore.Refund) bool { return r.Claims >= 4 })
	s.sim.SetBalance(true)
	s.refundEnds(no, "R-1", orderstore.RefundProcessing)
	eventually(t, "the hooks hear of the end of the outage", func() bool { return len(heard.all()) > 1 })
	if got := heard.all(); !slices.Equal(got, []string{"refund: not_yet R-1 false", "refund: accepted R-1 false"}) { // the outage once
		t.Errorf("hooks heard %q", got)
	}
	if got := s.events(no); len(slices.DeleteFunc(got, func(k orderstore.EventKind) bool { return k != orderstore.EventRefundFailed })) != 1 {
		t.Errorf("history %v", s.events(no))
	}
}

// TestRefundRefused: WeChat never will; the number may be tried again when
// that has changed.
func TestRefundRefused(t *testing.T) {
	t.Parallel()
	heard := new(ofRefunds)
	s := open(t, heard.hook)
	no := s.bought()
	if err := s.sim.SetPayerGone(no, true); err != nil {
		t.Fatal(err)
	}
	r := s.give(no, `{"refund":100,"out_refund_no":"R-1"}`)
	r.refused(t, 502, 502, "微信支付拒绝了退款")
	if !strings.Contains(string(r.Data), `"status":"REFUSED"`) || !strings.Contains(string(r.Data), `"problem":"USER_ACCOUNT_ABNORMAL"`) {
		t.Errorf("data: %s", r.Data)
	}
	if o := s.stored(no); o.Refundable() != 100 || !o.NextActionAt.IsZero() || len(s.atWeChat(no)) != 0 {
		t.Errorf("%v left, next action %v, at WeChat %v", o.Refundable(), o.NextActionAt, s.atWeChat(no))
	}
	if err := s.sim.SetPayerGone(no, false); err != nil {
		t.Fatal(err)
	}
	if got := s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t); got.Status != "PROCESSING" {
		t.Errorf("the second try: %+v", got)
	}
	if got := heard.all(); !slices.Equal(got, []string{"refund: refused R-1 true", "refund: accepted R-1 false"}) {
		t.Errorf("hooks heard %q", got)
	}
}

// TestRefundWhoseAnswerIsNotStored is answered as the refund that it is.
func TestRefundWhoseAnswerIsNotStored(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.Store = &forgetful{Store: quiet{memory.New()}} })
	no := s.bought()
	if got := s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t); got.OutTradeNo != no || got.OutRefundNo != "R-1" || got.Status != "APPLYING" {
		t.Errorf("answer: %+v", got)
	}
	s.clock.advance(till.RefundLease) // the claim is still there, and nobody at it
	s.refundEnds(no, "R-1", orderstore.RefundSuccess)
}

// forgetful is a store that fails once to write what WeChat said of a refund.
type forgetful struct {
	orderstore.Store
	once sync.Once
}

func (f *forgetful) Save(ctx context.Context, o orderstore.Order) (err error) {
	if o.RefundStatus == orderstore.RefundProcessing {
		f.once.Do(func() { err = errFalters })
	}
	if err != nil {
		return err
	}
	return f.Store.Save(ctx, o)
}

// TestRefundNumberTaken: to WeChat a refund number is unique per merchant. The
// second order that uses it is refused, whether WeChat's refusal is heard or
// not, and nothing is said of the first one's refund.
func TestRefundNumberTaken(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "reset"} {
		s := open(t)
		first, second := s.bought(), s.bought()
		s.give(first, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
		if fault != "" {
			s.sim.Fault(wxsim.Fault{Target: "refund", Fault: fault, Count: 4})
		}
		r := s.give(second, `{"refund":100,"out_refund_no":"R-1"}`)
		if strings.Contains(r.raw, first) || fault == "" && r.status != 502 {
			t.Errorf("answered %d %s", r.status, r.raw)
		}
		s.refundEnds(second, "R-1", orderstore.RefundRefused)
		if o := s.stored(second); o.Refundable() != 100 || !o.NextActionAt.IsZero() || len(s.atWeChat(second)) != 0 {
			t.Errorf("%v left, next action %v, at WeChat %v", o.Refundable(), o.NextActionAt, s.atWeChat(second))
		}
	}
}

// TestRefundEndings: closed and abnormal refunds ask for a person, once.
func TestRefundEndings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status orderstore.RefundStatus
		heard  string
		left   orderstore.Fen
	}{
		{orderstore.RefundClosed, "notification: closed R-1 true", 100},
		{orderstore.RefundAbnormal, "notification: abnormal R-1 true", 0},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			t.Parallel()
			heard := new(ofRefunds)
			s := open(t, heard.hook)
			no := s.bought()
			s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
			if err := s.sim.DecideRefund("R-1", string(c.status)); err != nil {
				t.Fatal(err)
			}
			s.sim.Advance(5 * time.Second)
			for range 3 { // WeChat says it again
				if r := s.deliver(s.sim.RefundNotification("R-1")); r.status != http.StatusNoContent {
					t.Errorf("answered %d %s", r.status, r.raw)
				}
			}
			if o := s.stored(no); o.RefundStatus != c.status || o.Refundable() != c.left || o.Refunded != 0 || s.grants.returned("R-1") != 0 {
				t.Errorf("%s, %v left, %v back, handed over %d times", o.RefundStatus, o.Refundable(), o.Refunded, s.grants.returned("R-1"))
			}
			if got := heard.all(); !slices.Equal(got, []string{"refund: accepted R-1 false", c.heard}) {
				t.Errorf("hooks heard %q", got)
			}
			if !strings.Contains(s.logs.String(), "refund needs a person") {
				t.Error("the log does not say so")
			}
		})
	}
}

// TestRefundNotification: what does not fit is refused, and recorded once.
func TestRefundNotification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*wxsim.Notification)
		status int
		ending string
	}{
		{"as WeChat sends it", func(*wxsim.Notification) {}, 204, "ok"},
		{"under the old spelling", func(n *wxsim.Notification) { n.EventType = "REFUND.CLOSE" }, 204, "ok"}, // refund_status decides
		{"another merchant's", withField("mchid", "1900000009"), 400, "mismatch"},
		{"another transaction's", withField("transaction_id", "4200009999202601019999999999"), 400, "mismatch"},
		{"another amount", withField("amount.refund", int64(99)), 400, "mismatch"},
		{"another total", withField("amount.total", int64(101)), 400, "mismatch"},
		{"an unknown order's", withField("out_trade_no", "20990101000000000000000000000000"), 404, "unknown_order"},
		{"without a status", withField("refund_status", nil), 400, "malformed"},
		{"without a number", withField("out_refund_no", nil), 400, "malformed"},
		{"negative", withField("amount.refund", int64(-100)), 400, "malformed"},
		{"a payment's plaintext", withPlaintext(`{"mchid":"1","out_trade_no":"x","trade_state":"SUCCESS"}`), 400, "malformed"},
		{"not JSON", withPlaintext(`<xml><return_code>SUCCESS</return_code></xml>`), 400, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.bought()
			s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
			s.sim.Fault(wxsim.Fault{Target: "notify", Fault: "drop"})
			s.sim.Advance(5 * time.Second)
			before := len(s.events(no))
			for range 3 {
				if r := s.deliver(s.sim.RefundNotification("R-1", c.change)); r.status != c.status || (r.status != 204) != strings.Contains(r.raw, "FAIL") {
					t.Errorf("answered %d %s", r.status, r.raw)
				}
			}
			if !strings.Contains(s.logs.String(), `"ending":"`+c.ending+`"`) {
				t.Errorf("the log does not say %q", c.ending)
			}
			refund, _ := s.stored(no).Refund("R-1")
			if success := refund.Status == orderstore.RefundSuccess; success != (c.status == 204) {
				t.Errorf("the refund is %s", refund.Status)
			}
			kinds := s.events(no)[before:]
			anomalies := slices.DeleteFunc(slices.Clone(kinds), func(k orderstore.EventKind) bool { return k != orderstore.EventMismatch })
			if (len(anomalies) == 1) != (c.ending == "mismatch") {
				t.Errorf("history goes on with %v", kinds)
			}
		})
	}
}

// TestRefundOfAnOrderNotKnownAsPaid: the notification of the payment was lost,
// that of a refund, made by hand on the merchant platform, was not.
func TestRefundOfAnOrderNotKnownAsPaid(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	at, _ := s.sim.Order(no)
	acct := s.sim.Account()
	notice := map[string]any{
		"mchid": acct.MchID, "out_trade_no": no, "transaction_id": at.TransactionID, "out_refund_no": "by-hand-1", "refund_id": "50000000001",
		"refund_status": "SUCCESS", "success_time": "2026-01-02T12:00:00+08:00", "user_received_account": "支付用户零钱",
		"amount": map[string]any{"total": 100, "refund": 30, "payer_total": 100, "payer_refund": 30},
	}
	s.sim.Fault(wxsim.Fault{Target: "query", Fault: "status_500"})
	if r := s.deliver(s.sim.SignNotification(notice, "REFUND.SUCCESS", s.url+"/pay/notify")); r.status != http.StatusServiceUnavailable {
		t.Errorf("while WeChat cannot be asked: %d %s", r.status, r.raw)
	}
	s.sim.ClearFaults()
	if r := s.deliver(s.sim.SignNotification(notice, "REFUND.SUCCESS", s.url+"/pay/notify")); r.status != http.StatusNoContent {
		t.Errorf("answered %d %s", r.status, r.raw)
	}
	o := s.stored(no)
	if o.PayStatus != orderstore.Paid || o.Refunded != 30 || o.Refundable() != 70 {
		t.Errorf("%v, %v back, %v left", o.PayStatus, o.Refunded, o.Refundable())
	}
	eventually(t, "order and refund are handed over", func() bool { return s.grants.count(no) == 1 && s.grants.returned("by-hand-1") == 1 })
	s.give(no, `{"refund":71}`).refused(t, 409, 409, "退款金额超过可退金额")
}

// TestRefundIsHandedOverAgain until the application has taken it.
func TestRefundIsHandedOverAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.bought()
	s.grants.mu.Lock()
	s.grants.fail = 3
	s.grants.mu.Unlock()
	s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
	s.sim.Advance(5 * time.Second)
	eventually(t, "the refund is handed over", func() bool {
		s.clock.advance(100 * time.Millisecond)
		return s.grants.returned("R-1") == 1
	})
	eventually(t, "that is written down", func() bool {
		r, _ := s.stored(no).Refund("R-1")
		return r.HandOverTries == 4 && !r.HandedOverAt.IsZero()
	})
}

// TestLatePaymentGoesBack: with RefundLate nothing is handed over, and the
// customer has the money again.
func TestLatePaymentGoesBack(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s := open(t, heard.hook, func(o *wxpay.Options) { o.LatePayment = wxpay.RefundLate })
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	o, err := s.stored(no).Close(orderstore.FromClose, "as if WeChat had said so", s.clock.Now())
	if err == nil {
		err = s.store.Save(context.Background(), o)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := s.deliver(s.sim.Notification(no)); r.status != http.StatusNoContent {
		t.Errorf("answered %d %s", r.status, r.raw)
	}
	number := s.stored(no).Refunds[0].OutRefundNo
	eventually(t, "it is refunded", func() bool { return len(s.atWeChat(no)) == 1 })
	s.sim.Advance(5 * time.Second)
	s.refundEnds(no, number, orderstore.RefundSuccess)
	if at := s.atWeChat(no)[0]; at.Refund != 100 || at.Reason != "订单已关闭，款项原路退回" {
		t.Errorf("at WeChat: %+v", at)
	}
	if o := s.stored(no); o.PayStatus != orderstore.Paid || o.GivenBack != "late_payment" || !o.HandedOverAt.IsZero() || s.grants.count(no) != 0 {
		t.Errorf("stored %+v, granted %d times", o, s.grants.count(no))
	}
	if got := heard.all(); !slices.Equal(got, []string{"notification: paid_late " + no + " true false"}) {
		t.Errorf("hooks heard %q", got)
	}
}

// TestOneOrderOfTheAppIsPaidOnce: of two attempts that are both paid, the
// first is handed over and the other goes back, whichever process hears of
// which; attempts still open are closed.
func TestOneOrderOfTheAppIsPaidOnce(t *testing.T) {
	t.Parallel()
	for _, firstAttemptFirst := range []bool{true, false} {
		heard := new(changes)
		s := open(t, heard.hook, loud)
		other := s.another()
		first := s.do("POST", "/pay/prepay/native", "u1", cart("cart-7")).order(t).OutTradeNo
		if err := s.sim.PayQuietly(first); err != nil { // the customer pays, and changes the product before anybody hears of it
			t.Fatal(err)
		}
		o, err := s.stored(first).Close(orderstore.FromClose, "as if WeChat had said so", s.clock.Now())
		if err == nil {
			err = s.store.Save(context.Background(), o)
		}
		if err != nil {
			t.Fatal(err)
		}
		second := s.do("POST", "/pay/prepay/app", "u1", strings.Replace(cart("cart-7"), "}", `,"app_name":"a","app_channel":"c","device":"d"}`, 1)).order(t).OutTradeNo
		if err := s.sim.PayQuietly(second); err != nil {
			t.Fatal(err)
		}
		winner, loser := second, first
		if firstAttemptFirst {
			winner, loser = first, second
		}
		for i, no := range []string{winner, loser} {
			if r := []*shop{s, other}[i].deliver(s.sim.Notification(no)); r.status != http.StatusNoContent {
				t.Errorf("answered %d %s", r.status, r.raw)
			}
		}
		eventually(t, "the first is handed over and the other refunded", func() bool {
			return s.grants.count(winner) == 1 && len(s.atWeChat(loser)) == 1
		})
		s.sim.Advance(5 * time.Second)
		if o := s.stored(loser); o.GivenBack != "paid_again" || o.Refunded != 250 || s.grants.count(loser) != 0 || !strings.Contains(o.Anomaly, winner) {
			t.Errorf("the loser: %+v", o)
		}
		if o := s.stored(winner); o.GivenBack != "" || len(o.Refunds) != 0 {
			t.Errorf("the winner: %+v", o)
		}
		s.do("POST", "/pay/prepay/native", "u1", cart("cart-7")).refused(t, 409, 409, "订单已支付")
	}
}

// TestRivalsAreClosed: when one attempt is paid, nobody can pay another.
func TestRivalsAreClosed(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	first := s.do("POST", "/pay/prepay/native", "u1", cart("cart-8")).order(t).OutTradeNo
	if err := s.sim.PayQuietly(first); err != nil {
		t.Fatal(err)
	}
	o, err := s.stored(first).Close(orderstore.FromClose, "as if WeChat had said so", s.clock.Now())
	if err == nil {
		err = s.store.Save(context.Background(), o)
	}
	if err != nil {
		t.Fatal(err)
	}
	second := s.do("POST", "/pay/prepay/h5", "u1", cart("cart-8")).order(t).OutTradeNo
	s.deliver(s.sim.Notification(first))
	eventually(t, "the open attempt is closed at both sides", func() bool {
		at, _ := s.sim.Order(second)
		return s.stored(second).PayStatus == orderstore.Closed && at.TradeState == "CLOSED"
	})
}
