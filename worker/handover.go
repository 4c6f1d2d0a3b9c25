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
// at least once, never not at all.
func (w *Worker) handOver(ctx context.Context, o orderstore.Order) {
	start := w.cfg.Now()
	hookErr := w.call(ctx, o)
	now := w.cfg.Now()
	w.cfg.Observe(ctx, o, now.Sub(start), hookErr)
	log := w.cfg.Logger.With(slog.String("order_no", o.OutTradeNo), slog.Int("tries", o.HandOverTries))
	ctx, cancel := context.WithTimeout(ctx, storeDeadline)
	defer cancel()
	_, err := orderstore.Update(ctx, w.cfg.Store, o.OutTradeNo, func(read orderstore.Order) (orderstore.Order, bool) {
		next := read.HandedOver(now)
		if hookErr != nil {
			next = read.HandOverFailed(o.HandOverTries, hookErr.Error(), now)
		}
		return next, next.Changed(read)
	})
	switch {
	case err != nil:
		log.ErrorContext(ctx, "result of the hand-over cannot be stored", slog.Any("cause", err))
	case hookErr != nil:
		log.ErrorContext(ctx, "application did not take the paid order", slog.Any("cause", hookErr))
	default:
		log.InfoContext(ctx, "paid order handed over")
	}
}

// errStuck is a call that has not returned although its context ended.
var errStuck = errors.New("OnPaid did not return at its deadline")

// patience is what a call gets after its deadline to notice it.
const patience = time.Second

// call runs the application's hook. Its panic is an error, not the process. A
// hook that does not heed its deadline is left behind, so that it blocks no
// other order; its own is not handed over again in this process before it has
// returned.
func (w *Worker) call(ctx context.Context, o orderstore.Order) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Deadline)
	result := make(chan error, 1)
	w.stuck.add(o.OutTradeNo)
	go func() {
		defer cancel()
		defer w.stuck.remove(o.OutTradeNo)
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("OnPaid panicked: %v", p)
			}
		}()
		result <- w.cfg.OnPaid(ctx, o)
	}()
	late := time.NewTimer(w.cfg.Deadline + patience)
	defer late.Stop()
	select {
	case err := <-result:
		return err
	case <-late.C:
		return errStuck
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
