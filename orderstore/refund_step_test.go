package orderstore_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// applyingOf claims the refund for a step, and saves that.
func applyingOf(t testing.TB, o orderstore.Order, number string, now time.Time) (orderstore.Order, orderstore.Refund) {
	t.Helper()
	o, claim, err := o.BeginRefundStep(number, now, lease)
	if err != nil {
		t.Fatalf("BeginRefundStep: %v", err)
	}
	return o.Saved(), claim
}

func applying(t testing.TB, o orderstore.Order, now time.Time) (orderstore.Order, orderstore.Refund) {
	t.Helper()
	return applyingOf(t, o, "refund_1", now)
}

// taken returns an order that was handed over, with refund_1 of 60 fen to be
// applied for since later.
func taken(t testing.TB) orderstore.Order {
	t.Helper()
	o := begin(t, paidOrder(t), later).HandedOver(later)
	return refunding(t, o, refundOf("refund_1", 60), later)
}

func TestRefundDue(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	if r, due := o.RefundDue(later); due || r != (orderstore.Refund{}) {
		t.Errorf("no refund is due: %+v", r)
	}
	o.Refunds = orderstore.Refunds{
		at("never", orderstore.RefundClosed, time.Time{}, time.Time{}),
		at("soon", orderstore.RefundApplying, time.Time{}, later.Add(1)),
		at("now", orderstore.RefundSuccess, time.Time{}, later),
		at("long ago", orderstore.RefundProcessing, time.Time{}, noon),
		at("as long ago", orderstore.RefundProcessing, time.Time{}, noon),
	}
	for moment, want := range map[time.Time]string{noon.Add(-1): "", noon: "long ago", later.Add(time.Hour): "long ago"} {
		r, due := o.RefundDue(moment)
		if due != (want != "") || r.OutRefundNo != want {
			t.Errorf("at %v, %q is due, want %q", moment, r.OutRefundNo, want)
		}
	}
	o.Refunds = o.Refunds[:3]
	if r, due := o.RefundDue(later); !due || r.OutRefundNo != "now" {
		t.Errorf("%q is due", r.OutRefundNo)
	}
}

func TestBeginRefundStep(t *testing.T) {
	t.Parallel()
	now := later.Add(time.Second)
	for _, status := range []orderstore.RefundStatus{
		orderstore.RefundApplying, orderstore.RefundProcessing, orderstore.RefundAbnormal, orderstore.RefundSuccess,
	} {
		o := withRefund(taken(t), func(r *orderstore.Refund) {
			r.Status, r.OnItsWayUntil, r.AppliedAt = status, noon.Add(3*time.Minute), noon.Add(time.Minute)
		})
		want := withRefund(o, func(r *orderstore.Refund) {
			r.NextActionAt, r.Claims = now.Add(lease), 1
			if status == orderstore.RefundSuccess {
				r.HandOverTries = 1
			} else {
				r.Tries = 1
			}
		})
		wantClaim := want.Refunds[0]
		if status == orderstore.RefundApplying {
			want = withRefund(want, func(r *orderstore.Refund) {
				r.AppliedAt, r.OnItsWayUntil = now, now.Add(lease+time.Minute)
			})
		}
		want.NextActionAt, want.UpdatedAt, want.RefundStatus = now.Add(lease), now, status
		if status == orderstore.RefundSuccess {
			want.Refunded = 60
		}
		got, claim, err := o.BeginRefundStep("refund_1", now, lease)
		if err != nil || claim != wantClaim {
			t.Errorf("%s: %v; the claim is\n%+v, want\n%+v", status, err, claim, wantClaim)
		}
		wantOrder(t, got, want)
	}
}

func TestNoRefundStep(t *testing.T) {
	t.Parallel()
	claimed, _ := applying(t, taken(t), later)
	for name, c := range map[string]struct {
		order  orderstore.Order
		number string
		now    time.Time
	}{
		"unknown":       {taken(t), "refund_2", later},
		"not yet":       {taken(t), "refund_1", later.Add(-1)},
		"nothing to do": {refused(t), "refund_1", later},
		"claimed":       {claimed, "refund_1", later},
		"still claimed": {claimed, "refund_1", later.Add(lease - 1)},
	} {
		got, _, err := c.order.BeginRefundStep(c.number, c.now, lease)
		if !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("%s: %v, want ErrNotDue", name, err)
		}
		wantOrder(t, got, c.order)
	}
	if _, _, err := claimed.BeginRefundStep("refund_1", later.Add(lease), lease); err != nil {
		t.Errorf("after a holder that died: %v", err)
	}
}

func TestRefundNotTaken(t *testing.T) {
	t.Parallel()
	now := later.Add(2 * time.Second)
	for name, c := range map[string]struct {
		earlier time.Time // until when an earlier application may arrive
		verdict orderstore.RefundVerdict
		outcome orderstore.RefundOutcome
		onItWay time.Time
	}{
		"unclear":                        {time.Time{}, orderstore.RefundUnclear, orderstore.RefundNotYetApplied, now.Add(time.Minute)},
		"unclear after an unclear one":   {now.Add(time.Second), orderstore.RefundUnclear, orderstore.RefundNotYetApplied, now.Add(time.Minute)},
		"later":                          {time.Time{}, orderstore.RefundLater, orderstore.RefundNotYetApplied, time.Time{}},
		"later after an unclear one":     {now.Add(1), orderstore.RefundLater, orderstore.RefundNotYetApplied, now.Add(1)},
		"never":                          {time.Time{}, orderstore.RefundNever, orderstore.RefundWasRefused, time.Time{}},
		"never, an unclear one may come": {now.Add(1), orderstore.RefundNever, orderstore.RefundNotYetApplied, now.Add(1)},
		"never, the unclear one is lost": {now, orderstore.RefundNever, orderstore.RefundWasRefused, time.Time{}},
	} {
		o := withRefund(taken(t), func(r *orderstore.Refund) { r.OnItsWayUntil = c.earlier })
		o, claim := applying(t, o, later)
		kind := orderstore.EventRefundFailed
		want := withRefund(o, func(r *orderstore.Refund) {
			r.Problem, r.OnItsWayUntil, r.NextActionAt = "NOT_ENOUGH", c.onItWay, now.Add(5*time.Second)
			if c.outcome == orderstore.RefundWasRefused {
				r.Status, r.NextActionAt, kind = orderstore.RefundRefused, time.Time{}, orderstore.EventRefundRefused
			}
		})
		want.RefundStatus, want.NextActionAt, want.UpdatedAt = want.Refunds[0].Status, want.Refunds[0].NextActionAt, now
		want.Events = []orderstore.Event{{At: now, Kind: kind, Note: "refund refund_1 of 0.60元: NOT_ENOUGH"}}
		got, outcome := o.RefundNotTaken(claim, "NOT_ENOUGH", c.verdict, now)
		if outcome != c.outcome {
			t.Errorf("%s: %q, want %q", name, outcome, c.outcome)
		}
		wantOrder(t, got, want)
		late, outcome := got.RefundNotTaken(claim, "NOT_ENOUGH", c.verdict, now)
		if c.outcome == orderstore.RefundWasRefused && outcome != orderstore.RefundUnchanged {
			t.Errorf("%s: refused twice", name)
			wantOrder(t, late, got)
		}
	}
}

// An outage is one line of the history; each new problem is another.
func TestSameProblemIsOneEvent(t *testing.T) {
	t.Parallel()
	o, now := taken(t), later
	for i, c := range []struct {
		problem string
		events  int
	}{{"SYSTEM_ERROR", 1}, {"SYSTEM_ERROR", 0}, {"SYSTEM_ERROR", 0}, {"NOT_ENOUGH", 1}, {"SYSTEM_ERROR", 1}} {
		var claim orderstore.Refund
		o, claim = applying(t, o, now)
		o, _ = o.RefundNotTaken(claim, c.problem, orderstore.RefundLater, now.Add(time.Second))
		if len(o.Events) != c.events || o.UpdatedAt != now.Add(time.Second) {
			t.Errorf("round %d: %d events, want %d; updated at %v", i, len(o.Events), c.events, o.UpdatedAt)
		}
		o = o.Saved()
		now = o.Refunds[0].NextActionAt
	}
	o, claim := applying(t, o, now)
	o, outcome := o.RefundNotTaken(claim, "SYSTEM_ERROR", orderstore.RefundNever, now)
	if outcome != orderstore.RefundWasRefused || len(o.Events) != 1 {
		t.Errorf("the end of it: %q, %d events", outcome, len(o.Events))
	}
}

// The delay doubles from five seconds to an hour and stays there.
func TestRefundDelay(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int]time.Duration{
		1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 4: 40 * time.Second, 10: 2560 * time.Second,
		11: time.Hour, 12: time.Hour, 100: time.Hour, math.MaxInt: time.Hour, 0: 5 * time.Second, -1: 5 * time.Second,
	} {
		o := withRefund(taken(t), func(r *orderstore.Refund) { r.Tries = tries })
		got, _ := o.RefundNotTaken(o.Refunds[0], "SYSTEM_ERROR", orderstore.RefundLater, later)
		if d := got.Refunds[0].NextActionAt.Sub(later); d != want {
			t.Errorf("after try %d the delay is %v, want %v", tries, d, want)
		}
	}
}

// An unclear application may still arrive: what WeChat says to a later one is
// no end before that time, even if its holder died.
func TestUnclearThenNever(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(orderstore.Order, orderstore.Refund) orderstore.Order{
		"timeout": func(o orderstore.Order, claim orderstore.Refund) orderstore.Order {
			o, _ = o.RefundNotTaken(claim, "timeout", orderstore.RefundUnclear, later.Add(lease))
			return withRefund(o, func(r *orderstore.Refund) { r.NextActionAt = later.Add(lease) })
		},
		"died": func(o orderstore.Order, _ orderstore.Refund) orderstore.Order { return o },
	} {
		o, claim := applying(t, taken(t), later)
		o = first(o, claim).Saved()
		last := later.Add(lease + time.Minute)
		for _, now := range []time.Time{later.Add(lease), last.Add(-1)} {
			next, claim := applying(t, o, now)
			next, outcome := next.RefundNotTaken(claim, "PARAM_ERROR", orderstore.RefundNever, now)
			if r := next.Refunds[0]; outcome != orderstore.RefundNotYetApplied || r.Status != orderstore.RefundApplying || r.OnItsWayUntil != last {
				t.Errorf("%s: never after %v: %q, on its way for %v", name, now.Sub(later), outcome, r.OnItsWayUntil.Sub(later))
			}
		}
		o, claim = applying(t, o, last)
		if _, outcome := o.RefundNotTaken(claim, "PARAM_ERROR", orderstore.RefundNever, last); outcome != orderstore.RefundWasRefused {
			t.Errorf("%s: never after the last can have come: %q", name, outcome)
		}
	}
}

// Every minute, after five of them ever more slowly; an abnormal one waits for
// a person.
func TestRefundIsAskedAbout(t *testing.T) {
	t.Parallel()
	o := withRefund(taken(t), func(r *orderstore.Refund) { r.Status = orderstore.RefundProcessing })
	o.RefundStatus = orderstore.RefundProcessing
	now := later
	for i, want := range []time.Duration{1, 1, 1, 1, 5, 10, 20, 30, 30, 30} {
		var claim orderstore.Refund
		o, claim = applying(t, o, now)
		next := o.RefundAskedInVain(claim, now.Add(time.Second))
		wanted := withRefund(o, func(r *orderstore.Refund) { r.NextActionAt = now.Add(time.Second + want*time.Minute) })
		wanted.NextActionAt, wanted.UpdatedAt = wanted.Refunds[0].NextActionAt, now.Add(time.Second)
		wantOrder(t, next, wanted)
		if t.Failed() {
			t.Fatalf("question %d", i+1)
		}
		o, now = next.Saved(), next.NextActionAt
	}
	o = withRefund(o, func(r *orderstore.Refund) { r.Status = orderstore.RefundAbnormal })
	o, claim := applying(t, o, now)
	if at := o.RefundAskedInVain(claim, now).Refunds[0].NextActionAt; at.Sub(now) != 6*time.Hour {
		t.Errorf("an abnormal one is asked about after %v", at.Sub(now))
	}
}
