package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// far is a store behind a proxy, and one that is not.
type far struct {
	*proxy
	Store
	near Store
	db   *sql.DB // near
	name string  // of the database
	// calls counts those of the hook; the one of that number fails.
	calls, fails atomic.Int64
}

func (s Server) far(t *testing.T) *far {
	t.Helper()
	db, name := s.database(t, nil)
	run(t, db, "CREATE TABLE membership (out_trade_no VARCHAR(64) NOT NULL PRIMARY KEY)")
	f := &far{proxy: newProxy(t, s), near: s.open(t, db, Options{}), db: db, name: name}
	f.Store = s.open(t, s.Connect(t, f.addr(), name, nil), Options{OnPaidTx: func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		if f.calls.Add(1) == f.fails.Load() {
			return errBoom
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO membership VALUES ('"+o.OutTradeNo+"')")
		return err
	}})
	return f
}

func nothing() {}

// LostCommits loses the connection while a commit is under way. When nobody
// comes between, the write is done, once, and its writer hears so.
func LostCommits(t *testing.T, s Server) {
	for how := range cuts {
		t.Run("lost "+how, func(t *testing.T) {
			t.Parallel()
			f := s.far(t)
			f.loseCommit(how, nothing)
			if err := f.Create(t.Context(), NewOrder("tzxz_1")); err != nil {
				t.Errorf("Create: %v", err)
			}
			check(t, f.db, f.near, "tzxz_1", 1, 1)
			f.loseCommit(how, nothing)
			if err := f.Save(t.Context(), touched(NewOrder("tzxz_2"))); !errors.Is(err, orderstore.ErrConflict) {
				t.Errorf("Save of an unknown order: %v", err)
			}
			next := get(t, f.near, "tzxz_1")
			if err := f.Save(t.Context(), touched(next)); err != nil {
				t.Errorf("Save: %v", err)
			}
			check(t, f.db, f.near, "tzxz_1", 2, 2)
			f.loseCommit(how, nothing)
			if err := f.PutGoods(t.Context(), orderstore.Goods{GoodsID: "vip-month", Total: 100}); err != nil {
				t.Errorf("PutGoods: %v", err)
			}

			f.loseCommit(how, nothing)
			if err := f.Save(t.Context(), paid(t, get(t, f.near, "tzxz_1"))); err != nil {
				t.Errorf("Save of a paid order: %v", err)
			}
			check(t, f.db, f.near, "tzxz_1", 4, 4)
			granted(t, f.db, "tzxz_1", 1)
			want := int64(1)
			if how == "before it arrives" {
				want = 2 // and one of the two calls is undone
			}
			if n := f.calls.Load(); n != want {
				t.Errorf("the hook was called %d times, want %d", n, want)
			}
		})
	}
}

func granted(t testing.TB, db *sql.DB, number string, want int) {
	t.Helper()
	var rows int
	err := db.QueryRow("SELECT count(*) FROM membership WHERE out_trade_no = '" + number + "'").Scan(&rows)
	if err != nil || rows != want {
		t.Errorf("%s was granted %d times (%v), want %d", number, rows, err, want)
	}
}

// LostCommitsAndOthers has somebody write while the commit is lost. The writer
// hears the truth, or that it cannot be told; never the opposite.
func LostCommitsAndOthers(t *testing.T, s Server) {
	const before, after = "before it arrives", "before it is answered"
	conflict := func(err error) bool { return errors.Is(err, orderstore.ErrConflict) }
	exists := func(err error) bool { return errors.Is(err, orderstore.ErrExists) }
	unknown := func(err error) bool {
		return err != nil && !conflict(err) && !exists(err) && strings.Contains(err.Error(), "not known whether the write was done")
	}
	update := func(t *testing.T, f *far, o orderstore.Order) {
		if err := f.near.Save(t.Context(), touched(o)); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct {
		how       string
		write     func(context.Context, *far, orderstore.Order) error // of the order as it is stored
		meanwhile func(*testing.T, *far, orderstore.Order)
		want      func(error) bool
		version   int64
	}{
		"a Save undone, another one done": {
			before, func(ctx context.Context, f *far, o orderstore.Order) error { return f.Save(ctx, touched(o)) },
			update, conflict, 2,
		},
		// Two replicas claim one order at one moment: what they write is the same
		// to the last byte, and only one may have it.
		"a Save undone, the same one done": {
			before, func(ctx context.Context, f *far, o orderstore.Order) error { return f.Save(ctx, touched(o)) },
			update, conflict, 2,
		},
		"a Save done, another one behind it": {
			after, func(ctx context.Context, f *far, o orderstore.Order) error { return f.Save(ctx, touched(o)) },
			func(t *testing.T, f *far, o orderstore.Order) { update(t, f, get(t, f.near, o.OutTradeNo)) }, unknown, 3,
		},
		"a Save undone, two others done": {
			before, func(ctx context.Context, f *far, o orderstore.Order) error { return f.Save(ctx, touched(o)) },
			func(t *testing.T, f *far, o orderstore.Order) {
				update(t, f, o)
				update(t, f, o.Saved())
			}, unknown, 3,
		},
		"a Create undone, another one done": {
			before, func(ctx context.Context, f *far, o orderstore.Order) error {
				return f.Create(ctx, NewOrder("tzxz_new"))
			},
			func(t *testing.T, f *far, _ orderstore.Order) { create(t, f.near, NewOrder("tzxz_new")) }, exists, 1,
		},
		"a Create done, a Save behind it": {
			after, func(ctx context.Context, f *far, o orderstore.Order) error {
				return f.Create(ctx, NewOrder("tzxz_new"))
			},
			func(t *testing.T, f *far, _ orderstore.Order) { update(t, f, get(t, f.near, "tzxz_new")) }, unknown, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := s.far(t)
			o := create(t, f.near, NewOrder("tzxz_1"))
			f.loseCommit(c.how, func() { c.meanwhile(t, f, o) })
			if err := c.write(t.Context(), f, o); !c.want(err) {
				t.Errorf("the write returned %v", err)
			}
			if strings.Contains(name, "Create") {
				check(t, f.db, f.near, "tzxz_new", c.version, int(c.version))
			} else {
				check(t, f.db, f.near, "tzxz_1", c.version, int(c.version))
			}
		})
	}
}

// LostCommitAndHook has the hook fail when it is called again: the commit that
// was lost is known then not to have been done, and so is the whole write.
func LostCommitAndHook(t *testing.T, s Server) {
	t.Parallel()
	f := s.far(t)
	o := paid(t, create(t, f.near, NewOrder("tzxz_1")))
	f.fails.Store(2)
	f.loseCommit("before it arrives", nothing)
	if err := f.Save(t.Context(), o); !errors.Is(err, errBoom) || strings.Contains(err.Error(), "not known") {
		t.Errorf("Save: %v", err)
	}
	check(t, f.db, f.near, "tzxz_1", 1, 1)
	granted(t, f.db, "tzxz_1", 0)
}

// LostCommitAndServer loses the server for good with the commit: the writer
// hears that it is not known, and not later than its context ends.
func LostCommitAndServer(t *testing.T, s Server) {
	t.Parallel()
	f := s.far(t)
	o := create(t, f.near, NewOrder("tzxz_1"))
	f.loseCommit("before it is answered", func() { f.down.Store(true) })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := f.Save(ctx, touched(o))
	if err == nil || errors.Is(err, orderstore.ErrConflict) || !strings.Contains(err.Error(), "not known whether the write was done") {
		t.Errorf("Save: %v", err)
	}
	check(t, f.db, f.near, "tzxz_1", 2, 2)
}

// Outage takes the server away for a while.
func Outage(t *testing.T, s Server) {
	t.Parallel()
	f := s.far(t)
	o := create(t, f.Store, NewOrder("tzxz_1"))
	f.stop()
	for name, err := range map[string]error{
		"Create": f.Create(t.Context(), NewOrder("tzxz_2")),
		"Save":   f.Save(t.Context(), touched(o)),
		"Get":    func() error { _, err := f.Get(t.Context(), "tzxz_1"); return err }(),
		"Due":    func() error { _, err := f.Due(t.Context(), epoch, 1); return err }(),
	} {
		if err == nil || errors.Is(err, orderstore.ErrConflict) || errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrNotFound) {
			t.Errorf("%s without a server: %v", name, err)
		}
	}
	check(t, f.db, f.near, "tzxz_1", 1, 1)
	f.start()
	if err := f.Save(t.Context(), touched(o)); err != nil {
		t.Errorf("Save when the server is back: %v", err)
	}
	if _, err := f.Get(t.Context(), "tzxz_1"); err != nil {
		t.Errorf("Get when the server is back: %v", err)
	}
	check(t, f.db, f.near, "tzxz_1", 2, 2)
}

// Killed has an administrator end connections while orders are written.
func Killed(t *testing.T, s Server) {
	t.Parallel()
	const rounds = 150
	db, name := s.database(t, nil)
	other := s.Connect(t, s.Addr, name, nil)
	other.SetMaxOpenConns(1)
	store := s.open(t, db, Options{})
	o := create(t, store, NewOrder("tzxz_1"))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(1+rand.N(20)) * time.Millisecond):
				s.KillOthers(t, other)
			}
		}
	}()
	failed, unknown := 0, 0
	for range rounds {
		err := store.Save(t.Context(), touched(o))
		switch {
		case err == nil:
			o = o.Saved()
			o.Events = nil
		case errors.Is(err, orderstore.ErrConflict):
			t.Errorf("the only writer hears %v", err)
			close(stop)
			<-stopped
			return
		case strings.Contains(err.Error(), "not known"):
			unknown++
			o.Version = s.version(t, name, o.OutTradeNo)
		default:
			failed++
		}
	}
	close(stop)
	<-stopped
	t.Logf("%d of %d writes failed, of %d it was never known", failed, rounds, unknown)
	db = s.Connect(t, s.Addr, name, nil)
	check(t, db, s.open(t, db, Options{}), "tzxz_1", o.Version, int(o.Version))
}

// version is that of an order, asked until nobody kills the connection.
func (s Server) version(t *testing.T, name, number string) int64 {
	db := s.Connect(t, s.Addr, name, nil)
	defer db.Close()
	for {
		var version int64
		err := db.QueryRow("SELECT version FROM pay_order_record WHERE out_trade_no = '" + number + "'").Scan(&version)
		if err == nil {
			return version
		}
	}
}
