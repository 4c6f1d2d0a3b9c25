package orderstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Refunds of one order go to WeChat a minute apart, in the order they came.
func TestRefundsWaitForEachOther(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	for i := range 4 {
		o = refunding(t, o, refundOf(fmt.Sprint("refund_", i), 1), later.Add(time.Duration(i)*time.Second))
		if at := o.Refunds[i].NextActionAt; !at.Equal(later.Add(time.Duration(i) * spacing)) {
			t.Errorf("refund %d is due after %v", i, at.Sub(later))
		}
	}
}

// at returns a refund of the tests' number in a state.
func at(number string, status orderstore.RefundStatus, applied, next time.Time) orderstore.Refund {
	r := refundOf(number, 1)
	r.Status, r.AppliedAt, r.NextActionAt = status, applied, next
	return r
}

func TestFirstFreeMinute(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) time.Time { return later.Add(d) }
	const applying, success = orderstore.RefundApplying, orderstore.RefundSuccess
	for name, c := range map[string]struct {
		refunds orderstore.Refunds
		want    time.Duration
	}{
		"sent just now":             {orderstore.Refunds{at("a", success, later, time.Time{})}, spacing},
		"sent a moment too late":    {orderstore.Refunds{at("a", success, after(1-spacing), time.Time{})}, 1},
		"sent a minute ago":         {orderstore.Refunds{at("a", success, after(-spacing), time.Time{})}, 0},
		"refused just now":          {orderstore.Refunds{at("a", orderstore.RefundRefused, later, time.Time{})}, spacing},
		"being sent":                {orderstore.Refunds{at("a", applying, later, after(lease))}, lease + spacing},
		"to be sent now":            {orderstore.Refunds{at("a", applying, time.Time{}, later)}, spacing},
		"to be sent soon":           {orderstore.Refunds{at("a", applying, time.Time{}, after(spacing-1))}, 2*spacing - 1},
		"to be sent in a minute":    {orderstore.Refunds{at("a", applying, time.Time{}, after(spacing))}, 0},
		"to be sent in an hour":     {orderstore.Refunds{at("a", applying, after(-spacing), after(time.Hour))}, 0},
		"asked about, not sent":     {orderstore.Refunds{at("a", orderstore.RefundProcessing, time.Time{}, after(time.Second))}, 0},
		"to be handed over":         {orderstore.Refunds{at("a", success, time.Time{}, after(time.Second))}, 0},
		"a minute between two":      {orderstore.Refunds{at("a", applying, later, after(2*spacing)), at("b", success, later, time.Time{})}, spacing},
		"less than that":            {orderstore.Refunds{at("a", applying, time.Time{}, after(2*spacing-1)), at("b", success, later, time.Time{})}, 3*spacing - 1},
		"in whatever order":         {orderstore.Refunds{at("b", success, later, time.Time{}), at("a", applying, time.Time{}, after(2*spacing-1))}, 3*spacing - 1},
		"the same, sent just now":   {orderstore.Refunds{at("refund_1", orderstore.RefundRefused, later, time.Time{})}, 0},
		"the same, and another too": {orderstore.Refunds{at("refund_1", orderstore.RefundRefused, later, time.Time{}), at("b", success, after(-1), time.Time{})}, spacing - 1},
	} {
		o := paidOrder(t)
		o.Refunds = c.refunds
		o = refunding(t, o, refundOf("refund_1", 1), later)
		r, _ := o.Refund("refund_1")
		if got := r.NextActionAt.Sub(later); got != c.want {
			t.Errorf("%s: due after %v, want %v", name, got, c.want)
		}
	}
}

// Who comes late to several appointments does not keep them all at once.
func TestLateApplicationsAreAMinuteApart(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	for i := range 5 {
		o = refunding(t, o, refundOf(fmt.Sprint("refund_", i), 1), later)
	}
	now, sent := later.Add(time.Hour), []string(nil)
	for range 5 {
		o.HandOverAt, o.HandedOverAt = time.Time{}, later
		r, due := o.RefundDue(now)
		if !due {
			t.Fatalf("nothing is due after %v", now.Sub(later))
		}
		sent = append(sent, r.OutRefundNo)
		var claim orderstore.Refund
		o, claim = applyingOf(t, o, r.OutRefundNo, now)
		if next, due := o.RefundDue(now.Add(spacing - 1)); due && next.OutRefundNo != r.OutRefundNo {
			t.Errorf("%s is due within a minute of %s", next.OutRefundNo, r.OutRefundNo)
		}
		o, _, _ = o.ApplyRefundResult(resultOf(o, claim, orderstore.RefundSuccess), now.Add(time.Second))
		o = o.RefundHandedOver(r.OutRefundNo, now.Add(time.Second)).Saved()
		now = now.Add(spacing)
	}
	if got := fmt.Sprint(sent); got != "[refund_0 refund_1 refund_2 refund_3 refund_4]" {
		t.Errorf("they were sent as %s", got)
	}
}

// Only applications wait for one another: to ask and to hand over harms nobody.
func TestOthersWait(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	o.Refunds = orderstore.Refunds{
		at("mine", orderstore.RefundApplying, time.Time{}, later),
		at("waits", orderstore.RefundApplying, time.Time{}, later.Add(spacing-1)),
		at("far", orderstore.RefundApplying, time.Time{}, later.Add(spacing+1)),
		at("asked", orderstore.RefundProcessing, later, later.Add(1)),
		at("done", orderstore.RefundSuccess, later, later.Add(1)),
		at("over", orderstore.RefundRefused, later, time.Time{}),
	}
	got, _ := applyingOf(t, o, "mine", later)
	for i, want := range []time.Duration{lease, spacing, spacing + 1, 1, 1} {
		if r := got.Refunds[i]; r.NextActionAt.Sub(later) != want {
			t.Errorf("%s is due after %v, want %v", r.OutRefundNo, r.NextActionAt.Sub(later), want)
		}
	}
	if !got.Refunds[5].NextActionAt.IsZero() {
		t.Error("a refused one is due")
	}
	if o.Refunds[1].NextActionAt != later.Add(spacing-1) {
		t.Error("the order before was changed")
	}

	asking, _ := applyingOf(t, o, "asked", later.Add(1))
	if at := asking.Refunds[1].NextActionAt; at != later.Add(spacing-1) {
		t.Errorf("a question makes an application wait until %v", at.Sub(later))
	}
}

// A holder that took longer than its claim, while nobody took over, but another
// refund was sent: its own is not sent again within a minute of that.
func TestLateHolderWaitsForTheOther(t *testing.T) {
	t.Parallel()
	o := refunding(t, taken(t), refundOf("refund_2", 1), later)
	o, claim := applying(t, o, later)
	o, _ = applyingOf(t, o, "refund_2", later.Add(spacing))
	o.Refunds = append(o.Refunds, at("long ago", orderstore.RefundSuccess, noon, time.Time{}))
	now := later.Add(spacing + time.Second)
	o, outcome := o.RefundNotTaken(claim, "timeout", orderstore.RefundUnclear, now)
	if at := o.Refunds[0].NextActionAt; outcome != orderstore.RefundNotYetApplied || at != later.Add(2*spacing) {
		t.Errorf("%q: the next try is %v after the other, want %v", outcome, at.Sub(later.Add(spacing)), spacing)
	}
}

// A refund made by hand counts for the minute as well.
func TestRefundByHandMakesOthersWait(t *testing.T) {
	t.Parallel()
	o := taken(t)
	o, _, err := o.ApplyRefundResult(resultOf(o, refundOf("by_hand", 1), orderstore.RefundSuccess), later)
	if err != nil || o.Refunds[0].NextActionAt != later.Add(spacing) || o.Refunds[1].NextActionAt != later {
		t.Errorf("%v: %+v", err, o.Refunds)
	}
	o, _ = applying(t, o, later.Add(spacing))
	again, _, err := o.ApplyRefundResult(resultOf(o, o.Refunds[1], orderstore.RefundClosed), later.Add(spacing))
	if err != nil || again.Refunds[0].NextActionAt != o.Refunds[0].NextActionAt {
		t.Errorf("what is known makes nobody wait: %v, %+v", err, again.Refunds)
	}
}
