//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// givenBack returns the order, paid, with its money to go back.
func givenBack(t *testing.T, o orderstore.Order) orderstore.Order {
	t.Helper()
	o, err := paid(t, o).GiveBack(orderstore.Refund{OutRefundNo: "refund_1", Request: "{}"}, orderstore.GivenBackLate, epoch.Add(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// save saves the order and returns what is stored then.
func save(t *testing.T, s *sqlite.Store, o orderstore.Order) orderstore.Order {
	t.Helper()
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return get(t, s, o.OutTradeNo)
}

// noHook fails the test when it is called.
func noHook(t *testing.T) hook {
	return func(context.Context, *sql.Tx, orderstore.Order) error {
		t.Error("the hook was called")
		return nil
	}
}

// A payment that goes back to the customer is none to take over, neither when
// it arrives nor at any step of its refund.
func TestHookIsNotCalledForWhatIsGivenBack(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), noHook(t))
	for name, number := range map[string]string{"unpaid": "tzxz_unpaid", "closed": "tzxz_closed"} {
		o := newOrder(number)
		if name == "closed" {
			o = closed(t, o)
		}
		o = save(t, s, givenBack(t, create(t, s, o)))
		if o.PayStatus != orderstore.Paid || o.Version != 2 || !o.HandedOverAt.IsZero() || o.GivenBack != orderstore.GivenBackLate {
			t.Errorf("%s: given back, it is %+v", name, o)
		}
		due, err := s.Due(t.Context(), o.NextActionAt, 1)
		if err != nil || len(due) != 1 || due[0].OutTradeNo != number {
			t.Fatalf("%s: %d are due, %v", name, len(due), err)
		}
		o, claim, err := due[0].BeginRefundStep("refund_1", o.NextActionAt, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		o = save(t, s, o)
		o, outcome, err := o.ApplyRefundResult(orderstore.RefundResult{
			Source: orderstore.FromRefund, OutTradeNo: number, OutRefundNo: claim.OutRefundNo, RefundID: "5030000001",
			Status: orderstore.RefundSuccess, Refund: claim.Amount,
		}, epoch.Add(time.Minute))
		if err != nil || outcome != orderstore.RefundSucceeded {
			t.Fatalf("%s: %q, %v", name, outcome, err)
		}
		o = save(t, s, o)
		o = save(t, s, o.RefundHandedOver("refund_1", epoch.Add(2*time.Minute)))
		if o.Refunded != 100 || o.RefundStatus != orderstore.RefundSuccess || !o.NextActionAt.IsZero() || !o.HandedOverAt.IsZero() || o.Version != 5 {
			t.Errorf("%s: refunded, it is %+v", name, o)
		}
	}
}

// What the hook has taken over is not given back, even by who does not know of
// the hook: its copy is a version behind.
func TestWhatTheHookTookIsNotGivenBack(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), grant)
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	late, err := o.Saved().GiveBack(orderstore.Refund{OutRefundNo: "refund_1"}, orderstore.GivenBackAgain, epoch.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), late); !errors.Is(err, orderstore.ErrConflict) {
		t.Errorf("Save: %v, want ErrConflict", err)
	}
	_, err = get(t, s, "tzxz_1").GiveBack(orderstore.Refund{OutRefundNo: "refund_1"}, orderstore.GivenBackAgain, epoch.Add(time.Hour))
	if !errors.Is(err, orderstore.ErrNotDue) || granted(t, s, "tzxz_1") != 1 {
		t.Errorf("GiveBack: %v, want ErrNotDue", err)
	}
}

// Paid and to be refunded is one commit: power that fails leaves both or none.
func TestPaidAndItsRefundAreOneCommit(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	o := givenBack(t, create(t, s, newOrder("tzxz_1")))
	commits, refuse := 0, true
	onCommit(t, s, func() bool { commits++; return refuse })
	if err := s.Save(t.Context(), o); err == nil {
		t.Error("Save without a commit returned nil")
	}
	if got := get(t, s, "tzxz_1"); got.PayStatus != orderstore.Unpaid || len(got.Refunds) != 0 || got.GivenBack != "" || got.Version != 1 {
		t.Errorf("without a commit it is %+v", got)
	}
	checkOrder(t, s, "tzxz_1", 1)
	commits, refuse = 0, false
	if got := save(t, s, o); got.PayStatus != orderstore.Paid || len(got.Refunds) != 1 || got.Refunds[0].Amount != 100 || got.GivenBack == "" {
		t.Errorf("after the commit it is %+v", got)
	}
	if commits != 1 {
		t.Errorf("there were %d commits, want 1", commits)
	}
	events, err := s.Events(t.Context(), "tzxz_1")
	if err != nil || len(events) != 4 {
		t.Errorf("the history is %+v (%v), want created, paid, given back, refund asked", events, err)
	}
}
