//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// hook is what an application does in the transaction.
type hook = func(context.Context, *sql.Tx, orderstore.Order) error

// openHooked opens a store with that hook, whose file has a table for it.
func openHooked(t testing.TB, path string, onPaidTx hook) *sqlite.Store {
	t.Helper()
	s, err := sqlite.OpenWith(path, sqlite.Options{OnPaidTx: onPaidTx})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	writer, _ := s.Handles()
	if _, err := writer.Exec("CREATE TABLE IF NOT EXISTS membership (out_trade_no TEXT PRIMARY KEY, calls INTEGER)"); err != nil {
		t.Fatal(err)
	}
	return s
}

// grant is what a good hook does.
func grant(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO membership VALUES (?, 1)", o.OutTradeNo)
	return err
}

func granted(t *testing.T, s *sqlite.Store, number string) (rows int) {
	t.Helper()
	_, readers := s.Handles()
	if err := readers.QueryRow("SELECT count(*) FROM membership WHERE out_trade_no = ?", number).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// paid returns the order as WeChat's notification makes it.
func paid(t *testing.T, o orderstore.Order) orderstore.Order {
	t.Helper()
	o, outcome, err := o.Apply(orderstore.Payment{
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: "1217752501201407033233368018", Total: o.Total, PayerTotal: o.Total, Currency: o.Currency,
		PaidAt: epoch.Add(time.Second),
	}, epoch.Add(2*time.Second))
	if err != nil || outcome != orderstore.BecamePaid && outcome != orderstore.BecamePaidLate {
		t.Fatalf("the payment: %v, %v", outcome, err)
	}
	return o
}

// create stores a new order and returns it as it is stored.
func create(t *testing.T, s *sqlite.Store, o orderstore.Order) orderstore.Order {
	t.Helper()
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o.Saved()
}

func get(t *testing.T, s *sqlite.Store, number string) orderstore.Order {
	t.Helper()
	o, err := s.Get(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func closed(t *testing.T, o orderstore.Order) orderstore.Order {
	t.Helper()
	o, err := o.Close(orderstore.FromClose, "", epoch.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPaidAndGrantedAreOneCommit(t *testing.T) {
	t.Parallel()
	var seen orderstore.Order
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		seen = o
		// The order is paid already, for those who look through tx.
		_, err := tx.ExecContext(ctx, "INSERT INTO membership SELECT out_trade_no, 1 FROM pay_order_record WHERE pay_status = 1")
		return err
	})
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	commits := countCommits(t, s)
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n := commits.Load(); n != 1 {
		t.Errorf("there were %d commits, want 1", n)
	}
	if n := granted(t, s, "tzxz_1"); n != 1 {
		t.Errorf("granted %d times", n)
	}
	got := get(t, s, "tzxz_1")
	if got.PayStatus != orderstore.Paid || got.TransactionID != o.TransactionID {
		t.Errorf("the order is %v", got.PayStatus)
	}
	if !reflect.DeepEqual(seen, got) {
		t.Errorf("the hook saw\n%+v, stored is\n%+v", seen, got)
	}
}

// To the outbox the order looks as if it had been handed over already.
func TestPaidInTxIsHandedOver(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), grant)
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	if !o.ToHandOver() || o.NextActionAt.IsZero() {
		t.Fatal("the payment is not to be handed over")
	}
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	got := get(t, s, "tzxz_1")
	if !got.HandedOverAt.Equal(o.UpdatedAt) || !got.NextActionAt.IsZero() || got.HandOverTries != 0 {
		t.Errorf("handed over at %v, want %v; next action at %v, %d tries", got.HandedOverAt, o.UpdatedAt, got.NextActionAt, got.HandOverTries)
	}
	if due, err := s.Due(t.Context(), epoch.AddDate(1, 0, 0), 10); err != nil || len(due) != 0 {
		t.Errorf("%d orders are due (%v)", len(due), err)
	}
	events, err := s.Events(t.Context(), "tzxz_1")
	if err != nil || len(events) != 3 || events[1].Kind != orderstore.EventPaid || events[2].Kind != orderstore.EventHandedOver || !events[2].At.Equal(o.UpdatedAt) {
		t.Errorf("the history is %+v (%v)", events, err)
	}
}

// Who saved the order does not know that it was handed over. What is saved
// from memory next must not take that back, nor claim it for another OnPaid.
func TestPaidInTxIsNotTakenBack(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), grant)
	o, err := orderstore.Update(t.Context(), s, create(t, s, newOrder("tzxz_1")).OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		return paid(t, o), true
	})
	if err != nil {
		t.Fatal(err)
	}
	claim, err := o.BeginHandOver(o.UpdatedAt, time.Minute)
	if err != nil {
		t.Fatalf("the order in memory is out of date otherwise: %v", err)
	}
	if err := s.Save(t.Context(), claim); !errors.Is(err, orderstore.ErrConflict) {
		t.Errorf("a claim from memory: %v, want a conflict", err)
	}
	got := get(t, s, "tzxz_1")
	if _, err := got.BeginHandOver(epoch.AddDate(1, 0, 0), time.Minute); !errors.Is(err, orderstore.ErrNotDue) {
		t.Errorf("a claim of what is stored: %v", err)
	}
	if got.HandedOverAt.IsZero() || granted(t, s, "tzxz_1") != 1 {
		t.Error("the hand-over was taken back")
	}
}

func TestNeitherPaidNorGranted(t *testing.T) {
	t.Parallel()
	trouble := errBoom
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		return errors.Join(grant(ctx, tx, o), trouble)
	})
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	if err := s.Save(t.Context(), o); !errors.Is(err, errBoom) || !strings.Contains(err.Error(), "OnPaidTx") {
		t.Errorf("Save with a hook that fails: %v", err)
	}
	if got := get(t, s, "tzxz_1"); got.PayStatus != orderstore.Unpaid || got.Version != 1 || granted(t, s, "tzxz_1") != 0 {
		t.Errorf("the order is %v, version %d, granted %d times", got.PayStatus, got.Version, granted(t, s, "tzxz_1"))
	}
	checkOrder(t, s, "tzxz_1", 1)

	trouble = nil // WeChat sends again
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "tzxz_1"); got.PayStatus != orderstore.Paid || granted(t, s, "tzxz_1") != 1 {
		t.Errorf("the order is %v, granted %d times", got.PayStatus, granted(t, s, "tzxz_1"))
	}
}
