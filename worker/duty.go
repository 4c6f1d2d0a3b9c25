package worker

import (
	"context"
	"sync"
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

// begin claims the order for the first step it needs that can be taken now,
// and takes it in a goroutine. The claim is saved here: what this round claimed
// is no longer due when the store is asked again.
func (w *Worker) begin(ctx context.Context, o orderstore.Order, steps *sync.WaitGroup) bool {
	for _, d := range w.duties(o, w.cfg.Now()) {
		if w.start(ctx, d, steps) {
			return true
		}
	}
	return false
}

func (w *Worker) start(ctx context.Context, d duty, steps *sync.WaitGroup) bool {
	if !d.slots.take() {
		return false
	}
	claimed, err := d.claim()
	if err != nil || !d.free() || !w.save(ctx, claimed) {
		d.slots.give()
		return false
	}
	steps.Go(func() {
		defer w.Wake() // a slot is free
		defer d.slots.give()
		d.step(context.WithoutCancel(ctx), claimed.Saved())
	})
	return true
}

// duties are what is due for the order: an order that the application does not
// take holds up neither its refund nor the other way round.
func (w *Worker) duties(o orderstore.Order, now time.Time) []duty {
	var list []duty
	if o.HandOverDue(now) {
		list = append(list, duty{w.hands, func() bool { return !w.stuck.has(o.OutTradeNo) },
			func() (orderstore.Order, error) { return o.BeginHandOver(now, w.handOverLease()) }, w.handOver})
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
		d.step = func(ctx context.Context, o orderstore.Order) { w.handOverRefund(ctx, o, claim) }
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
