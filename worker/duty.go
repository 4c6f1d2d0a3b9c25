package worker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// duty is a step that an order needs now.
type duty struct {
	slots slots
	free  func() bool                      // whether nothing stands against it
	claim func() (orderstore.Order, error) // makes the next appointment, so that nobody else takes it
	step  func(ctx context.Context, claimed orderstore.Order)
}

// look is one look at what is due. Its claims are saved side by side, so that a
// store can commit them together; whoever waits for them finds what was claimed
// no longer due.
type look struct {
	claims  sync.WaitGroup
	begun   atomic.Int64       // claims that were saved
	waiting []orderstore.Order // for which there was no slot, or which could not be claimed
	crowded bool               // as many calls of the application were under way as may be
}

// look begins a step for each of the orders that need one.
func (w *Worker) look(ctx context.Context, due []orderstore.Order, steps *sync.WaitGroup) *look {
	l := new(look)
	for _, o := range due {
		if ctx.Err() != nil || w.begin(ctx, o, l, steps) {
			continue
		}
		l.claims.Wait() // slots whose claim cannot be saved are free again
		if !w.begin(ctx, o, l, steps) {
			l.waiting = append(l.waiting, o)
			l.crowded = l.crowded || w.hands.full()
		}
	}
	l.claims.Wait()
	return l
}

// begin takes the first step that the order needs and that can be taken now,
// in a goroutine that claims the order first. It reports false if there is
// none.
func (w *Worker) begin(ctx context.Context, o orderstore.Order, l *look, steps *sync.WaitGroup) bool {
	for _, d := range w.duties(o, w.cfg.Now()) {
		if w.start(ctx, d, l, steps) {
			return true
		}
	}
	return false
}

func (w *Worker) start(ctx context.Context, d duty, l *look, steps *sync.WaitGroup) bool {
	if !d.slots.take() {
		return false
	}
	claim, err := d.claim()
	if err != nil || !d.free() {
		d.slots.give()
		return false
	}
	l.claims.Add(1)
	steps.Go(func() {
		began := w.claimed(ctx, claim, l)
		if began {
			d.step(w.cfg.Context(context.WithoutCancel(ctx), claim), claim.Saved())
		}
		d.slots.give()
		if began {
			w.Wake() // a slot is free
		}
	})
	return true
}

// claimed saves the claim, and reports whether nobody was quicker.
func (w *Worker) claimed(ctx context.Context, claim orderstore.Order, l *look) bool {
	defer l.claims.Done()
	if !w.save(ctx, claim) {
		return false
	}
	l.begun.Add(1)
	return true
}

// duties are what is due for the order: an order that the application does not
// take holds up neither its refund nor the other way round.
func (w *Worker) duties(o orderstore.Order, now time.Time) []duty {
	var list []duty
	if o.HandOverDue(now) {
		list = append(list, duty{w.hands, func() bool { return !w.stuck.has(o.OutTradeNo) },
			func() (orderstore.Order, error) { return o.BeginHandOver(now, w.handOverLease()) },
			func(ctx context.Context, claimed orderstore.Order) { w.handOver(ctx, claimed, o.HandOverAt) }})
	}
	if r, due := o.RefundDue(now); due {
		list = append(list, w.refundDuty(o, r, now))
	}
	if o.ToAsk() {
		list = append(list, duty{w.asks, func() bool { return w.cfg.MayAsk(o.OutTradeNo, now) },
			func() (orderstore.Order, error) { return o.BeginAsk(now) }, w.reconcile})
	}
	return list
}

func (w *Worker) refundDuty(o orderstore.Order, r orderstore.Refund, now time.Time) duty {
	var claim orderstore.Refund
	d := duty{
		slots: w.asks,
		free:  func() bool { return w.cfg.MayAsk(r.OutRefundNo, now) },
		claim: func() (next orderstore.Order, err error) {
			next, claim, err = o.BeginRefundStep(r.OutRefundNo, now, w.cfg.RefundLease)
			return next, err
		},
		step: func(ctx context.Context, o orderstore.Order) { w.stepRefund(ctx, o, claim) },
	}
	if r.ToHandOver() {
		d.slots = w.hands
		d.free = func() bool { return !w.stuck.has(refundKey(o, r)) }
		d.claim = func() (next orderstore.Order, err error) {
			next, claim, err = o.BeginRefundStep(r.OutRefundNo, now, w.handOverLease())
			return next, err
		}
		d.step = func(ctx context.Context, o orderstore.Order) { w.handOverRefund(ctx, o, claim, r.NextActionAt) }
	}
	return d
}

// handOverLease is how long a call of the application is left alone: its
// deadline, the patience with a hook that does not heed it, the write of its
// result, and something for slow clocks.
func (w *Worker) handOverLease() time.Duration {
	const margin = 4 * time.Second
	return w.cfg.Deadline + patience + storeDeadline + margin
}

// refundKey names a call of OnRefunded.
func refundKey(o orderstore.Order, r orderstore.Refund) string {
	return o.OutTradeNo + " " + r.OutRefundNo
}
