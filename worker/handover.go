package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// storeDeadline bounds the write of a call's result.
const storeDeadline = 10 * time.Second

// handOver calls the application once and stores how it went. If the result
// cannot be stored, the claim runs out and the order is handed over again:
// at least once, never not at all. due is when the call was to be made.
func (w *Worker) handOver(ctx context.Context, o orderstore.Order, due time.Time) {
	w.owed.add(o.OutTradeNo, o.PaidAt)
	start := w.cfg.Now()
	hookErr := w.call(ctx, "OnPaid", o.OutTradeNo, func(ctx context.Context) error { return w.cfg.OnPaid(ctx, o) })
	now := w.cfg.Now()
	if hookErr == nil {
		w.owed.drop(o.OutTradeNo)
	}
	w.cfg.Observe(ctx, HandOver{o, nil, o.HandOverTries, start.Sub(due), now.Sub(start), hookErr})
	log := w.cfg.Logger.With(slog.String("order_no", o.OutTradeNo), slog.Int("tries", o.HandOverTries))
	w.result(ctx, log, "paid order", o.OutTradeNo, hookErr, func(read orderstore.Order) orderstore.Order {
		if hookErr != nil {
			return read.HandOverFailed(o.HandOverTries, hookErr.Error(), now)
		}
		return read.HandedOver(now)
	})
}

// handOverRefund is handOver of a refund whose money is back.
func (w *Worker) handOverRefund(ctx context.Context, o orderstore.Order, claim orderstore.Refund, due time.Time) {
	start := w.cfg.Now()
	hookErr := w.call(ctx, "OnRefunded", refundKey(o, claim), func(ctx context.Context) error { return w.cfg.OnRefunded(ctx, o, claim) })
	now := w.cfg.Now()
	w.cfg.Observe(ctx, HandOver{o, &claim, claim.HandOverTries, start.Sub(due), now.Sub(start), hookErr})
	log := w.cfg.Logger.With(slog.String("order_no", o.OutTradeNo), slog.String("refund_no", claim.OutRefundNo), slog.Int("tries", claim.HandOverTries))
	w.result(ctx, log, "refund", o.OutTradeNo, hookErr, func(read orderstore.Order) orderstore.Order {
		if hookErr != nil {
			return read.RefundHandOverFailed(claim, hookErr.Error(), now)
		}
		return read.RefundHandedOver(claim.OutRefundNo, now)
	})
}

// result stores how a call of the application went, and logs it.
func (w *Worker) result(ctx context.Context, log *slog.Logger, what, outTradeNo string, hookErr error, change func(orderstore.Order) orderstore.Order) {
	ctx, cancel := context.WithTimeout(ctx, storeDeadline)
	defer cancel()
	_, err := orderstore.Update(ctx, w.cfg.Store, outTradeNo, func(read orderstore.Order) (orderstore.Order, bool) {
		next := change(read)
		return next, next.Changed(read)
	})
	switch {
	case err != nil:
		log.ErrorContext(ctx, "result of the hand-over cannot be stored", slog.Any("cause", err))
	case hookErr != nil:
		log.ErrorContext(ctx, "application did not take the "+what, slog.Any("cause", hookErr))
	default:
		log.InfoContext(ctx, what+" handed over")
	}
}

// errStuck is a call that has not returned although its context ended.
var errStuck = errors.New("did not return at its deadline")

// patience is what a call gets after its deadline to notice it.
const patience = time.Second

// call runs the application's hook. Its panic is an error, not the process. A
// hook that does not heed its deadline is left behind, so that it blocks no
// other order; its own is not handed over again in this process before it has
// returned.
func (w *Worker) call(ctx context.Context, name, key string, hook func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Deadline)
	result := make(chan error, 1)
	w.stuck.add(key)
	go func() {
		defer cancel()
		defer w.stuck.remove(key)
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("%s panicked: %v", name, p)
			}
		}()
		result <- hook(ctx)
	}()
	late := time.NewTimer(w.cfg.Deadline + patience)
	defer late.Stop()
	select {
	case err := <-result:
		return err
	case <-late.C:
		return fmt.Errorf("%s %w", name, errStuck)
	}
}

// stuck are the orders that a call of the application holds.
type stuck struct {
	mu sync.Mutex
	no map[string]struct{}
}

func (s *stuck) add(no string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.no == nil {
		s.no = make(map[string]struct{})
	}
	s.no[no] = struct{}{}
}

func (s *stuck) remove(no string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.no, no)
}

func (s *stuck) has(no string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.no[no]
	return ok
}
