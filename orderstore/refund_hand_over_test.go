package orderstore_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// done returns an order that was handed over, whose refund_1 of 60 fen is done
// and to be handed over since later.
func done(t testing.TB) orderstore.Order {
	t.Helper()
	o := taken(t)
	o, outcome, err := o.ApplyRefundResult(resultOf(o, o.Refunds[0], orderstore.RefundSuccess), later)
	if err != nil || outcome != orderstore.RefundSucceeded {
		t.Fatalf("%q, %v", outcome, err)
	}
	return o.Saved()
}

func TestRefundHandedOver(t *testing.T) {
	t.Parallel()
	o, _ := applying(t, done(t), later)
	want := withRefund(o, func(r *orderstore.Refund) { r.HandedOverAt, r.NextActionAt = later.Add(time.Second), time.Time{} })
	want.NextActionAt, want.UpdatedAt = time.Time{}, later.Add(time.Second)
	want.Events = []orderstore.Event{{At: later.Add(time.Second), Kind: orderstore.EventRefundHandedOver, Note: "refund refund_1 of 0.60元"}}
	got := o.RefundHandedOver("refund_1", later.Add(time.Second))
	wantOrder(t, got, want)
	if !o.Refunds[0].ToHandOver() || got.Refunds[0].ToHandOver() {
		t.Error("to be handed over: not before, or still")
	}
	wantOrder(t, got.RefundHandedOver("refund_1", later.Add(time.Hour)), got)
	wantOrder(t, got.RefundHandOverFailed(got.Refunds[0], "too late", later.Add(time.Hour)), got)
}

func TestRefundHandOverFailed(t *testing.T) {
	t.Parallel()
	o, now := done(t), later
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600} {
		var claim orderstore.Refund
		o, claim = applying(t, o, now)
		if claim.HandOverTries != i+1 || claim.Tries != 0 {
			t.Errorf("try %d: %+v", i+1, claim)
		}
		wanted := withRefund(o, func(r *orderstore.Refund) { r.NextActionAt = now.Add(want * time.Second) })
		wanted.NextActionAt, wanted.UpdatedAt = wanted.Refunds[0].NextActionAt, now
		wanted.Events = []orderstore.Event{{At: now, Kind: orderstore.EventRefundHandOverFailed, Note: "refund refund_1 of 0.60元: down"}}
		o = o.RefundHandOverFailed(claim, "down", now)
		wantOrder(t, o, wanted)
		o, now = o.Saved(), o.NextActionAt
	}
}

// The order's next appointment is the earliest of all there are.
func TestEarliestAppointment(t *testing.T) {
	t.Parallel()
	o := paidOrder(t) // to be handed over since a minute after noon
	o = refunding(t, o, refundOf("refund_1", 10), later)
	o = refunding(t, o, refundOf("refund_2", 10), later)
	for _, c := range []struct {
		step func()
		want time.Time
	}{
		{func() {}, noon.Add(time.Minute)},
		{func() { o = begin(t, o, later.Add(time.Second)) }, later},
		{func() { o, _ = applying(t, o, later.Add(2*time.Second)) }, later.Add(time.Second + lease)},
		{func() { o = o.HandedOver(later.Add(3 * time.Second)) }, later.Add(2*time.Second + lease)},
		{func() {
			o, _, _ = o.ApplyRefundResult(resultOf(o, o.Refunds[0], orderstore.RefundClosed), later.Add(4*time.Second))
		}, later.Add(2*time.Second + spacing)},
		{func() {
			o, _, _ = o.ApplyRefundResult(resultOf(o, o.Refunds[1], orderstore.RefundSuccess), later.Add(5*time.Second))
		}, later.Add(5 * time.Second)},
		{func() { o = o.RefundHandedOver("refund_2", later.Add(6*time.Second)) }, time.Time{}},
	} {
		if c.step(); !o.NextActionAt.Equal(c.want) {
			t.Errorf("the next action is after %v, want %v", o.NextActionAt.Sub(later), c.want.Sub(later))
		}
	}
}
