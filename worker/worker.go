// Package worker does what must be done to orders without anybody asking: it
// asks WeChat about orders of which nothing was heard, closes those whose time
// to pay is over, brings refunds to their end, and hands what was paid and what
// was refunded to the application until the application has taken it.
//
// Everything to do is written on the orders themselves
// ([orderstore.Order.NextActionAt]), so nothing is forgotten when a process
// dies, and several workers on one store share the work: each step begins with
// a claim that only one of them can save.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Config says what a [Worker] works with. All fields but Context, Observe and Backlog
// are required.
type Config struct {
	Store orderstore.Store
	// OnPaid takes a paid order over. It is called until it returns nil.
	OnPaid func(context.Context, orderstore.Order) error
	// OnRefunded takes over a refund whose money is back, in the same way.
	OnRefunded func(context.Context, orderstore.Order, orderstore.Refund) error
	// Deadline ends the context of one call of either.
	Deadline time.Duration
	// MayAsk says whether WeChat may be asked about the order or refund with
	// that number now: the common budget of all who ask.
	MayAsk func(number string, now time.Time) bool
	// Ask asks WeChat what became of the order and settles the answer.
	Ask func(context.Context, orderstore.Order) error
	// Close closes the order at WeChat and here, unless it was paid.
	Close func(context.Context, orderstore.Order) error
	// StepRefund applies for a claimed refund, or asks about it. RefundLease is
	// how long it may take.
	StepRefund  func(ctx context.Context, o orderstore.Order, claim orderstore.Refund) error
	RefundLease time.Duration
	// Interval is how often the store is asked what is due. [Worker.Wake]
	// makes it ask at once.
	Interval time.Duration
	// Parallel is how many orders are handed over at the same time, and how
	// many are asked about.
	Parallel int
	Now      func() time.Time
	Logger   *slog.Logger
	// Context, if set, returns the context for what is done to an order.
	Context func(context.Context, orderstore.Order) context.Context
	// Observe is told of every call of OnPaid and OnRefunded.
	Observe func(context.Context, HandOver)
	// Backlog is told what waits when Run begins, and every [BacklogEvery].
	Backlog func(context.Context, Backlog)
}

// HandOver is one call of the application.
type HandOver struct {
	Order  orderstore.Order   // as it was claimed
	Refund *orderstore.Refund // of OnRefunded, as it was claimed
	Try    int                // 1 for the first call
	// Waited is how long the call was due before it began: of the first one,
	// since the payment or the end of the refund was stored.
	Waited time.Duration
	Took   time.Duration
	Err    error
}

// Worker works while [Worker.Run] runs.
type Worker struct {
	cfg   Config
	wake  chan struct{}
	hands slots // for calls of the application
	asks  slots // for questions to WeChat
	stuck stuck

	owed    eldest // paid, and not known to be handed over
	expired eldest // unpaid after their time, and not known to be closed
}

// New returns a Worker. It starts nothing.
func New(cfg Config) *Worker {
	if cfg.Observe == nil {
		cfg.Observe = func(context.Context, HandOver) {}
	}
	if cfg.Context == nil {
		cfg.Context = func(ctx context.Context, _ orderstore.Order) context.Context { return ctx }
	}
	return &Worker{
		cfg:   cfg,
		wake:  make(chan struct{}, 1),
		hands: make(slots, cfg.Parallel),
		asks:  make(slots, cfg.Parallel),
	}
}

// Wake makes Run look for work at once. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // a wake-up is waiting already
	}
}

// Run works until ctx ends. It then waits for the steps under way, which keep
// their deadlines and are not cut short, and returns nil.
func (w *Worker) Run(ctx context.Context) error {
	var steps sync.WaitGroup
	defer steps.Wait()
	tick := time.NewTicker(w.cfg.Interval)
	defer tick.Stop()
	report := time.NewTicker(BacklogEvery)
	defer report.Stop()
	w.tellBacklog(ctx)
	var waiting []orderstore.Order
	for wide, more := true, true; more; {
		waiting = w.round(ctx, &steps, wide, waiting)
		wide, more = w.wait(ctx, tick.C, report.C)
	}
	return nil
}

// wait returns when it is time for the next round, and whether that is one for
// a tick. more is false when ctx has ended.
func (w *Worker) wait(ctx context.Context, tick, report <-chan time.Time) (wide, more bool) {
	for {
		select {
		case <-ctx.Done():
			return false, false
		case <-w.wake:
			return false, true
		case <-tick:
			return true, true
		case <-report:
			w.tellBacklog(ctx)
		}
	}
}

// What one look at the store brings: at first this many orders, and more when
// none of them can be worked on now, so that those behind are not held up. It
// widens at a tick only: each step that ends wakes the worker, and a backlog
// must not be read anew for each.
const (
	firstLook = 64
	lastLook  = 4096
)

// round begins a step for every order that is due and for which there is a
// free slot, and returns those that have to wait for one. The next round goes
// on with them, unless it is for a tick: a backlog is not read anew for each
// call of the application that ends. What changed meanwhile cannot be claimed.
func (w *Worker) round(ctx context.Context, steps *sync.WaitGroup, wide bool, waiting []orderstore.Order) []orderstore.Order {
	if !wide {
		if l := w.look(ctx, waiting, steps); l.crowded {
			return l.waiting
		}
	}
	for most := firstLook; ctx.Err() == nil; {
		due, err := w.cfg.Store.Due(ctx, w.cfg.Now(), most)
		if err != nil {
			if ctx.Err() == nil {
				w.cfg.Logger.ErrorContext(ctx, "due orders cannot be read", slog.Any("cause", err))
			}
			return nil
		}
		l := w.look(ctx, due, steps)
		switch {
		case l.begun.Load() > 0:
			most = firstLook
		case !wide || len(due) < most || most >= lastLook:
			return l.waiting[:min(len(l.waiting), firstLook)]
		default:
			most *= 4
		}
	}
	return nil
}

// save stores a claim; somebody who was quicker is no error.
func (w *Worker) save(ctx context.Context, claimed orderstore.Order) bool {
	err := w.cfg.Store.Save(ctx, claimed)
	if err != nil && !errors.Is(err, orderstore.ErrConflict) && ctx.Err() == nil {
		w.cfg.Logger.ErrorContext(ctx, "due order cannot be claimed", slog.String("order_no", claimed.OutTradeNo), slog.Any("cause", err))
	}
	return err == nil
}

// slots bound how many steps of a kind are under way.
type slots chan struct{}

func (s slots) take() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) give() { <-s }

func (s slots) full() bool { return len(s) == cap(s) }
