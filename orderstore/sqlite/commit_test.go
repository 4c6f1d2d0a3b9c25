//go:build cgo

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestWaitingWriterLeavesTheQueue(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	release := s.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- s.Create(ctx, newOrder("tzxz_1")) }()
	stayed := make(chan error)
	go func() { stayed <- s.Create(t.Context(), newOrder("tzxz_2")) }()
	awaitWaiting(t, s, 2)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting Create whose context ended: %v", err)
	}
	awaitWaiting(t, s, 1)
	release()
	if err := <-stayed; err != nil {
		t.Errorf("the other one: %v", err)
	}
	checkOrder(t, s, "tzxz_1", 0)
	checkOrder(t, s, "tzxz_2", 1)
}

// The context that ends while the commit is pending is too late.
func TestPendingCommitDoesNotHearTheContext(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	ctx, cancel := context.WithCancel(t.Context())
	onCommit(t, s, func() bool { cancel(); return false })
	if err := s.Create(ctx, newOrder("tzxz_1")); err != nil {
		t.Errorf("Create whose context ended at the commit: %v", err)
	}
	checkOrder(t, s, "tzxz_1", 1)
}

// When the commit fails, all that was done or found in the transaction is not
// so; who failed without it still hears of his own failure.
func TestFailedCommitIsEverybodys(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	for _, number := range []string{"tzxz_there", "tzxz_old"} {
		if err := s.Create(t.Context(), newOrder(number)); err != nil {
			t.Fatal(err)
		}
	}
	var refuse atomic.Bool
	onCommit(t, s, refuse.Load)
	next, _ := touch(newOrder("tzxz_old").Saved())
	next.Events = next.Events[len(next.Events)-1:]
	writes := append(creates(t, s, "tzxz_", 8),
		func() error { return s.Create(t.Context(), newOrder("tzxz_twice")) },
		func() error { return s.Create(t.Context(), newOrder("tzxz_twice")) },
		func() error { return s.Save(t.Context(), next) },
		func() error { return s.Save(t.Context(), next) },
		func() error { return s.PutGoods(t.Context(), orderstore.Goods{GoodsID: "vip-month", Total: 100}) },
	)
	refuse.Store(true)
	errs := gather(t, s, append(writes, func() error { return s.PutGoods(t.Context(), orderstore.Goods{}) })...)
	for i, err := range errs[:len(writes)] {
		if err == nil || !strings.HasPrefix(err.Error(), "commit: ") {
			t.Errorf("write %d of a failed commit returned %v", i, err)
		}
	}
	if err := errs[len(writes)]; err == nil || strings.HasPrefix(err.Error(), "commit: ") {
		t.Errorf("a write that failed by itself returned %v", err)
	}
	for i := range 8 {
		checkOrder(t, s, fmt.Sprint("tzxz_", i), 0)
	}
	checkOrder(t, s, "tzxz_twice", 0)
	checkOrder(t, s, "tzxz_old", 1)
	if _, err := s.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: "vip-month"}); !errors.Is(err, orderstore.ErrNoGoods) {
		t.Errorf("the goods are there: %v", err)
	}

	refuse.Store(false)
	errs = gather(t, s, writes...)
	if err := errors.Join(errs[:8]...); err != nil {
		t.Errorf("the next commit: %v", err)
	}
	for i, want := range map[int]error{8: orderstore.ErrExists, 10: orderstore.ErrConflict} {
		if a, b := errs[i], errs[i+1]; !(a == nil && errors.Is(b, want) || b == nil && errors.Is(a, want)) {
			t.Errorf("two writes of one order returned %v and %v", a, b)
		}
	}
}

// The file was locked by somebody else for as long as a writer is patient.
// Those who waited behind it do not wait as long again.
func TestLongLockIsEverybodys(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes as long as a writer is patient")
	}
	path := newPath(t)
	s := open(t, path)
	lock(t, path)
	errs := gather(t, s, creates(t, s, "tzxz_", 4)...)
	for i, err := range errs {
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("writer %d of a locked file: %v", i, err)
		}
		if err != errs[0] { // the very error: how long it took says nothing on a busy machine
			t.Errorf("writer %d waited for itself: %v", i, err)
		}
	}
}

// Writers whose contexts end at any moment, with others beside them.
func TestInterruptedWritersTellTheTruth(t *testing.T) {
	t.Parallel()
	const writers, rounds = 32, 20
	s := open(t, newPath(t))
	var wg sync.WaitGroup
	var saved atomic.Int64
	for i := range writers {
		wg.Go(func() {
			o := newOrder(fmt.Sprint("tzxz_", i))
			if err := s.Create(t.Context(), o); err != nil {
				t.Error(err)
				return
			}
			o = o.Saved()
			for round := range rounds {
				next, _ := touch(o)
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if i%2 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(round*150)*time.Microsecond)
				}
				err := s.Save(ctx, next)
				cancel()
				switch {
				case err == nil:
					o = next.Saved()
					saved.Add(1)
				case i%2 == 1 || !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("writer %d: %v", i, err)
				}
				checkOrder(t, s, o.OutTradeNo, o.Version)
			}
		})
	}
	wg.Wait()
	t.Logf("%d of %d were saved", saved.Load(), writers*rounds)
}

// Close while many write: each write is either there or has an error.
func TestCloseUnderWriters(t *testing.T) {
	t.Parallel()
	const writers = 64
	path := newPath(t)
	s := open(t, path)
	var wg sync.WaitGroup
	acknowledged := make([]int, writers)
	for i := range writers {
		wg.Go(func() {
			for s.Create(t.Context(), newOrder(fmt.Sprintf("tzxz_%d_%d", i, acknowledged[i]))) == nil {
				acknowledged[i]++
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	s = open(t, path)
	for i, n := range acknowledged {
		for j := range n {
			checkOrder(t, s, fmt.Sprintf("tzxz_%d_%d", i, j), 1)
		}
		checkOrder(t, s, fmt.Sprintf("tzxz_%d_%d", i, n), 0)
	}
}
