package sqlstoretest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// written reports unless all the updates were done, once.
func (f together) written(t *testing.T, updates []*update) {
	t.Helper()
	for _, u := range updates {
		if u.err != nil || u.order.Version != 2 {
			t.Errorf("%s: version %d, %v", u.number, u.order.Version, u.err)
		}
		check(t, f.db, f.near, u.number, 2, 2)
	}
}

// groupRefused has the database refuse the group for the sake of one.
func groupRefused(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	run(t, f.db, "ALTER TABLE pay_order_record ADD CONSTRAINT no_thirteen CHECK (platform <> 13)")
	updates := touches(t, orders)
	bad := updates[4]
	bad.change = func(o orderstore.Order) (orderstore.Order, bool) { o, _ = touch(o); o.Platform = 13; return o, true }
	if !f.run(t, updates, nothing) {
		return false
	}
	if bad.err == nil || !strings.Contains(bad.err.Error(), "no_thirteen") {
		t.Errorf("an order that the database refuses: %v", bad.err)
	}
	check(t, f.db, f.near, bad.number, 1, 1)
	f.written(t, append(updates[:4:4], updates[5:]...))
	return true
}

// groupTwice: of two changes of an order, each is made of what the other left.
func groupTwice(t *testing.T, s Server) bool {
	const orders = 4
	f := s.together(t, orders)
	updates := append(touches(t, orders), touches(t, orders)...)
	if !f.run(t, updates, nothing) {
		return false
	}
	for i := range orders {
		a, b := updates[i], updates[orders+i]
		if a.err != nil || b.err != nil || a.order.Version+b.order.Version != 2+3 || max(a.order.HandOverTries, b.order.HandOverTries) != 2 {
			t.Errorf("%s: versions %d and %d, %v, %v", a.number, a.order.Version, b.order.Version, a.err, b.err)
		}
		check(t, f.db, f.near, a.number, 3, 3)
	}
	return true
}

// groupLocked: an order that another transaction has keeps nobody waiting but
// its own writer.
func groupLocked(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	tx, err := f.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := perform(t.Context(), tx, "UPDATE pay_order_record SET app_name = 'back office' WHERE out_trade_no = 'tzxz_3'"); err != nil {
		t.Fatal(err)
	}
	updates := touches(t, orders)
	ended := make(chan bool)
	go func() { ended <- f.run(t, updates, nothing) }()
	others := append(updates[:3:3], updates[4:]...)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		versions := 0
		for _, u := range others {
			versions += int(get(t, f.near, u.number).Version)
		}
		if versions == 2*len(others) {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Error("others wait for the order that is locked")
			break
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	waited := <-ended
	f.written(t, updates)
	return waited
}

// groupKilled has an administrator end the group's connection under it.
func groupKilled(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	admin := s.Connect(t, s.Addr, f.name, nil)
	admin.SetMaxOpenConns(1)
	if err := admin.Ping(); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	updates := touches(t, orders)
	for _, u := range updates {
		u.change = func(o orderstore.Order) (orderstore.Order, bool) {
			if calls.Add(1) == orders/2 {
				s.KillOthers(t, admin)
			}
			return touch(o)
		}
	}
	if !f.run(t, updates, func() { f.pool.SetMaxIdleConns(0) }) { // the only connection is the group's
		return false
	}
	f.db = s.Connect(t, s.Addr, f.name, nil)
	f.near = s.open(t, f.db, Options{})
	if n := calls.Load(); n != 2*orders {
		t.Errorf("%d changes, want each to be made again", n)
	}
	f.written(t, updates)
	return true
}

// groupContexts: a context that ends is its own update's.
func groupContexts(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	waiting, leaveWaiting := context.WithCancel(t.Context())
	late, leaveLate := context.WithCancel(t.Context())
	defer leaveLate()
	updates := touches(t, orders)
	gone := updates[2]
	gone.ctx, gone.change = waiting, func(o orderstore.Order) (orderstore.Order, bool) {
		t.Error("a change that nobody waits for is made")
		return o, false
	}
	updates[4].ctx, updates[4].change = late, func(o orderstore.Order) (orderstore.Order, bool) { leaveLate(); return touch(o) }
	leave := func() {
		leaveWaiting()
		time.Sleep(20 * time.Millisecond) // until it is noticed
	}
	if !f.run(t, updates, leave) {
		return false
	}
	if !errors.Is(gone.err, context.Canceled) {
		t.Errorf("a context that ends while its update waits: %v", gone.err)
	}
	check(t, f.db, f.near, gone.number, 1, 1)
	f.written(t, append(updates[:2:2], updates[3:]...))
	return true
}

// groupLeaves: a change that nobody waits for any more is not made.
func groupLeaves(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	updates := touches(t, orders)
	var left, made atomic.Bool
	for i, u := range updates {
		if i == 0 {
			u.ctx, u.change = ctx, func(o orderstore.Order) (orderstore.Order, bool) { made.Store(true); return touch(o) }
			continue
		}
		u.change = func(o orderstore.Order) (orderstore.Order, bool) {
			if !made.Load() && left.CompareAndSwap(false, true) {
				leave()
				time.Sleep(20 * time.Millisecond) // until it is noticed
			}
			return touch(o)
		}
	}
	if !f.run(t, updates, nothing) || made.Load() && !left.Load() {
		return false // the one that is to leave was the first
	}
	if made.Load() || !errors.Is(updates[0].err, context.Canceled) {
		t.Errorf("the change was made: %v, %v", made.Load(), updates[0].err)
	}
	check(t, f.db, f.near, number(0), 1, 1)
	f.written(t, updates[1:])
	return true
}

// groupAllLeave: when nobody waits for the group any more, it is given up.
func groupAllLeave(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	updates := touches(t, orders)
	for i, u := range updates {
		u.ctx = ctx
		if i == 0 {
			u.change = func(o orderstore.Order) (orderstore.Order, bool) {
				leave()
				time.Sleep(50 * time.Millisecond) // until it is noticed
				return touch(o)
			}
		}
	}
	if !f.run(t, updates, nothing) {
		return false
	}
	for _, u := range updates {
		if !errors.Is(u.err, context.Canceled) {
			t.Errorf("%s: %v", u.number, u.err)
		}
		check(t, f.db, f.near, u.number, 1, 1)
	}
	return true
}

// groupLost loses the group's commit: each member finds out about its own
// order, and nothing is written twice.
func groupLost(t *testing.T, s Server, how string) bool {
	const orders = 8
	f := s.together(t, orders)
	updates := touches(t, orders)
	if !f.run(t, updates, func() { f.loseCommit(how, nothing) }) {
		return false
	}
	f.written(t, updates)
	return true
}

// groupLostBeforeOthers has another write one of the orders when the commit was
// not done: its member goes on from there.
func groupLostBeforeOthers(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	updates := touches(t, orders)
	if !f.run(t, updates, func() { f.loseCommit("before it arrives", func() { f.touch(t, 0) }) }) {
		return false
	}
	if u := updates[0]; u.err != nil || u.order.Version != 3 {
		t.Errorf("version %d, %v", u.order.Version, u.err)
	}
	check(t, f.db, f.near, number(0), 3, 3)
	f.written(t, updates[1:])
	return true
}

// groupLostBehindOthers has another write one of the orders when the commit was
// done, so that nobody can tell any more.
func groupLostBehindOthers(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	updates := touches(t, orders)
	if !f.run(t, updates, func() { f.loseCommit("before it is answered", func() { f.touch(t, 0) }) }) {
		return false
	}
	unknown(t, updates[0])
	check(t, f.db, f.near, number(0), 3, 3)
	f.written(t, updates[1:])
	return true
}

// touch has another write the order.
func (f together) touch(t *testing.T, i int) {
	if err := f.near.Save(t.Context(), touched(get(t, f.near, number(i)))); err != nil {
		t.Error(err)
	}
}

// unknown reports unless the update says that it does not know.
func unknown(t *testing.T, u *update) {
	t.Helper()
	if u.err == nil || errors.Is(u.err, orderstore.ErrConflict) || !strings.Contains(u.err.Error(), "not known whether the write was done") {
		t.Errorf("%s: version %d, %v", u.number, u.order.Version, u.err)
	}
}

// groupLostAndServer loses the server for good with the commit.
func groupLostAndServer(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	updates := touches(t, orders)
	for _, u := range updates {
		u.ctx = ctx
	}
	if !f.run(t, updates, func() { f.loseCommit("before it is answered", f.stop) }) {
		return false
	}
	for _, u := range updates {
		unknown(t, u)
		check(t, f.db, f.near, u.number, 2, 2)
	}
	return true
}
