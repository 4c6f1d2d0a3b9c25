//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

var errBoom = errors.New("boom")

// slowly writes many rows, which takes longer than the contexts below.
const slowly = `INSERT INTO membership
	WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
	SELECT 'late' || i, i FROM n`

// scene is what a culprit can reach besides its arguments.
type scene struct {
	store  *sqlite.Store
	cancel func() // ends the context of the Save
}

// culprits are hooks that do to the transaction what they should not; each is
// called after a good grant.
func culprits() []culprit {
	return []culprit{
		{name: "an error", is: errBoom, says: "OnPaidTx: boom", do: func(context.Context, *sql.Tx, scene) error {
			return errBoom
		}},
		{name: "a panic", says: "panicked: boom", do: func(context.Context, *sql.Tx, scene) error {
			panic("boom")
		}},
		{name: "a constraint", says: "UNIQUE", do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			return perform(ctx, tx, "INSERT INTO membership VALUES ('tzxz_bad', 2)")
		}},
		{name: "a syntax error", says: "syntax", do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			return perform(ctx, tx, "INSERT INTO membership OF MANY")
		}},
		{name: "a context that ends", is: context.Canceled, do: func(ctx context.Context, tx *sql.Tx, s scene) error {
			s.cancel()
			return perform(ctx, tx, "INSERT INTO membership VALUES ('late', 1)")
		}},
		{name: "a context that ends under a statement", is: context.Canceled, do: func(ctx context.Context, tx *sql.Tx, s scene) error {
			time.AfterFunc(time.Millisecond, s.cancel)
			if err := perform(ctx, tx, slowly); err != nil {
				return err
			}
			<-ctx.Done()
			return perform(ctx, tx, "INSERT INTO membership VALUES ('late', 1)")
		}},
		{name: "a context of a prepared statement", is: context.DeadlineExceeded, do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			stmt, err := tx.PrepareContext(ctx, slowly)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err = stmt.ExecContext(ctx)
			<-ctx.Done()
			return errors.Join(err, ctx.Err())
		}},
		{name: "a rollback", is: sql.ErrTxDone, says: "the store's to end", do: func(_ context.Context, tx *sql.Tx, _ scene) error {
			return tx.Rollback()
		}},
		{name: "a commit", is: sql.ErrTxDone, says: "the store's to end", do: func(_ context.Context, tx *sql.Tx, _ scene) error {
			return tx.Commit()
		}},
		{name: "a commit and an error", is: errBoom, do: func(_ context.Context, tx *sql.Tx, _ scene) error {
			return errors.Join(tx.Commit(), errBoom)
		}},
		{name: "rows that stay open", is: errBoom, do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			rows, err := tx.QueryContext(ctx, "INSERT INTO membership VALUES ('late', 1), ('late1', 2) RETURNING calls")
			if err != nil {
				return err
			}
			rows.Next()
			return errBoom
		}},
		{name: "a write by the store", says: "write with tx", do: func(ctx context.Context, _ *sql.Tx, s scene) error {
			return s.store.Create(ctx, newOrder("tzxz_inside"))
		}},
		{name: "a conflict that rolls back", says: "UNIQUE", lost: true, do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			return perform(ctx, tx, rollBack)
		}},
		{name: "a conflict that rolls back unnoticed", says: "no such savepoint", lost: true, do: func(ctx context.Context, tx *sql.Tx, _ scene) error {
			_ = perform(ctx, tx, rollBack)
			return nil
		}},
	}
}

// rollBack has SQLite roll back everything, once there is such a row.
const rollBack = "INSERT OR ROLLBACK INTO membership VALUES ('tzxz_bad', 2)"

type culprit struct {
	name string
	do   func(context.Context, *sql.Tx, scene) error
	is   error  // what the error of Save wraps
	says string // and what it says
	lost bool   // the whole transaction is gone, and the others have another
}

func perform(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, text)
	return err
}

// Whatever one of a group does to the transaction, it is undone alone, and the
// others are committed.
func TestOneHarmsNobody(t *testing.T) {
	t.Parallel()
	const others = 8
	for _, c := range culprits() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var s *sqlite.Store
			s = openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
				if err := grant(ctx, tx, o); err != nil || o.OutTradeNo != "tzxz_bad" {
					return err
				}
				return c.do(ctx, tx, scene{s, cancel})
			})
			checkHarmless(t, s, "tzxz_bad", others, c.lost, func(o orderstore.Order) {
				err := s.Save(ctx, o)
				if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("the culprit's Save returned %v, want %v that says %q", err, c.is, c.says)
				}
			})
			checkOrder(t, s, "tzxz_inside", 0)
			for _, row := range []string{"tzxz_bad", "late", "late1"} {
				if n := granted(t, s, row); n != 0 {
					t.Errorf("the culprit left %d rows %s", n, row)
				}
			}
		})
	}
}

// checkHarmless saves order bad as paid with the given function, among saves
// and creates of others, and checks that all of theirs is there.
func checkHarmless(t *testing.T, s *sqlite.Store, bad string, others int, lost bool, save func(orderstore.Order)) {
	t.Helper()
	var writes []func() error
	for i := range others {
		o := newOrder(fmt.Sprint("tzxz_paid_", i))
		if err := s.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		writes = append(writes, func() error { return s.Save(t.Context(), paid(t, o.Saved())) })
	}
	if err := s.Create(t.Context(), newOrder(bad)); err != nil {
		t.Fatal(err)
	}
	writes = append(writes, func() error { save(paid(t, newOrder(bad).Saved())); return nil })
	writes = append(writes, creates(t, s, "tzxz_new_", others)...)
	commits := countCommits(t, s)
	if err := errors.Join(gather(t, s, writes...)...); err != nil {
		t.Errorf("the others: %v", err)
	}
	if n := commits.Load(); n != 1 && !lost {
		t.Errorf("there were %d commits, want 1", n)
	}
	checkOrder(t, s, bad, 1)
	for i := range others {
		checkOrder(t, s, fmt.Sprint("tzxz_new_", i), 1)
		checkOrder(t, s, fmt.Sprint("tzxz_paid_", i), 3) // saved, and handed over
		if n := granted(t, s, fmt.Sprint("tzxz_paid_", i)); n != 1 {
			t.Errorf("order %d was granted %d times", i, n)
		}
	}
	if err := s.Create(t.Context(), newOrder("tzxz_after")); err != nil {
		t.Errorf("a write afterwards: %v", err)
	}
}
