//go:build cgo

package sqlite_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// countCommits counts how often SQLite commits for s from now on.
func countCommits(t *testing.T, s *sqlite.Store) *atomic.Int64 {
	t.Helper()
	var commits atomic.Int64
	onCommit(t, s, func() bool { commits.Add(1); return false })
	return &commits
}

func onCommit(t *testing.T, s *sqlite.Store, refuse func() bool) {
	t.Helper()
	if err := s.OnCommit(t.Context(), refuse); err != nil {
		t.Fatal(err)
	}
}

func awaitWaiting(t *testing.T, s *sqlite.Store, writers int) {
	t.Helper()
	for range 10_000 {
		if s.Waiting() == writers {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d writers wait, want %d", s.Waiting(), writers)
}

// gather runs the writes, all of which wait before the first of them leads,
// and returns what they returned.
func gather(t *testing.T, s *sqlite.Store, writes ...func() error) []error {
	t.Helper()
	release := s.Hold()
	errs := make([]error, len(writes))
	var wg sync.WaitGroup
	for i, write := range writes {
		wg.Go(func() { errs[i] = write() })
	}
	awaitWaiting(t, s, len(writes))
	release()
	wg.Wait()
	return errs
}

// creates are writes that create an order each.
func creates(t *testing.T, s *sqlite.Store, prefix string, n int) []func() error {
	t.Helper()
	writes := make([]func() error, n)
	for i := range writes {
		writes[i] = func() error { return s.Create(t.Context(), newOrder(fmt.Sprint(prefix, i))) }
	}
	return writes
}

// checkOrder compares the order's version, that of one that does not exist
// being 0, and that its history is as long as touch and newOrder make it.
func checkOrder(t *testing.T, s *sqlite.Store, number string, version int64) {
	t.Helper()
	o, err := s.Get(t.Context(), number)
	if o.Version != version || err != nil && !(version == 0 && errors.Is(err, orderstore.ErrNotFound)) {
		t.Errorf("%s has version %d (%v), want %d", number, o.Version, err, version)
	}
	if events, err := s.Events(t.Context(), number); err != nil || int64(len(events)) != version {
		t.Errorf("%s has %d events (%v), want %d", number, len(events), err, version)
	}
}

func TestWhoWaitsTogetherIsCommittedTogether(t *testing.T) {
	t.Parallel()
	for waiting, want := range map[int]int64{1: 1, 2: 1, 64: 1, sqlite.MaxGroup: 1, sqlite.MaxGroup + 1: 2, 2*sqlite.MaxGroup + 1: 3} {
		s := open(t, newPath(t))
		commits := countCommits(t, s)
		if err := errors.Join(gather(t, s, creates(t, s, "tzxz_", waiting)...)...); err != nil {
			t.Error(err)
		}
		if n := commits.Load(); n != want {
			t.Errorf("%d waiting writes were committed %d times, want %d", waiting, n, want)
		}
		for i := range waiting {
			checkOrder(t, s, fmt.Sprint("tzxz_", i), 1)
		}
	}
}

// saveInFlight has writers save orders of their own, each until rounds of its
// saves are done, and returns how many commits it took.
func saveInFlight(t *testing.T, s *sqlite.Store, writers, rounds int) (commits int64) {
	t.Helper()
	orders := make([]orderstore.Order, writers)
	for i := range orders {
		orders[i] = newOrder(fmt.Sprint("tzxz_", i))
	}
	var wg sync.WaitGroup
	for _, o := range orders {
		wg.Go(func() {
			if err := s.Create(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	count := countCommits(t, s)
	for _, o := range orders {
		wg.Go(func() {
			o := o.Saved()
			for range rounds {
				next, _ := touch(o)
				if err := s.Save(t.Context(), next); err != nil {
					t.Error(err)
				}
				o = next.Saved()
			}
		})
	}
	wg.Wait()
	for _, o := range orders {
		checkOrder(t, s, o.OutTradeNo, int64(1+rounds))
	}
	return count.Load()
}

// In flight, writers come and go as they like; most of them still share.
func TestWritersInFlightShareCommits(t *testing.T) {
	t.Parallel()
	const writers, rounds, atLeast = 64, 20, 8
	s := open(t, newPath(t))
	commits := saveInFlight(t, s, writers, rounds)
	t.Logf("%d writes, %d commits", writers*rounds, commits)
	if commits*atLeast > writers*rounds {
		t.Errorf("%d writes took %d commits, want at least %d writes in each", writers*rounds, commits, atLeast)
	}
}

// On one core nobody can join while the leader runs, and if the disk is quick,
// nobody while it commits. (Not parallel: the number of cores is everybody's.)
func TestWritersShareCommitsOnOneCore(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const writers, rounds, atLeast = 64, 20, 8
	s := open(t, newPath(t))
	writer, _ := s.Handles()
	run(t, writer, "PRAGMA synchronous = OFF") // no disk is quicker
	commits := saveInFlight(t, s, writers, rounds)
	t.Logf("%d writes, %d commits", writers*rounds, commits)
	if commits*atLeast > writers*rounds {
		t.Errorf("%d writes took %d commits, want at least %d writes in each", writers*rounds, commits, atLeast)
	}
}

// With more writers than fit in a group, none is passed over: who waits longest
// is written first, and who comes back with the next write waits behind all who
// wait. The file itself has the order; no clock and no scheduler is asked.
func TestNoWriterStarves(t *testing.T) {
	t.Parallel()
	const writers, groups = 3 * sqlite.MaxGroup, 8
	s := open(t, newPath(t))
	release := s.Hold()
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for _, number := range []string{fmt.Sprint("tzxz_first_", i), fmt.Sprint("tzxz_second_", i)} {
				if err := s.Create(t.Context(), newOrder(number)); err != nil {
					t.Error(err)
				}
			}
		})
		awaitWaiting(t, s, i+1)
	}
	release()
	wg.Wait()
	// A leader begins its group, whoever it is, so one in a group can be ahead
	// of its turn, and puts the others back by one.
	ahead, place := 0, writtenAt(t, s)
	for i := range writers {
		switch at := place[fmt.Sprint("tzxz_first_", i)]; {
		case at > i+groups:
			t.Errorf("writer %d of %d was written after %d others", i, writers, at)
		case at < i:
			ahead++
		}
	}
	if ahead > groups {
		t.Errorf("%d writers were written ahead of their turn", ahead)
	}
}

// writtenAt is the place of each order in the sequence of writing.
func writtenAt(t *testing.T, s *sqlite.Store) map[string]int {
	t.Helper()
	_, readers := s.Handles()
	rows, err := readers.QueryContext(t.Context(), "SELECT out_trade_no FROM pay_order_record ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	place := make(map[string]int)
	for rows.Next() {
		var number string
		if err := rows.Scan(&number); err != nil {
			t.Fatal(err)
		}
		place[number] = len(place)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return place
}

// A leader goes when its group is committed, however many wait.
func TestLeadershipIsHandedOver(t *testing.T) {
	t.Parallel()
	const groups = 4
	s := open(t, newPath(t))
	var mu sync.Mutex
	var done []int64 // for each write, the number of commits when it returned
	commits := countCommits(t, s)
	writes := creates(t, s, "tzxz_", groups*sqlite.MaxGroup)
	for i, write := range writes {
		writes[i] = func() error {
			err := write()
			mu.Lock()
			defer mu.Unlock()
			done = append(done, commits.Load())
			return err
		}
	}
	if err := errors.Join(gather(t, s, writes...)...); err != nil {
		t.Error(err)
	}
	if n := commits.Load(); n != groups {
		t.Errorf("%d commits, want %d", n, groups)
	}
	if earliest := slices.Min(done); earliest == groups {
		t.Error("the first leader returned after the last commit")
	}
}
