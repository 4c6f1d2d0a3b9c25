//go:build cgo

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// TestWaitingReaderHearsItsContext: whoever finds all reading connections in use
// waits for one, but not longer than it may.
func TestWaitingReaderHearsItsContext(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	_, readers := s.Handles()
	for range readers.Stats().MaxOpenConnections {
		conn, err := readers.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "tzxz_1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get while all connections are in use: %v, want the deadline's error", err)
	}
}

// overSoon is a context that is over when somebody has looked at it a few times.
type overSoon struct {
	context.Context
	looks atomic.Int32
}

func (o *overSoon) Err() error {
	if o.looks.Add(1) > 10 {
		return context.Canceled
	}
	return o.Context.Err()
}

// TestLongListHearsItsContext: nobody interrupts SQLite, so the context is looked
// at between the rows.
func TestLongListHearsItsContext(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	for i := range 20 {
		o := newOrder(fmt.Sprintf("tzxz_%d", i))
		o.NextActionAt = epoch
		if err := s.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	ctx := &overSoon{Context: t.Context()}
	if due, err := s.Due(ctx, epoch, 20); !errors.Is(err, context.Canceled) || len(due) > 0 {
		t.Errorf("a list whose context ended: %d orders, %v", len(due), err)
	}
	if due, err := s.Due(t.Context(), epoch, 20); err != nil || len(due) != 20 {
		t.Errorf("the next list: %d orders, %v", len(due), err)
	}
}
