package orderstore_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// A holder that outlived its claim has no say, whatever it has to say, not
// even when the refund has begun anew since and is in its first try again.
func TestLateRefundHolderHasNoSay(t *testing.T) {
	t.Parallel()
	for _, status := range []orderstore.RefundStatus{orderstore.RefundApplying, orderstore.RefundProcessing, orderstore.RefundAbnormal, orderstore.RefundSuccess} {
		o := withRefund(taken(t), func(r *orderstore.Refund) { r.Status = status })
		o, late := applying(t, o, later)
		o, _ = applying(t, o, later.Add(lease))
		sayLate(t, string(status), o, late)
	}

	o, late := applying(t, taken(t), later)
	o, second := applying(t, o, later.Add(lease))
	o, outcome := o.RefundNotTaken(second, "NO_AUTH", orderstore.RefundNever, later.Add(lease+time.Hour))
	if outcome != orderstore.RefundWasRefused {
		t.Fatal(outcome)
	}
	sayLate(t, "refused", o, late)
	o = refunding(t, o, refundOf("refund_1", 60), later.Add(lease+time.Hour))
	o, third := applying(t, o, later.Add(lease+time.Hour))
	if third.Tries != late.Tries {
		t.Errorf("begun anew, it is try %d", third.Tries)
	}
	sayLate(t, "begun anew", o, late)
}

func sayLate(t *testing.T, name string, o orderstore.Order, claim orderstore.Refund) {
	t.Helper()
	now := later.Add(2 * time.Hour)
	for _, v := range []orderstore.RefundVerdict{orderstore.RefundUnclear, orderstore.RefundLater, orderstore.RefundNever} {
		got, outcome := o.RefundNotTaken(claim, "late", v, now)
		if outcome != orderstore.RefundUnchanged {
			t.Errorf("%s: %q", name, outcome)
		}
		wantOrder(t, got, o)
	}
	wantOrder(t, o.RefundAskedInVain(claim, now), o)
	wantOrder(t, o.RefundHandOverFailed(claim, "late", now), o)
}

// What is said of the wrong kind of step, or of no refund, changes nothing.
func TestWrongStepChangesNothing(t *testing.T) {
	t.Parallel()
	for status, may := range map[orderstore.RefundStatus]string{
		orderstore.RefundApplying: "apply", orderstore.RefundProcessing: "ask", orderstore.RefundAbnormal: "ask",
		orderstore.RefundSuccess: "hand over", orderstore.RefundClosed: "", orderstore.RefundRefused: "",
	} {
		o := withRefund(taken(t), func(r *orderstore.Refund) { r.Status = status })
		claim := o.Refunds[0]
		unknown := claim
		unknown.OutRefundNo = "refund_2"
		for name, step := range map[string]func(orderstore.Refund) orderstore.Order{
			"apply": func(r orderstore.Refund) orderstore.Order {
				next, _ := o.RefundNotTaken(r, "NO_AUTH", orderstore.RefundLater, later)
				return next
			},
			"ask":       func(r orderstore.Refund) orderstore.Order { return o.RefundAskedInVain(r, later) },
			"hand over": func(r orderstore.Refund) orderstore.Order { return o.RefundHandOverFailed(r, "down", later) },
		} {
			wantOrder(t, step(unknown), o)
			if name != may {
				wantOrder(t, step(claim), o)
			} else if !step(claim).Changed(o) {
				t.Errorf("%s: %s changes nothing", status, name)
			}
		}
		wantOrder(t, o.RefundHandedOver("refund_2", later), o)
		if status != orderstore.RefundSuccess {
			wantOrder(t, o.RefundHandedOver("refund_1", later), o)
		}
	}
}

// News that came while WeChat was asked makes the next appointment; the
// question that found nothing does not.
func TestAskedInVainAfterNews(t *testing.T) {
	t.Parallel()
	o := withRefund(taken(t), func(r *orderstore.Refund) { r.Status = orderstore.RefundProcessing })
	o, claim := applying(t, o, later)
	o, _, err := o.ApplyRefundResult(resultOf(o, claim, orderstore.RefundAbnormal), later.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	wantOrder(t, o.RefundAskedInVain(claim, later.Add(time.Minute)), o)
}
