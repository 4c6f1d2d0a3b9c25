package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/worker"
)

// told is what Config.Backlog heard.
type told struct {
	mu   sync.Mutex
	list []worker.Backlog
}

func (l *told) listen(conf *worker.Config) {
	conf.Backlog = func(_ context.Context, b worker.Backlog) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = append(l.list, b)
	}
}

func (l *told) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, b := range l.list {
		lines = append(lines, fmt.Sprintf("overdue %v owed %v expired %v: %v", b.Overdue, b.Owed, b.Expired, b.Err))
	}
	return lines
}

func (l *told) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := l.lines(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestBacklogOfAFailingApplication: an order whose hand-over fails has an
// appointment in the future, and is known all the same, until it is taken:
// here, or by another worker.
func TestBacklogOfAFailingApplication(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t)
			paid(t, a.store, "order-1")
			var mended atomic.Bool
			conf := a.config(func(context.Context, orderstore.Order) error {
				if mended.Load() {
					return nil
				}
				return errDown
			})
			var heard told
			heard.listen(&conf)
			stop := a.run(worker.New(conf))
			time.Sleep(15*time.Second + time.Millisecond)
			if elsewhere {
				_, err := orderstore.Update(t.Context(), a.store, "order-1", func(o orderstore.Order) (orderstore.Order, bool) {
					return o.HandedOver(time.Now()), true
				})
				if err != nil {
					t.Error(err)
				}
			} else {
				mended.Store(true) // its next try is at 31 s
			}
			time.Sleep(31 * time.Second)
			stop()
			want := []string{"overdue 0s owed 0s expired 0s: <nil>", "overdue 0s owed 15s expired 0s: <nil>"}
			if elsewhere {
				want = append(want, "overdue 0s owed 0s expired 0s: <nil>", "overdue 0s owed 0s expired 0s: <nil>")
			} else {
				want = append(want, "overdue 0s owed 30s expired 0s: <nil>", "overdue 0s owed 0s expired 0s: <nil>")
			}
			heard.expect(t, want...)
		})
	}
}

// TestBacklogOfWhatNobodyTook: what lies in the queue when a worker begins.
func TestBacklogOfWhatNobodyTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		unpaid(t, a.store, "order-0") // for half an hour
		time.Sleep(21 * time.Minute)
		paid(t, a.store, "order-1")
		time.Sleep(14 * time.Minute)
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		w := a.weChat(&conf)
		w.close = func(context.Context, orderstore.Order) error { return errors.New("WeChat is down") }
		var heard told
		heard.listen(&conf)
		stop := a.run(worker.New(conf))
		time.Sleep(time.Minute - time.Millisecond)
		stop()
		if b := heard.list[0]; b.Overdue < 34*time.Minute || b.Overdue > 35*time.Minute || b.Owed != 14*time.Minute || b.Expired != 5*time.Minute {
			t.Errorf("at first: %+v", b)
		}
		if got, want := heard.lines()[3], "overdue 0s owed 0s expired 5m45s: <nil>"; got != want {
			t.Errorf("WeChat does not close it: %q, want %q", got, want)
		}
	})
}

// TestBacklogWithoutAStore says that nothing is known, not that nothing waits.
func TestBacklogWithoutAStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.store.set(nil, func() error { return errDown })
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		var heard told
		heard.listen(&conf)
		stop := a.run(worker.New(conf))
		time.Sleep(time.Millisecond)
		stop()
		heard.expect(t, "overdue 0s owed 0s expired 0s: store is down")
	})
}

// TestWaited: a first call waits from the moment of the payment, the next ones
// from the end of their delay.
func TestWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		time.Sleep(700 * time.Millisecond)
		tries := 0
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error {
			if tries++; tries == 1 {
				return errDown
			}
			return nil
		})))
		time.Sleep(5 * time.Second)
		stop()
		if want := []string{"order-1 try 1 waited 0.7", "order-1 try 2 waited 0"}; !slices.Equal(a.waited, want) {
			t.Errorf("%q, want %q", a.waited, want)
		}
	})
}

// TestBacklogBehindManyDone: a failing order is known however many older ones
// were taken before it.
func TestBacklogBehindManyDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 100 {
			paid(t, a.store, fmt.Sprintf("done-%03d", i))
		}
		time.Sleep(time.Second)
		paid(t, a.store, "failing")
		conf := a.config(func(_ context.Context, o orderstore.Order) error {
			if o.OutTradeNo == "failing" {
				time.Sleep(300 * time.Millisecond) // so that it is not due when the backlog is told
				return errDown
			}
			return nil
		})
		var heard told
		heard.listen(&conf)
		stop := a.run(worker.New(conf))
		time.Sleep(worker.BacklogEvery + time.Millisecond)
		stop()
		if got, want := heard.lines()[1], "overdue 0s owed 15s expired 0s: <nil>"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestBacklogBehindManyClosed is the same of orders to be closed.
func TestBacklogBehindManyClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 100 {
			unpaid(t, a.store, fmt.Sprintf("done-%03d", i))
		}
		time.Sleep(time.Second)
		unpaid(t, a.store, "failing") // for half an hour
		time.Sleep(30 * time.Minute)
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		w := a.weChat(&conf)
		w.close = func(ctx context.Context, o orderstore.Order) error {
			if o.OutTradeNo == "failing" {
				return errDown
			}
			_, err := orderstore.Update(ctx, a.store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
				next, err := o.Close(orderstore.FromClose, "", time.Now())
				return next, err == nil
			})
			return err
		}
		var heard told
		heard.listen(&conf)
		stop := a.run(worker.New(conf))
		time.Sleep(worker.BacklogEvery + time.Millisecond)
		stop()
		if got, want := heard.lines()[1], "overdue 0s owed 0s expired 15s: <nil>"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestBacklogOfAnOrderWithoutAnEnd: it can be paid for ever, and is late never.
func TestBacklogOfAnOrderWithoutAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		unpaid(t, a.store, "order-1")
		_, err := orderstore.Update(t.Context(), a.store, "order-1", func(o orderstore.Order) (orderstore.Order, bool) {
			o.ExpiresAt, o.NextActionAt = time.Time{}, time.Now().Add(-time.Hour)
			return o, true
		})
		if err != nil {
			t.Fatal(err)
		}
		conf := a.config(nil)
		a.weChat(&conf)
		var heard told
		heard.listen(&conf)
		stop := a.run(worker.New(conf))
		synctest.Wait()
		stop()
		heard.expect(t, "overdue 1h0m0s owed 0s expired 0s: <nil>")
	})
}

// TestBacklogAtTheEnd: that a context ends says nothing about the store.
func TestBacklogAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		ctx, cancel := context.WithCancel(t.Context())
		a.store.set(nil, func() error { cancel(); return ctx.Err() })
		conf := a.config(nil)
		var heard told
		heard.listen(&conf)
		if err := worker.New(conf).Run(ctx); err != nil {
			t.Error(err)
		}
		heard.expect(t)
	})
}
