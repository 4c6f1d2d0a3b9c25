package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// hooked returns a store with that hook, and its database, which has a table
// for it.
func (s Server) hooked(t testing.TB, settings Settings, hook Hook) (Store, *sql.DB) {
	t.Helper()
	db, _ := s.database(t, settings)
	run(t, db, "CREATE TABLE membership (out_trade_no VARCHAR(64) NOT NULL PRIMARY KEY)")
	run(t, db, "CREATE TABLE counter (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)")
	run(t, db, "INSERT INTO counter VALUES (1, 0), (2, 0)")
	return s.open(t, db, Options{OnPaidTx: hook}), db
}

// grant is what a good hook does.
func grant(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
	return perform(ctx, tx, "INSERT INTO membership VALUES ('"+o.OutTradeNo+"')")
}

func perform(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, text)
	return err
}

// count is a statement that all hooks meet at.
func count(id int) string { return fmt.Sprintf("UPDATE counter SET n = n + 1 WHERE id = %d", id) }

func counted(t testing.TB, db *sql.DB, id, want int) {
	t.Helper()
	var n int
	if err := db.QueryRow(fmt.Sprintf("SELECT n FROM counter WHERE id = %d", id)).Scan(&n); err != nil || n != want {
		t.Errorf("counter %d is %d (%v), want %d", id, n, err, want)
	}
}

var errBoom = errors.New("boom")

// Hooks tests that an order that becomes paid and what the application does
// about it are one.
func Hooks(t *testing.T, s Server) {
	for name, test := range map[string]func(*testing.T, Server){
		"is one commit": hookOneCommit, "is for the transition only": hookTransition, "fails": hookFails,
		"ends the transaction": hookEnds, "many hear of it": hookMany, "deadlock": hookDeadlock, "deadlock unnoticed": hookSwallows,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, s) })
	}
}

func hookOneCommit(t *testing.T, s Server) {
	var seen orderstore.Order
	store, db := s.hooked(t, nil, func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		seen = o
		// The order is paid already, for those who look through tx.
		return perform(ctx, tx, "INSERT INTO membership SELECT out_trade_no FROM pay_order_record WHERE pay_status = 1")
	})
	o := paid(t, create(t, store, NewOrder("tzxz_1")))
	if err := store.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	granted(t, db, "tzxz_1", 1)
	check(t, db, store, "tzxz_1", 3, 3)
	got := get(t, store, "tzxz_1")
	if got.PayStatus != orderstore.Paid || !got.HandedOverAt.Equal(o.UpdatedAt) || !got.NextActionAt.IsZero() {
		t.Errorf("the order is %+v", got)
	}
	if !reflect.DeepEqual(seen, got) {
		t.Errorf("the hook saw\n%+v, stored is\n%+v", seen, got)
	}
	if err := store.Save(t.Context(), touched(o.Saved())); !errors.Is(err, orderstore.ErrConflict) {
		t.Errorf("a Save from memory: %v, want a conflict", err)
	}
}

func hookTransition(t *testing.T, s Server) {
	var calls int
	store, _ := s.hooked(t, nil, func(context.Context, *sql.Tx, orderstore.Order) error { calls++; return nil })
	type step = func(orderstore.Order) orderstore.Order
	same := func(o orderstore.Order) orderstore.Order { return o }
	bought := func(o orderstore.Order) orderstore.Order { return paid(t, o) }
	late := func(o orderstore.Order) orderstore.Order { return closed(t, o) }
	given := func(o orderstore.Order) orderstore.Order {
		o, err := paid(t, o).GiveBack(orderstore.Refund{OutRefundNo: "refund_1", Request: "{}"}, orderstore.GivenBackLate, epoch.Add(2*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for i, c := range []struct {
		steps []step // the first is created, the others saved
		want  int
	}{
		{[]step{same, touched, late, touched}, 0}, {[]step{same, bought}, 1}, {[]step{same, touched, bought, touched}, 1},
		{[]step{same, late, bought, touched}, 1}, {[]step{bought, touched}, 0}, {[]step{late, bought}, 1},
		{[]step{same, given, touched}, 0}, {[]step{late, given, touched}, 0},
		{[]step{same, func(o orderstore.Order) orderstore.Order { return paid(t, o).HandedOver(epoch) }}, 1},
	} {
		calls = 0
		number := fmt.Sprint("tzxz_", i)
		o := create(t, store, c.steps[0](NewOrder(number)))
		for i, step := range c.steps[1:] {
			if err := store.Save(t.Context(), step(o)); err != nil {
				t.Errorf("%s: save %d: %v", number, i, err)
			}
			o = get(t, store, number)
		}
		if calls != c.want {
			t.Errorf("%s: the hook was called %d times, want %d", number, calls, c.want)
		}
	}
	stale := NewOrder("tzxz_0").Saved()
	calls = 0
	for _, o := range []orderstore.Order{stale, NewOrder("tzxz_unknown").Saved()} {
		if err := store.Save(t.Context(), paid(t, o)); !errors.Is(err, orderstore.ErrConflict) || calls > 0 {
			t.Errorf("Save of %s, version %d: %v after %d calls", o.OutTradeNo, o.Version, err, calls)
		}
	}
}

func hookFails(t *testing.T, s Server) {
	var store Store
	var trouble func(context.Context, *sql.Tx) error
	store, db := s.hooked(t, nil, func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		if err := grant(ctx, tx, o); err != nil {
			return err
		}
		return trouble(ctx, tx)
	})
	o := paid(t, create(t, store, NewOrder("tzxz_1")))
	for says, do := range map[string]func(context.Context, *sql.Tx) error{
		"OnPaidTx: boom":                     func(context.Context, *sql.Tx) error { return errBoom },
		"panicked: boom":                     func(context.Context, *sql.Tx) error { panic("boom") },
		"no_such_table":                      func(ctx context.Context, tx *sql.Tx) error { return perform(ctx, tx, "DELETE FROM no_such_table") },
		"write with tx":                      func(ctx context.Context, _ *sql.Tx) error { return store.Create(ctx, NewOrder("tzxz_2")) },
		"OnPaidTx: of another: orderstore: ": func(context.Context, *sql.Tx) error { return fmt.Errorf("of another: %w", orderstore.ErrConflict) },
	} {
		trouble = do
		err := store.Save(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), says) || errors.Is(err, orderstore.ErrConflict) {
			t.Errorf("Save returned %v, want one that says %q", err, says)
		}
		check(t, db, store, "tzxz_1", 1, 1)
		granted(t, db, "tzxz_1", 0)
	}
	trouble = func(context.Context, *sql.Tx) error { return nil } // WeChat sends again
	if err := store.Save(t.Context(), o); err != nil {
		t.Error(err)
	}
	granted(t, db, "tzxz_1", 1)
}

func hookEnds(t *testing.T, s Server) {
	end := (*sql.Tx).Rollback
	store, db := s.hooked(t, nil, func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		return errors.Join(grant(ctx, tx, o), end(tx))
	})
	o := paid(t, create(t, store, NewOrder("tzxz_1")))
	if err := store.Save(t.Context(), o); !errors.Is(err, sql.ErrTxDone) || !strings.Contains(err.Error(), "the store's to end") {
		t.Errorf("Save with a hook that rolls back: %v", err)
	}
	check(t, db, store, "tzxz_1", 1, 1)
	end = (*sql.Tx).Commit
	if err := store.Save(t.Context(), o); !errors.Is(err, sql.ErrTxDone) || !strings.Contains(err.Error(), "the store's to end") {
		t.Errorf("Save with a hook that commits: %v", err)
	}
	check(t, db, store, "tzxz_1", 3, 3) // both or neither
	granted(t, db, "tzxz_1", 1)
}

// Notifications, queries and replicas hear of one payment at once, and all
// hooks write one row.
func hookMany(t *testing.T, s Server) {
	const orders, hearers = 12, 4
	for _, level := range []string{"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"} {
		store, db := s.hooked(t, s.Isolation(level), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
			if err := grant(ctx, tx, o); err != nil {
				return err
			}
			return perform(ctx, tx, count(1))
		})
		var wg sync.WaitGroup
		for i := range orders {
			number := create(t, store, NewOrder(fmt.Sprint("tzxz_", i))).OutTradeNo
			for range hearers {
				wg.Go(func() {
					_, err := orderstore.Update(t.Context(), store, number, func(o orderstore.Order) (orderstore.Order, bool) {
						if o.PayStatus == orderstore.Paid {
							return o, false
						}
						return paid(t, o), true
					})
					if err != nil {
						t.Errorf("%s: %v", level, err)
					}
				})
			}
		}
		wg.Wait()
		counted(t, db, 1, orders)
		for i := range orders {
			check(t, db, store, fmt.Sprint("tzxz_", i), 3, 3)
			granted(t, db, fmt.Sprint("tzxz_", i), 1)
		}
	}
}

// hookDeadlock has two hooks take two rows in either order.
func hookDeadlock(t *testing.T, s Server) {
	deadlock(t, s, func(err error) error { return err })
}

// hookSwallows does so with a hook that does not tell.
func hookSwallows(t *testing.T, s Server) {
	deadlock(t, s, func(error) error { return nil })
}

func deadlock(t *testing.T, s Server, pass func(error) error) {
	const hooks = 2
	var calls, failed atomic.Int64
	met := make(chan struct{})
	store, db := s.hooked(t, nil, func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		first, second := 1, 2
		if o.OutTradeNo == "tzxz_2" {
			first, second = 2, 1
		}
		if err := grant(ctx, tx, o); err != nil {
			return err
		}
		if err := perform(ctx, tx, count(first)); err != nil {
			return err
		}
		if n := calls.Add(1); n == hooks {
			close(met)
		}
		<-met
		err := perform(ctx, tx, count(second))
		if err != nil {
			failed.Add(1)
		}
		return pass(err)
	})
	var wg sync.WaitGroup
	for i := range hooks {
		o := paid(t, create(t, store, NewOrder(fmt.Sprint("tzxz_", i+1))))
		wg.Go(func() {
			err := store.Save(t.Context(), o)
			for err != nil && strings.Contains(err.Error(), "must return the errors") {
				check(t, db, store, o.OutTradeNo, 1, 1)
				err = store.Save(t.Context(), o) // WeChat sends again
			}
			if err != nil {
				t.Errorf("Save of %s: %v", o.OutTradeNo, err)
			}
		})
	}
	wg.Wait()
	if failed.Load() == 0 {
		t.Error("there was no deadlock")
	}
	for i := range hooks {
		counted(t, db, i+1, hooks)
		check(t, db, store, fmt.Sprint("tzxz_", i+1), 3, 3)
		granted(t, db, fmt.Sprint("tzxz_", i+1), 1)
	}
}

// Locks has somebody hold an order for longer than a connection waits for a
// lock, and for longer than a writer has time.
func Locks(t *testing.T, s Server) {
	t.Parallel()
	db, name := s.database(t, s.Impatient)
	store := s.open(t, db, Options{})
	o := create(t, store, NewOrder("tzxz_1"))
	tx, err := s.Connect(t, s.Addr, name, nil).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := perform(t.Context(), tx, "UPDATE pay_order_record SET platform = 7 WHERE out_trade_no = 'tzxz_1'"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := store.Save(ctx, touched(o)); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("Save with little time returned %v after %v", err, time.Since(began))
	}
	time.AfterFunc(1500*time.Millisecond, func() { tx.Rollback() })
	if err := store.Save(t.Context(), touched(o)); err != nil {
		t.Errorf("Save: %v", err)
	}
	check(t, db, store, "tzxz_1", 2, 2)
}
