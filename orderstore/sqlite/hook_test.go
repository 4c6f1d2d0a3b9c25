//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// Of all that can be saved, only the step to paid is the hook's.
func TestHookIsCalledForTheTransitionOnly(t *testing.T) {
	t.Parallel()
	var calls int
	s := openHooked(t, newPath(t), func(context.Context, *sql.Tx, orderstore.Order) error { calls++; return nil })
	unpaid := func(o orderstore.Order) orderstore.Order { return o }
	bought := func(o orderstore.Order) orderstore.Order { return paid(t, o) }
	late := func(o orderstore.Order) orderstore.Order { return closed(t, o) }
	touched := func(o orderstore.Order) orderstore.Order { o, _ = touch(o); return o }
	refunded := func(o orderstore.Order) orderstore.Order { o.RefundStatus, o.Refunded = "SUCCESS", 1; return o }
	for name, c := range map[string]struct {
		steps []func(orderstore.Order) orderstore.Order // the first is created, the others saved
		want  int
	}{
		"never paid":               {[]func(orderstore.Order) orderstore.Order{unpaid, touched, late, touched}, 0},
		"paid":                     {[]func(orderstore.Order) orderstore.Order{unpaid, bought}, 1},
		"paid, and more":           {[]func(orderstore.Order) orderstore.Order{unpaid, touched, bought, touched, refunded}, 1},
		"paid late":                {[]func(orderstore.Order) orderstore.Order{unpaid, late, bought, touched}, 1},
		"created as paid":          {[]func(orderstore.Order) orderstore.Order{bought, touched}, 0},
		"created as closed":        {[]func(orderstore.Order) orderstore.Order{late, bought}, 1},
		"handed over by its saver": {[]func(orderstore.Order) orderstore.Order{unpaid, func(o orderstore.Order) orderstore.Order { return paid(t, o).HandedOver(epoch) }}, 1},
	} {
		calls = 0
		number := "tzxz_" + strings.ReplaceAll(strings.ReplaceAll(name, " ", "_"), ",", "")
		o := create(t, s, c.steps[0](newOrder(number)))
		for i, step := range c.steps[1:] {
			if err := s.Save(t.Context(), step(o)); err != nil {
				t.Errorf("%s: save %d: %v", name, i, err)
			}
			o = get(t, s, number)
		}
		if calls != c.want {
			t.Errorf("%s: the hook was called %d times, want %d", name, calls, c.want)
		}
		events, err := s.Events(t.Context(), number)
		if err != nil {
			t.Error(err)
		}
		over := 0
		for _, e := range events {
			if e.Kind == orderstore.EventHandedOver {
				over++
			}
		}
		if over != c.want {
			t.Errorf("%s: the history has %d hand-overs, want %d", name, over, c.want)
		}
	}
}

func TestHookIsNotCalledForAConflict(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), func(context.Context, *sql.Tx, orderstore.Order) error {
		t.Error("the hook was called")
		return nil
	})
	stale := paid(t, create(t, s, newOrder("tzxz_1")))
	next, _ := touch(newOrder("tzxz_1").Saved())
	if err := s.Save(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	unknown := paid(t, newOrder("tzxz_2").Saved())
	for _, o := range []orderstore.Order{stale, unknown} {
		if err := s.Save(t.Context(), o); !errors.Is(err, orderstore.ErrConflict) {
			t.Errorf("Save of %s, version %d: %v", o.OutTradeNo, o.Version, err)
		}
	}
}

// A store without the hook leaves the hand-over to the outbox.
func TestWithoutHookTheOutboxHandsOver(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "tzxz_1"); got.Version != 2 || !got.ToHandOver() || !got.NextActionAt.Equal(o.NextActionAt) {
		t.Errorf("version %d, to hand over %t, next action at %v", got.Version, got.ToHandOver(), got.NextActionAt)
	}
	// So does one that gets the hook too late.
	s = openHooked(t, path, func(context.Context, *sql.Tx, orderstore.Order) error {
		t.Error("the hook was called")
		return nil
	})
	claim, err := get(t, s, "tzxz_1").BeginHandOver(epoch.Add(time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "tzxz_1"); got.Version != 3 || !got.ToHandOver() || got.HandOverTries != 1 {
		t.Errorf("version %d, to hand over %t after %d tries", got.Version, got.ToHandOver(), got.HandOverTries)
	}
}

// Notifications, queries and replicas hear of one payment at once.
func TestManyHearOfOnePayment(t *testing.T) {
	t.Parallel()
	const orders, hearers = 16, 8
	path := newPath(t)
	var calls atomic.Int64
	count := func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		calls.Add(1)
		_, err := tx.ExecContext(ctx, "INSERT INTO membership VALUES (?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1", o.OutTradeNo)
		return err
	}
	replicas := [...]*sqlite.Store{openHooked(t, path, count), openHooked(t, path, count)}
	var wg sync.WaitGroup
	for i := range orders {
		number := create(t, replicas[0], newOrder(fmt.Sprint("tzxz_", i))).OutTradeNo
		for j := range hearers {
			wg.Go(func() {
				_, err := orderstore.Update(t.Context(), replicas[j%2], number, func(o orderstore.Order) (orderstore.Order, bool) {
					if o.PayStatus == orderstore.Paid {
						return o, false
					}
					return paid(t, o), true
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := calls.Load(); n != orders {
		t.Errorf("the hook was called %d times for %d orders", n, orders)
	}
	for i := range orders {
		number := fmt.Sprint("tzxz_", i)
		checkOrder(t, replicas[1], number, 3)
		var grants int
		if err := plain(t, path).QueryRow("SELECT calls FROM membership WHERE out_trade_no = ?", number).Scan(&grants); err != nil || grants != 1 {
			t.Errorf("%s was granted %d times (%v)", number, grants, err)
		}
	}
}

// A constraint that is checked when the transaction ends fails all of it, with
// everybody in it.
func TestHookThatBreaksTheCommit(t *testing.T) {
	t.Parallel()
	calls := 0
	broken := true
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		calls++
		if broken {
			return perform(ctx, tx, "INSERT INTO grants VALUES ('nobody')")
		}
		return grant(ctx, tx, o)
	})
	writer, _ := s.Handles()
	run(t, writer, "CREATE TABLE grants (user_id TEXT REFERENCES membership (out_trade_no) DEFERRABLE INITIALLY DEFERRED)")
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	writes := append(creates(t, s, "tzxz_new_", 4), func() error { return s.Save(t.Context(), o) })
	for i, err := range gather(t, s, writes...) {
		if err == nil || !strings.Contains(err.Error(), "commit: FOREIGN KEY") {
			t.Errorf("write %d of the failed commit: %v", i, err)
		}
		checkOrder(t, s, fmt.Sprint("tzxz_new_", min(i, 3)), 0)
	}
	checkOrder(t, s, "tzxz_1", 1)

	broken = false
	if err := errors.Join(gather(t, s, writes...)...); err != nil {
		t.Errorf("the next commit: %v", err)
	}
	checkOrder(t, s, "tzxz_1", 3)
	if calls != 2 || granted(t, s, "tzxz_1") != 1 {
		t.Errorf("the hook was called %d times, granted %d times; want 2 and 1", calls, granted(t, s, "tzxz_1"))
	}
}

func TestPaidInTxNeedsATime(t *testing.T) {
	t.Parallel()
	s := openHooked(t, newPath(t), grant)
	o := paid(t, create(t, s, newOrder("tzxz_1")))
	o.UpdatedAt = time.Time{}
	if err := s.Save(t.Context(), o); err == nil || !strings.Contains(err.Error(), "UpdatedAt") {
		t.Errorf("Save of a paid order that was never updated: %v", err)
	}
	checkOrder(t, s, "tzxz_1", 1)
}

// What a hook does in its context is nobody else's: other stores, and reading.
func TestHookMayReadAndUseAnotherStore(t *testing.T) {
	t.Parallel()
	other := open(t, newPath(t))
	var s *sqlite.Store
	s = openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		before, err := s.Get(ctx, o.OutTradeNo)
		if err != nil || before.PayStatus != orderstore.Unpaid {
			t.Errorf("the store, asked beside the transaction, says %v (%v)", before.PayStatus, err)
		}
		return errors.Join(other.Create(ctx, newOrder("tzxz_other")), grant(ctx, tx, o))
	})
	if err := s.Save(t.Context(), paid(t, create(t, s, newOrder("tzxz_1")))); err != nil {
		t.Error(err)
	}
	checkOrder(t, other, "tzxz_other", 1)
}

// A conflict of something else, in the hook, is not one of the order: nobody
// is to read it again and try a thousand times.
func TestHookCannotSayConflict(t *testing.T) {
	t.Parallel()
	for _, said := range []error{orderstore.ErrConflict, orderstore.ErrExists} {
		calls := 0
		s := openHooked(t, newPath(t), func(context.Context, *sql.Tx, orderstore.Order) error {
			calls++
			return fmt.Errorf("membership: %w", said)
		})
		number := create(t, s, newOrder("tzxz_1")).OutTradeNo
		_, err := orderstore.Update(t.Context(), s, number, func(o orderstore.Order) (orderstore.Order, bool) { return paid(t, o), true })
		if err == nil || errors.Is(err, said) || !strings.Contains(err.Error(), said.Error()) || calls != 1 {
			t.Errorf("after %d calls of the hook: %v", calls, err)
		}
	}
}
