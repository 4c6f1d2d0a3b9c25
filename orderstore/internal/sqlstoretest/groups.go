package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Groups tests that those who update orders at the same time share a
// transaction, and nothing else.
func Groups(t *testing.T, s Server) {
	for name, test := range map[string]func(*testing.T, Server) bool{
		"share": groupShares, "own troubles": groupTroubles, "refused": groupRefused, "one order twice": groupTwice,
		"values": groupValues, "locked": groupLocked, "killed": groupKilled, "contexts": groupContexts, "leaves": groupLeaves, "all leave": groupAllLeave,
		"undone, others written": groupLostBeforeOthers, "done, others written": groupLostBehindOthers, "lost and server": groupLostAndServer,
		"lost before it arrives": lost("before it arrives"), "lost before it is answered": lost("before it is answered"),
		"lost and it arrives late": lost("and it arrives late"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rounds = 20
			for range rounds {
				if waited := test(t, s); waited {
					return
				}
			}
			t.Errorf("they never waited together, in %d rounds", rounds)
		})
	}
	t.Run("hook", func(t *testing.T) { t.Parallel(); groupHook(t, s) })
}

func lost(how string) func(*testing.T, Server) bool {
	return func(t *testing.T, s Server) bool { return groupLost(t, s, how) }
}

// together is a store behind a proxy, whose updates can be made to wait for
// each other.
type together struct {
	*far
	pool *sql.DB // the store's
}

// places is how many updates are under way in a store before others wait, and
// held how long these places can be held.
const (
	places = 16
	held   = 200 * time.Millisecond
)

// together returns the store with that many orders in it.
func (s Server) together(t *testing.T, orders int) together {
	t.Helper()
	f := s.far(t)
	pool := s.Connect(t, f.addr(), f.name, nil)
	f.Store = s.open(t, pool, Options{})
	warm(t, pool)
	for i := range orders {
		create(t, f.near, NewOrder(number(i)))
	}
	for i := range places {
		create(t, f.near, NewOrder(fmt.Sprint("tzxz_holder_", i)))
	}
	return together{f, pool}
}

// warm makes all connections, which takes some servers long.
func warm(t *testing.T, pool *sql.DB) {
	t.Helper()
	for range Pool {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

func number(i int) string { return fmt.Sprint("tzxz_", i) }

// update is a call of [orderstore.Update].
type update struct {
	ctx    context.Context
	number string
	change orderstore.Change

	order orderstore.Order // what it returned
	err   error
}

// touches are updates of that many orders.
func touches(t *testing.T, orders int) []*update {
	updates := make([]*update, orders)
	for i := range updates {
		updates[i] = &update{ctx: t.Context(), number: number(i), change: touch}
	}
	return updates
}

// run makes the updates, all of which wait before the first of them goes on,
// and calls meanwhile then. It returns false when the machine was too slow for
// that. Their first change is made in one transaction.
func (f together) run(t *testing.T, updates []*update, meanwhile func()) (waited bool) {
	t.Helper()
	began := time.Now()
	release := f.hold(t)
	var joined, done sync.WaitGroup
	for _, u := range updates {
		joined.Add(1)
		ctx := &noticed{Context: u.ctx, joined: sync.OnceFunc(joined.Done)}
		done.Go(func() { u.order, u.err = orderstore.Update(ctx, f.Store, u.number, u.change) })
	}
	joined.Wait()
	meanwhile()
	waited = time.Since(began) < held
	release()
	done.Wait()
	return waited
}

// hold takes all places.
func (f together) hold(t *testing.T) (release func()) {
	t.Helper()
	var under, done sync.WaitGroup
	over := make(chan struct{})
	for i := range places {
		under.Add(1)
		done.Go(func() {
			_, err := orderstore.Update(t.Context(), f.Store, fmt.Sprint("tzxz_holder_", i), func(o orderstore.Order) (orderstore.Order, bool) {
				under.Done()
				<-over
				return o, false
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	under.Wait()
	return func() { close(over); done.Wait() }
}

// noticed is a context that tells when somebody first waits for its end, which
// an update does when it has joined those who wait.
type noticed struct {
	context.Context
	joined func()
}

// Value hides the context that is known to package context, so that it calls
// AfterFunc.
func (n *noticed) Value(any) any { return nil }

// AfterFunc is called by package context.
func (n *noticed) AfterFunc(f func()) (stop func() bool) {
	stop = context.AfterFunc(n.Context, f)
	n.joined()
	return stop
}

// groupShares: as many as wait are written in one commit.
func groupShares(t *testing.T, s Server) bool {
	const orders = 48
	f := s.together(t, orders)
	before := f.passed.Load()
	updates := touches(t, orders)
	if !f.run(t, updates, nothing) {
		return false
	}
	if commits := f.passed.Load() - before; commits != 1 {
		t.Errorf("%d commits for %d orders that waited together", commits, orders)
	}
	for _, u := range updates {
		if got := get(t, f.near, u.number); u.err != nil || u.order.Changed(got) {
			t.Errorf("%s: %v\n%+v, stored is\n%+v", u.number, u.err, u.order, got)
		}
	}
	f.written(t, updates)
	return true
}

// groupTroubles: what is wrong with one is no other's trouble.
func groupTroubles(t *testing.T, s Server) bool {
	const orders = 8
	f := s.together(t, orders)
	with := func(alter func(*orderstore.Order)) orderstore.Change {
		return func(o orderstore.Order) (orderstore.Order, bool) { o, _ = touch(o); alter(&o); return o, true }
	}
	updates := touches(t, orders)
	panics, unknown, idle, bytes := updates[1], updates[2], updates[3], updates[5]
	panics.change = func(orderstore.Order) (orderstore.Order, bool) { panic("boom") }
	unknown.number = "tzxz_unknown"
	idle.change = func(o orderstore.Order) (orderstore.Order, bool) { return o, false }
	bytes.change = with(func(o *orderstore.Order) { o.Anomaly = "\xff" })
	before := f.passed.Load()
	if !f.run(t, updates, nothing) {
		return false
	}
	if commits := f.passed.Load() - before; commits != 1 {
		t.Errorf("%d commits", commits)
	}
	for i, u := range updates {
		version := int64(2)
		switch u {
		case panics:
			if version = 1; u.err == nil || u.err.Error() != "update order: panicked: boom" {
				t.Errorf("a change that panics: %v", u.err)
			}
		case unknown:
			if version = 1; !errors.Is(u.err, orderstore.ErrNotFound) {
				t.Errorf("an unknown order: %v", u.err)
			}
		case idle:
			if version = 1; u.err != nil || u.order.Version != 1 {
				t.Errorf("a change that changes nothing: version %d, %v", u.order.Version, u.err)
			}
		case bytes:
			if version = 1; u.err == nil || errors.Is(u.err, orderstore.ErrConflict) {
				t.Errorf("a change to what is no text: %v", u.err)
			}
		default:
			if u.err != nil || u.order.Version != 2 {
				t.Errorf("%s: version %d, %v", u.number, u.order.Version, u.err)
			}
		}
		check(t, f.db, f.near, number(i), version, int(version))
	}
	return true
}

// groupHook: a hook can break its transaction, so nobody shares it.
func groupHook(t *testing.T, s Server) {
	store, _ := s.hooked(t, nil, grant)
	if itself, update := store.(orderstore.Updater).Updater(); itself != nil || update != nil {
		t.Error("a store with a hook has a way to update orders together")
	}
	db, _ := s.database(t, nil)
	plain := s.open(t, db, Options{})
	if itself, update := plain.(orderstore.Updater).Updater(); itself != orderstore.Store(plain) || update == nil {
		t.Error("a store without a hook has none")
	}
}
