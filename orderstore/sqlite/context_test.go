//go:build cgo

package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// lock takes the write lock of the file until the test ends or unlock is
// called.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	writer, _ := open(t, path).Handles()
	tx, err := writer.Begin()
	if err != nil {
		t.Fatal(err)
	}
	unlock = func() { _ = tx.Rollback() }
	t.Cleanup(unlock)
	return unlock
}

func TestWaitingWriterHearsItsContext(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	lock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Create(ctx, newOrder("tzxz_1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Create while another handle holds the lock: %v, want the deadline's error", err)
	}
	// Far more than a deadline, far less than a writer is patient.
	if waited := time.Since(began); waited > 15*time.Second {
		t.Errorf("Create returned %v after a deadline of 20ms", waited)
	}
}

func TestReadersDoNotWaitForAWriter(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	if err := s.Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Fatal(err)
	}
	lock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // one that waited would give up before
	defer cancel()
	if _, err := s.Get(ctx, "tzxz_1"); err != nil {
		t.Errorf("Get while another handle writes: %v", err)
	}
}

func TestWriterWaitsForTheLock(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	time.AfterFunc(300*time.Millisecond, lock(t, path))
	if err := s.Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Errorf("Create behind a short lock: %v", err)
	}
}

// Whenever a context ends, an error means that nothing was written, and nil
// that all was.
func TestInterruptedSaveTellsTheTruth(t *testing.T) {
	t.Parallel()
	const rounds = 300
	s := open(t, newPath(t))
	o := newOrder("tzxz_1")
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	saved := 0
	for range rounds {
		before, err := s.Get(t.Context(), o.OutTradeNo)
		if err != nil {
			t.Fatal(err)
		}
		next, _ := touch(before)
		ctx, cancel := context.WithTimeout(t.Context(), rand.N(600*time.Microsecond))
		err = s.Save(ctx, next)
		cancel()
		want := before.Version
		if err == nil {
			want++
			saved++
		} else if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, orderstore.ErrConflict) {
			t.Fatalf("an interrupted Save: %v", err)
		}
		after, err := s.Get(t.Context(), o.OutTradeNo)
		if err != nil || after.Version != want {
			t.Fatalf("version %d (%v), want %d", after.Version, err, want)
		}
		if events, err := s.Events(t.Context(), o.OutTradeNo); err != nil || int64(len(events)) != want {
			t.Fatalf("%d events (%v), want %d", len(events), err, want)
		}
	}
	t.Logf("%d of %d were saved", saved, rounds)
}
