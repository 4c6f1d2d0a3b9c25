package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/worker"
)

// paid stores an order that was paid at this moment.
func paid(t *testing.T, s orderstore.Store, no string) {
	t.Helper()
	now := time.Now()
	o := orderstore.Order{
		OutTradeNo: no, UserID: "u1", Total: 100, Currency: orderstore.CNY, Product: orderstore.Native,
		MchID: "1600000000", AppID: "wx1", CreatedAt: now, UpdatedAt: now,
	}
	o, outcome, err := o.Apply(orderstore.Payment{
		Source: orderstore.FromQuery, OutTradeNo: no, MchID: "1600000000", AppID: "wx1", TradeState: orderstore.TradeSuccess,
		TransactionID: "42" + no, Total: 100, Currency: orderstore.CNY, PaidAt: now,
	}, now)
	if err != nil || outcome != orderstore.BecamePaid {
		t.Fatalf("%v, %v", outcome, err)
	}
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// moody is a store that can be out of order.
type moody struct {
	orderstore.Store
	mu   sync.Mutex
	save func(o orderstore.Order) error
	due  func() error
}

var errDown = errors.New("store is down")

func (m *moody) set(save func(orderstore.Order) error, due func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.save, m.due = save, due
}

func (m *moody) Save(ctx context.Context, o orderstore.Order) error {
	m.mu.Lock()
	save := m.save
	m.mu.Unlock()
	if save != nil {
		if err := save(o); err != nil {
			return err
		}
	}
	return m.Store.Save(ctx, o)
}

func (m *moody) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	m.mu.Lock()
	due := m.due
	m.mu.Unlock()
	if due != nil {
		if err := due(); err != nil {
			return nil, err
		}
	}
	return m.Store.Due(ctx, now, limit)
}

// app is the application that paid orders are handed to.
type app struct {
	t     *testing.T
	start time.Time
	store *moody
	logs  *bytes.Buffer

	mu     sync.Mutex
	calls  []string // "number at seconds since the start"
	ended  []string // the same, of Observe, with the error
	waited []string // the same, with the try and how long it was due
	inside int
	most   int // calls at the same time
}

func newApp(t *testing.T) *app {
	return &app{t: t, start: time.Now(), store: &moody{Store: memory.New()}, logs: new(bytes.Buffer)}
}

// config is a worker's that tells the app what it does.
func (a *app) config(onPaid func(ctx context.Context, o orderstore.Order) error) worker.Config {
	return worker.Config{
		Store: a.store, Deadline: 30 * time.Second, Interval: time.Second, Parallel: 4, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(a, nil)),
		OnPaid: func(ctx context.Context, o orderstore.Order) error {
			a.mu.Lock()
			a.calls = append(a.calls, fmt.Sprint(o.OutTradeNo, " at ", time.Since(a.start).Seconds()))
			a.inside++
			a.most = max(a.most, a.inside)
			a.mu.Unlock()
			defer func() {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.inside--
			}()
			return onPaid(ctx, o)
		},
		Observe: func(_ context.Context, h worker.HandOver) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.ended = append(a.ended, fmt.Sprint(h.Order.OutTradeNo, " took ", h.Took.Seconds(), ": ", h.Err))
			a.waited = append(a.waited, fmt.Sprint(h.Order.OutTradeNo, " try ", h.Try, " waited ", h.Waited.Seconds()))
		},
	}
}

// Write takes the log's lines.
func (a *app) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.logs.Write(p)
}

func (a *app) log() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.logs.String()
}

func (a *app) called() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// run runs workers until stop is called; stop waits until they have returned.
func (a *app) run(workers ...*worker.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(a.t.Context())
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() {
			if err := w.Run(ctx); err != nil {
				a.t.Errorf("Run returned %v", err)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// handedOver checks how an order stands.
func (a *app) handedOver(no string, want bool, tries int) {
	a.t.Helper()
	o, err := a.store.Get(context.Background(), no)
	if err != nil {
		a.t.Fatal(err)
	}
	if got := !o.HandedOverAt.IsZero(); got != want || o.HandOverTries != tries || o.NextActionAt.IsZero() != want {
		a.t.Errorf("%s: handed over %v after %d tries, next action %v; want %v after %d", no, got, o.HandOverTries, o.NextActionAt, want, tries)
	}
}

func (a *app) history(no string) []orderstore.EventKind {
	events, err := a.store.Events(context.Background(), no)
	if err != nil {
		a.t.Fatal(err)
	}
	var kinds []orderstore.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (a *app) expect(want ...string) {
	a.t.Helper()
	if got := a.called(); !slices.Equal(got, want) {
		a.t.Errorf("calls %q, want %q", got, want)
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		stop := a.run(worker.New(a.config(func(ctx context.Context, o orderstore.Order) error {
			if left, ok := ctx.Deadline(); !ok || time.Until(left) != 30*time.Second {
				t.Errorf("deadline is %v, %v", left, ok)
			}
			if o.PayStatus != orderstore.Paid || o.TransactionID != "42order-1" || o.Total != 100 || o.HandOverTries != 1 {
				t.Errorf("order is %+v", o)
			}
			return nil
		})))
		time.Sleep(time.Hour)
		stop()
		a.expect("order-1 at 0")
		a.handedOver("order-1", true, 1)
		if got := a.history("order-1"); !slices.Equal(got, []orderstore.EventKind{orderstore.EventPaid, orderstore.EventHandedOver}) {
			t.Errorf("history %v", got)
		}
		if !slices.Equal(a.ended, []string{"order-1 took 0: <nil>"}) {
			t.Errorf("observed %q", a.ended)
		}
	})
}

// TestOnPaidFails n times: the delay doubles, and the order is handed over once.
func TestOnPaidFails(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"error", "panic", "deadline"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t)
				paid(t, a.store, "order-1")
				n := 0
				conf := a.config(func(ctx context.Context, _ orderstore.Order) error {
					if n++; n > 5 {
						return nil
					}
					switch how {
					case "panic":
						panic("no such member")
					case "deadline":
						<-ctx.Done()
						return ctx.Err()
					}
					return errors.New("the membership service is down")
				})
				conf.Deadline = 5 * time.Second
				stop := a.run(worker.New(conf))
				time.Sleep(time.Hour)
				stop()
				want := []string{"order-1 at 0", "order-1 at 1", "order-1 at 3", "order-1 at 7", "order-1 at 15", "order-1 at 31"}
				if how == "deadline" { // each takes 5 s
					want = []string{"order-1 at 0", "order-1 at 6", "order-1 at 13", "order-1 at 22", "order-1 at 35", "order-1 at 56"}
				}
				a.expect(want...)
				a.handedOver("order-1", true, 6)
				kinds := append(append([]orderstore.EventKind{orderstore.EventPaid}, slices.Repeat([]orderstore.EventKind{orderstore.EventHandOverFailed}, 5)...), orderstore.EventHandedOver)
				if got := a.history("order-1"); !slices.Equal(got, kinds) {
					t.Errorf("history %v", got)
				}
				events, _ := a.store.Events(t.Context(), "order-1")
				note := map[string]string{"error": "the membership service is down", "panic": "OnPaid panicked: no such member", "deadline": "context deadline exceeded"}[how]
				if events[1].Note != note || strings.Count(a.log(), "application did not take the paid order") != 5 || len(a.ended) != 6 {
					t.Errorf("note %q, observed %q", events[1].Note, a.ended)
				}
			})
		})
	}
}

// TestOnPaidFailsForEver is tried every ten minutes at last, and given up never.
func TestOnPaidFailsForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error { return errDown })))
		time.Sleep(24 * time.Hour)
		stop()
		calls := a.called()
		if n := len(calls); n < 140 || calls[n-1] == calls[n-2] {
			t.Fatalf("%d calls in a day", n)
		}
		var last, before float64
		_, _ = fmt.Sscanf(calls[len(calls)-1], "order-1 at %g", &last)
		_, _ = fmt.Sscanf(calls[len(calls)-2], "order-1 at %g", &before)
		if last-before != 600 {
			t.Errorf("the last two are %v s apart", last-before)
		}
		a.handedOver("order-1", false, len(calls))
	})
}

// TestOthersGoOn while orders before them fail for ever.
func TestOthersGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 40 {
			paid(t, a.store, fmt.Sprintf("bad-%03d", i))
		}
		time.Sleep(time.Millisecond)
		paid(t, a.store, "good-1")
		conf := a.config(func(_ context.Context, o orderstore.Order) error {
			if strings.HasPrefix(o.OutTradeNo, "bad") {
				return errDown
			}
			return nil
		})
		conf.Parallel = 2
		stop := a.run(worker.New(conf))
		synctest.Wait()
		a.handedOver("good-1", true, 1)
		time.Sleep(time.Hour)
		paid(t, a.store, "good-2")
		time.Sleep(time.Second)
		synctest.Wait()
		a.handedOver("good-2", true, 1)
		stop()
	})
}

// TestUnclaimableOrders: an order whose claim cannot be saved does not keep
// those behind it from being handed over.
func TestUnclaimableOrders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 5 { // more than Parallel
			paid(t, a.store, fmt.Sprintf("bad-%03d", i))
		}
		time.Sleep(time.Millisecond)
		paid(t, a.store, "good-1")
		a.store.set(func(o orderstore.Order) error {
			if strings.HasPrefix(o.OutTradeNo, "bad") {
				return errors.New("constraint violated")
			}
			return nil
		}, nil)
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error { return nil })))
		time.Sleep(time.Minute)
		stop()
		a.handedOver("good-1", true, 1)
		if !strings.Contains(a.log(), "due order cannot be claimed") {
			t.Error("the log has no word of the others")
		}
	})
}

// TestStoreFailsAtTheClaim: what is not claimed is not handed over, until it is.
func TestStoreFailsAtTheClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		a.store.set(func(orderstore.Order) error { return errDown }, nil)
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error { return nil })))
		time.Sleep(10*time.Second + time.Millisecond)
		a.expect()
		a.store.set(nil, nil)
		time.Sleep(time.Second)
		stop()
		a.expect("order-1 at 11")
		a.handedOver("order-1", true, 1)
		if n := strings.Count(a.log(), "due order cannot be claimed"); n != 11 {
			t.Errorf("%d lines in the log", n)
		}
	})
}

// TestStoreFailsAtTheQuestion is in the log, and over when it is over.
func TestStoreFailsAtTheQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		a.store.set(nil, func() error { return errDown })
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error { return nil })))
		time.Sleep(3*time.Second + time.Millisecond)
		a.store.set(nil, nil)
		time.Sleep(time.Second)
		stop()
		a.expect("order-1 at 4")
		if n := strings.Count(a.log(), "due orders cannot be read"); n != 4 {
			t.Errorf("%d lines in the log", n)
		}
	})
}

// TestStoreFailsAtTheResult: the application took the order, nobody knows; it
// gets it again when the claim has run out, and not before.
func TestStoreFailsAtTheResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		a.store.set(func(o orderstore.Order) error {
			if !o.HandedOverAt.IsZero() {
				return errDown
			}
			return nil
		}, nil)
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error { return nil })))
		synctest.Wait()
		a.expect("order-1 at 0")
		a.handedOver("order-1", false, 1)
		a.store.set(nil, nil)
		time.Sleep(time.Hour)
		stop()
		a.expect("order-1 at 0", "order-1 at 45") // the deadline, and what storing the result may take
		a.handedOver("order-1", true, 2)
		if !strings.Contains(a.log(), "result of the hand-over cannot be stored") {
			t.Error("the log has no word of it")
		}
	})
}

// TestTwoWorkers on one store hand each order over once.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		const n = 100
		for i := range n {
			paid(t, a.store, fmt.Sprintf("order-%03d", i))
		}
		seen := make(map[string]int)
		var mu sync.Mutex
		conf := a.config(func(_ context.Context, o orderstore.Order) error {
			mu.Lock()
			seen[o.OutTradeNo]++
			mu.Unlock()
			time.Sleep(time.Second)
			return nil
		})
		stop := a.run(worker.New(conf), worker.New(conf), worker.New(conf))
		time.Sleep(5 * time.Minute)
		stop()
		for i := range n {
			no := fmt.Sprintf("order-%03d", i)
			a.handedOver(no, true, 1)
			if seen[no] != 1 {
				t.Errorf("%s was handed over %d times", no, seen[no])
			}
		}
		if a.most > 12 {
			t.Errorf("%d calls at once, three workers of 4", a.most)
		}
	})
}

// TestParallel bounds how many calls run at once, and uses all of it.
func TestParallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 20 {
			paid(t, a.store, fmt.Sprintf("order-%03d", i))
		}
		stop := a.run(worker.New(a.config(func(context.Context, orderstore.Order) error {
			time.Sleep(10 * time.Second)
			return nil
		})))
		time.Sleep(50 * time.Second) // 20 orders, 4 at once
		stop()
		if a.most != 4 || len(a.called()) != 20 {
			t.Errorf("%d calls, %d at once", len(a.called()), a.most)
		}
	})
}

// TestBacklog: after a day without the application, the orders that wait are
// not read over and over for each one that is handed over.
func TestBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		const n = 350
		for i := range n {
			paid(t, a.store, fmt.Sprintf("order-%03d", i))
		}
		rows := &rowCounter{Store: a.store}
		conf := a.config(func(context.Context, orderstore.Order) error {
			time.Sleep(50 * time.Millisecond)
			return nil
		})
		conf.Store = rows
		stop := a.run(worker.New(conf))
		time.Sleep(time.Minute)
		stop()
		if got := len(a.called()); got != n {
			t.Errorf("%d of %d orders were handed over", got, n)
		}
		if got := rows.n.Load(); got > 10*n {
			t.Errorf("%d rows were read for %d orders", got, n)
		}
	})
}

// TestQuestionBehindABacklog: calls of the application that take long do not
// hold up a question to WeChat, however many orders wait before it.
func TestQuestionBehindABacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(func(context.Context, orderstore.Order) error {
			time.Sleep(time.Minute)
			return nil
		})
		conf.Interval, conf.Deadline = 24*time.Hour, time.Hour
		w := a.weChat(&conf)
		for i := range 150 {
			paid(t, a.store, fmt.Sprintf("order-%03d", i))
		}
		unpaid(t, a.store, "silent")
		time.Sleep(10 * time.Second)
		stop := a.run(worker.New(conf))
		synctest.Wait()
		if got := w.heard(); len(got) != 1 || len(a.called()) != 4 {
			t.Errorf("asked %q beside %d calls", got, len(a.called()))
		}
		stop()
	})
}

// rowCounter counts what Due returns.
type rowCounter struct {
	orderstore.Store
	n atomic.Int64
}

func (c *rowCounter) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	due, err := c.Store.Due(ctx, now, limit)
	c.n.Add(int64(len(due)))
	return due, err
}

// TestWake does not wait for the interval, also when it comes before Run.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		conf.Interval = 24 * time.Hour
		w := worker.New(conf)
		for range 3 {
			w.Wake() // never blocks
		}
		stop := a.run(w)
		time.Sleep(time.Minute)
		paid(t, a.store, "order-1")
		synctest.Wait()
		a.expect()
		w.Wake()
		synctest.Wait()
		a.expect("order-1 at 60")
		stop()
	})
}

// TestWakeBesideQuestions: orders that WeChat may not be asked about now do not
// keep a payment from being handed over at once.
func TestWakeBesideQuestions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		a.weChat(&conf)
		conf.Interval, conf.MayAsk = 24*time.Hour, func(string, time.Time) bool { return false }
		for i := range 10 {
			unpaid(t, a.store, fmt.Sprintf("silent-%03d", i))
		}
		time.Sleep(10 * time.Second)
		w := worker.New(conf)
		stop := a.run(w)
		synctest.Wait()
		paid(t, a.store, "order-1")
		w.Wake()
		synctest.Wait()
		a.expect("order-1 at 10")
		stop()
	})
}

// TestStop: Run returns only when the calls under way have ended and their
// results are stored; they are not cut short, and nothing new begins.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		for i := range 8 {
			paid(t, a.store, fmt.Sprintf("order-%03d", i))
		}
		stop := a.run(worker.New(a.config(func(ctx context.Context, _ orderstore.Order) error {
			select {
			case <-time.After(10 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})))
		time.Sleep(time.Second)
		stop()
		if took := time.Since(a.start); took != 10*time.Second {
			t.Errorf("Run returned after %v", took)
		}
		calls := a.called()
		if len(calls) != 4 {
			t.Errorf("calls %q", calls)
		}
		for _, c := range calls {
			no, _, _ := strings.Cut(c, " ")
			a.handedOver(no, true, 1)
		}
		time.Sleep(time.Hour)
		if n := len(a.called()); n != 4 {
			t.Errorf("%d calls after Run has returned", n)
		}
	})
}

// TestStopBeforeTheFirstRound: a context that has ended starts nothing.
func TestStopBeforeTheFirstRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		paid(t, a.store, "order-1")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := worker.New(a.config(func(context.Context, orderstore.Order) error { return nil })).Run(ctx); err != nil {
			t.Errorf("Run returned %v", err)
		}
		a.expect()
		a.handedOver("order-1", false, 0)
	})
}

// TestOrdersThatAreNotDue are not handed over: unpaid, handed over, claimed,
// delayed.
func TestOrdersThatAreNotDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		change := func(no string, change func(o *orderstore.Order)) {
			paid(t, a.store, no)
			_, err := orderstore.Update(t.Context(), a.store, no, func(o orderstore.Order) (orderstore.Order, bool) {
				change(&o)
				return o, true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		change("unpaid", func(o *orderstore.Order) { o.PayStatus = orderstore.Unpaid })
		change("done", func(o *orderstore.Order) { o.HandedOverAt = time.Now() })
		change("not-yet", func(o *orderstore.Order) { o.NextActionAt = time.Now().Add(time.Hour) })
		change("never", func(o *orderstore.Order) { o.NextActionAt = time.Time{} })
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		a.weChat(&conf)
		stop := a.run(worker.New(conf))
		time.Sleep(59 * time.Minute)
		a.expect()
		time.Sleep(time.Minute + time.Millisecond)
		stop()
		a.expect("not-yet at 3600")
	})
}
