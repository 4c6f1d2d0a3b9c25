package flight_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
)

// TestQueue runs everybody, one after the other, in the order they came.
func TestQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q flight.Queue
		var order []int
		inside := 0
		for i := range 10 {
			go func() {
				err := q.Do(t.Context(), "k", func() error {
					if inside++; inside != 1 {
						t.Errorf("%d inside", inside)
					}
					time.Sleep(time.Second)
					order = append(order, i)
					inside--
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("order %v", order)
		}
	})
}

// TestQueueKeys do not wait for each other.
func TestQueueKeys(t *testing.T) {
	t.Parallel()
	var q flight.Queue
	err := q.Do(t.Context(), "a", func() error {
		return q.Do(t.Context(), "b", func() error { return errors.New("inner") })
	})
	if err == nil || err.Error() != "inner" {
		t.Errorf("error %v", err)
	}
}

// TestQueueLeave: who does not wait any more does not run, and stands in
// nobody's way.
func TestQueueLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q flight.Queue
		hold := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { _ = q.Do(t.Context(), "k", func() error { <-hold; return nil }) })
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		all.Go(func() {
			if err := q.Do(ctx, "k", func() error { t.Error("it ran"); return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		ran := false
		all.Go(func() { _ = q.Do(t.Context(), "k", func() error { ran = true; return nil }) })
		synctest.Wait()
		leave()
		synctest.Wait()
		close(hold)
		all.Wait()
		if !ran {
			t.Error("the last one did not run")
		}
	})
}

// TestQueueAfterAPanic the next one has its turn.
func TestQueueAfterAPanic(t *testing.T) {
	t.Parallel()
	var q flight.Queue
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = q.Do(t.Context(), "k", func() error { panic("boom") })
	}()
	ran := false
	if err := q.Do(t.Context(), "k", func() error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("%v, ran: %v", err, ran)
	}
}
