package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// BacklogEvery is how often Config.Backlog is told.
const BacklogEvery = 15 * time.Second

// Backlog is what waits, in whole: an age is zero when nothing does. It costs
// one Due and some Gets, however many orders there are, and is a lower bound:
//
// Overdue comes from the head of the store's queue and is exact. An order whose
// hand-over or closing fails is not there, but has an appointment up to ten
// minutes from now; the worker that failed knows it, and reads it again before
// it speaks of it. So of several workers on one store the largest of each age
// counts, and what a worker that died knew is known again after those minutes.
type Backlog struct {
	At time.Time
	// Overdue is how long the order that is due longest has been due. Every
	// second should bring it to nothing.
	Overdue time.Duration
	// Owed is how long ago the oldest order was paid that the application has
	// not taken over.
	Owed time.Duration
	// Expired is for how long the time to pay has been over, of the oldest
	// order that is neither paid nor closed.
	Expired time.Duration
	// Err is why the store could not be asked: the ages say nothing then.
	Err error
}

// tellBacklog looks, and tells.
func (w *Worker) tellBacklog(ctx context.Context) {
	if w.cfg.Backlog == nil {
		return
	}
	looking, cancel := context.WithTimeout(ctx, storeDeadline)
	defer cancel()
	b := w.backlog(looking)
	if b.Err != nil && ctx.Err() != nil {
		return // it ends, and nothing is wrong with the store
	}
	w.cfg.Backlog(ctx, b)
}

func (w *Worker) backlog(ctx context.Context) Backlog {
	now := w.cfg.Now()
	b := Backlog{At: now}
	due, err := w.cfg.Store.Due(ctx, now, firstLook)
	if err != nil {
		b.Err = err
		return b
	}
	for i, o := range due {
		if i == 0 {
			b.Overdue = now.Sub(o.NextActionAt)
		}
		if o.ToHandOver() {
			b.Owed = max(b.Owed, now.Sub(o.PaidAt))
		}
		if o.ToAsk() && o.Expired(now) {
			b.Expired = max(b.Expired, now.Sub(o.ExpiresAt))
		}
	}
	owed, err := w.owed.first(ctx, w.cfg.Store, orderstore.Order.ToHandOver)
	if !owed.IsZero() {
		b.Owed = max(b.Owed, now.Sub(owed))
	}
	expired, err2 := w.expired.first(ctx, w.cfg.Store, orderstore.Order.ToAsk)
	if !expired.IsZero() {
		b.Expired = max(b.Expired, now.Sub(expired))
	}
	b.Err = errors.Join(err, err2)
	return b
}

// eldest are the oldest of some orders: as many as it takes to know another
// when the first is done.
type eldest struct {
	mu   sync.Mutex
	list []since // the oldest first, maxEldest at most
}

type since struct {
	outTradeNo string
	at         time.Time
}

const maxEldest = 64

func (e *eldest) add(outTradeNo string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if slices.ContainsFunc(e.list, func(s since) bool { return s.outTradeNo == outTradeNo }) {
		return
	}
	i, _ := slices.BinarySearchFunc(e.list, at, func(s since, at time.Time) int { return s.at.Compare(at) })
	e.list = slices.Insert(e.list, i, since{outTradeNo, at})
	e.list = e.list[:min(len(e.list), maxEldest)]
}

func (e *eldest) drop(outTradeNo string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = slices.DeleteFunc(e.list, func(s since) bool { return s.outTradeNo == outTradeNo })
}

func (e *eldest) all() []since {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// first is the time of the oldest that still stands, as the store has it, and
// zero if none does. Those that another worker has done meanwhile are dropped.
func (e *eldest) first(ctx context.Context, s orderstore.Store, stands func(orderstore.Order) bool) (time.Time, error) {
	for _, known := range e.all() {
		o, err := s.Get(ctx, known.outTradeNo)
		switch {
		case err != nil && !errors.Is(err, orderstore.ErrNotFound):
			return time.Time{}, err
		case err == nil && stands(o):
			return known.at, nil
		}
		e.drop(known.outTradeNo)
	}
	return time.Time{}, nil
}
