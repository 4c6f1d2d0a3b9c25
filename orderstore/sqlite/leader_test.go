//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// queueBehind runs the writes in their order behind a leader that waits until
// all is closed, which is when all of them wait.
func queueBehind(t *testing.T, s *sqlite.Store, leading <-chan struct{}, all chan<- struct{}, writes ...func() error) []error {
	t.Helper()
	<-leading
	errs := make([]error, len(writes))
	var wg sync.WaitGroup
	for i, write := range writes {
		wg.Go(func() { errs[i] = write() })
		awaitWaiting(t, s, i+1)
	}
	close(all)
	wg.Wait()
	return errs
}

// When the transaction is gone, those who had been in it begin again, each in
// its own; those who had not come to it share the next.
func TestLostTransactionIsRunAgain(t *testing.T) {
	t.Parallel()
	calls := make(map[string]int) // the write lock guards it
	leading, all := make(chan struct{}), make(chan struct{})
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		calls[o.OutTradeNo]++
		if err := grant(ctx, tx, o); err != nil {
			return err
		}
		switch {
		case o.OutTradeNo == "tzxz_bad":
			return perform(ctx, tx, rollBack)
		case o.OutTradeNo == "tzxz_leader" && calls[o.OutTradeNo] == 1:
			close(leading)
			<-all
		}
		return nil
	})
	save := func(number string) func() error {
		o := newOrder(number)
		if err := s.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return func() error { return s.Save(t.Context(), paid(t, o.Saved())) }
	}
	leader, before, bad, after := save("tzxz_leader"), save("tzxz_before"), save("tzxz_bad"), save("tzxz_after")
	commits := countCommits(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := leader(); err != nil {
			t.Errorf("the leader: %v", err)
		}
	})
	errs := queueBehind(t, s, leading, all, before, bad, after, func() error { return s.Create(t.Context(), newOrder("tzxz_new")) })
	wg.Wait()
	if err := errors.Join(errs[0], errs[2], errs[3]); err != nil || errs[1] == nil {
		t.Errorf("the others: %v; the culprit: %v", err, errs[1])
	}
	want := map[string]int{"tzxz_leader": 2, "tzxz_before": 2, "tzxz_bad": 1, "tzxz_after": 1}
	if !maps.Equal(calls, want) {
		t.Errorf("calls of the hook: %v, want %v", calls, want)
	}
	for number := range want {
		if n := granted(t, s, number); n != 1 && number != "tzxz_bad" {
			t.Errorf("%s was granted %d times", number, n)
		}
	}
	checkOrder(t, s, "tzxz_bad", 1)
	if n := commits.Load(); n != 3 {
		t.Errorf("there were %d commits, want 3", n)
	}
}

// A hook that ends its goroutine, as t.Fatal does, ends a leader's when it
// leads; the others are written none the less.
func TestLeaderThatIsGoneHarmsNobody(t *testing.T) {
	t.Parallel()
	leading, all := make(chan struct{}), make(chan struct{})
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		close(leading)
		<-all
		runtime.Goexit()
		return nil
	})
	o := newOrder("tzxz_bad")
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	go func() {
		err := s.Save(t.Context(), paid(t, o.Saved()))
		t.Errorf("a Save whose goroutine ended returned %v", err)
	}()
	if err := errors.Join(queueBehind(t, s, leading, all, creates(t, s, "tzxz_", 8)...)...); err != nil {
		t.Error(err)
	}
	checkOrder(t, s, "tzxz_bad", 1)
}

// A leader whose own context ends still commits the others.
func TestLeaderThatIsCancelledCommitsTheOthers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	leading, all := make(chan struct{}), make(chan struct{})
	s := openHooked(t, newPath(t), func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
		close(leading)
		<-all
		cancel()
		return grant(ctx, tx, o)
	})
	o := newOrder("tzxz_bad")
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	commits := countCommits(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Save(ctx, paid(t, o.Saved())); !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled Save returned %v", err)
		}
	})
	if err := errors.Join(queueBehind(t, s, leading, all, creates(t, s, "tzxz_", 8)...)...); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := commits.Load(); n != 1 {
		t.Errorf("there were %d commits, want 1", n)
	}
	checkOrder(t, s, "tzxz_bad", 1)
}

// late is a context that ends when it is told, and that nobody hears of who
// waits for it already.
type late struct {
	context.Context
	over atomic.Bool
}

func (c *late) Done() <-chan struct{} {
	if !c.over.Load() {
		return nil
	}
	done := make(chan struct{})
	close(done)
	return done
}

func (c *late) Err() error {
	if c.over.Load() {
		return context.Canceled
	}
	return nil
}

// The first to run a statement in a group may be over by then; those who run
// the same statement behind it are written none the less.
func TestContextOfTheFirstHarmsNobody(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	o := create(t, s, newOrder("tzxz_leader"))
	ctx := &late{Context: t.Context()}
	release := s.Hold()
	var wg sync.WaitGroup
	join := func(waiting int, want error, write func() error) {
		wg.Go(func() {
			if err := write(); !errors.Is(err, want) {
				t.Errorf("writer %d: %v, want %v", waiting, err, want)
			}
		})
		awaitWaiting(t, s, waiting)
	}
	commits := countCommits(t, s)
	join(1, nil, func() error { return s.Save(t.Context(), o) })
	join(2, context.Canceled, func() error { return s.Create(ctx, newOrder("tzxz_late")) })
	join(3, nil, func() error { return s.Create(t.Context(), newOrder("tzxz_behind")) })
	ctx.over.Store(true)
	release()
	wg.Wait()
	if n := commits.Load(); n != 1 {
		t.Errorf("there were %d commits, want 1", n)
	}
	checkOrder(t, s, "tzxz_late", 0)
	checkOrder(t, s, "tzxz_behind", 1)
}
