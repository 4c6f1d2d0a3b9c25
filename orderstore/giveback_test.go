package orderstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestGiveBack(t *testing.T) {
	t.Parallel()
	for _, why := range []string{orderstore.GivenBackLate, orderstore.GivenBackAgain} {
		o := paidOrder(t)
		asks := orderstore.Refund{OutRefundNo: "refund_1", Reason: "重复付款", Request: "{}", Amount: 1, AskedBy: "ignored"}
		r := asks
		r.Amount, r.AskedBy, r.Status, r.CreatedAt, r.NextActionAt = 100, why, orderstore.RefundApplying, later, later
		want := o
		want.GivenBack, want.HandOverAt, want.NextActionAt, want.UpdatedAt = why, time.Time{}, later, later
		want.Refunds, want.RefundStatus = orderstore.Refunds{r}, orderstore.RefundApplying
		want.Events = append([]orderstore.Event{{At: later, Kind: orderstore.EventGivenBack, Note: why}},
			asked("refund refund_1 of 1.00元: "+why)...)
		got, err := o.GiveBack(asks, why, later)
		if err != nil {
			t.Error(err)
		}
		wantOrder(t, got, want)
		refused, tooLate := got, later.AddDate(2, 0, 0)
		refused.Refunds = slices.Clone(got.Refunds)
		refused.Refunds[0].Status = orderstore.RefundRefused // it had begun, and is told by itself
		if err := errors.Join(refused.NotGivenBack("refund_1", tooLate), o.NotGivenBack("refund_1", tooLate)); err != nil {
			t.Errorf("not given back: %v", err)
		}
		if got.ToHandOver() || got.HandOverDue(later.AddDate(1, 0, 0)) {
			t.Error("it is to be handed over all the same")
		}
		wantOrder(t, got.HandedOver(later), got)
		wantOrder(t, got.HandOverFailed(0, "down", later), got)
		if _, err := got.BeginHandOver(later.AddDate(1, 0, 0), lease); !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("BeginHandOver: %v", err)
		}
	}
}

func TestNotToBeGivenBack(t *testing.T) {
	t.Parallel()
	back, err := paidOrder(t).GiveBack(refundOf("refund_1", 0), orderstore.GivenBackLate, later)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]orderstore.Order{
		"unpaid":               newOrder(),
		"closed":               closedOrder(t),
		"hand-over has begun":  begin(t, paidOrder(t), later),
		"hand-over has failed": begin(t, paidOrder(t), later).HandOverFailed(1, "down", later),
		"handed over":          begin(t, paidOrder(t), later).HandedOver(later),
		"handed over in tx":    paidOrder(t).HandedOver(later),
		"given back":           back,
	} {
		got, err := o.GiveBack(refundOf("refund_2", 0), orderstore.GivenBackAgain, later)
		if !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("%s: %v, want ErrNotDue", name, err)
		}
		wantOrder(t, got, o)
	}
}

// What cannot be refunded is not handed over either: a person must look.
func TestGiveBackWithoutRefund(t *testing.T) {
	t.Parallel()
	o, _, err := paidOrder(t).ApplyRefundResult(resultOf(paidOrder(t), refundOf("by_hand", 1), orderstore.RefundProcessing), noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	o = o.Saved()
	want := o
	want.GivenBack, want.HandOverAt, want.UpdatedAt = orderstore.GivenBackLate, time.Time{}, later
	want.NextActionAt = noon.Add(2 * time.Minute) // the question after the one by hand
	want.Events = []orderstore.Event{
		{At: later, Kind: orderstore.EventGivenBack, Note: orderstore.GivenBackLate},
		{At: later, Kind: orderstore.EventRefundRefused, Note: "refund refund_1 of 1.00元: " + orderstore.ErrRefundTooMuch.Error()},
	}
	got, err := o.GiveBack(refundOf("refund_1", 0), orderstore.GivenBackLate, later)
	if err != nil {
		t.Error(err)
	}
	wantOrder(t, got, want)
	if err := got.NotGivenBack("refund_1", later); !errors.Is(err, orderstore.ErrRefundTooMuch) {
		t.Errorf("it was not given back because of %v", err)
	}
	if _, err := got.BeginRefund(refundOf("refund_2", 99), later); err != nil {
		t.Errorf("by hand: %v", err)
	}
}

func TestPaidAgain(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	o.Ref = "订单 1"
	note := `transaction 4200000001 of 1.00元: order tzxz_winner has paid for "订单 1"`
	want := o
	want.Anomaly, want.UpdatedAt, want.Events = note, later, heard(orderstore.EventPaidAgain, note)
	got := o.PaidAgain(paymentOf(o), "tzxz_winner", later)
	wantOrder(t, got, want)
	wantOrder(t, got.Saved().PaidAgain(paymentOf(o), "tzxz_winner", later.Add(time.Hour)), got.Saved())
}

func TestClaimRef(t *testing.T) {
	t.Parallel()
	o := newOrder()
	want := o
	want.RefPaidBy, want.UpdatedAt = "tzxz_second", later
	got, winner := o.ClaimRef("tzxz_second", later)
	if winner != "tzxz_second" {
		t.Errorf("the winner is %q", winner)
	}
	wantOrder(t, got, want)
	for _, number := range []string{o.OutTradeNo, "tzxz_second", "TZXZ_SECOND"} {
		again, winner := got.ClaimRef(number, later.Add(time.Hour))
		if winner != "tzxz_second" {
			t.Errorf("after %s asked, the winner is %q", number, winner)
		}
		wantOrder(t, again, got)
	}
}
