package wxpay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// takeDeadline bounds the work on one notification. What WeChat signed is
// stored all the same when it has hung up, or was told to send again, so the
// work ends with neither.
const takeDeadline = 10 * time.Second

// answerDeadline is when WeChat has its answer, before it hangs up.
const answerDeadline = 4500 * time.Millisecond

var errSlow = errors.New("not stored by the time WeChat wants its answer")

// task is what a notification has the kit do.
type task func(context.Context) error

// inTime does a task and answers with what came of it, but refuses what takes too
// long: a database that is gone may not even say so. The task goes on behind that
// answer; if it succeeds after all, the next send finds the payment stored.
//
// It is the handler that goes on, and somebody else who answers then: another
// goroutine for each task would cost more than the task's own rules do. WeChat hears
// of it if the application's middleware lets the answer be flushed; otherwise it
// hangs up, which comes to the same.
func (k *Kit) inTime(w http.ResponseWriter, r *http.Request, do task, answer func(error)) {
	var answered sync.Once
	late := time.AfterFunc(answerDeadline, func() { answered.Do(func() { k.tooLate(w, r, answer) }) })
	defer late.Stop()
	err := timed(r.Context(), do)
	answered.Do(func() { answer(err) })
}

// tooLate answers while the handler is busy. The connection is for no other
// notification, which would wait for the handler.
func (k *Kit) tooLate(w http.ResponseWriter, r *http.Request, answer func(error)) {
	defer func() {
		if p := recover(); p != nil { // there is nobody else to catch it
			k.opt.Logger.ErrorContext(r.Context(), "no answer", slog.Any("cause", fmt.Errorf("panic: %v", p)))
		}
	}()
	w.Header().Set("Connection", "close")
	answer(&rejection{"store", http.StatusServiceUnavailable, errSlow})
	if flushes(w) {
		_ = http.NewResponseController(w).Flush()
	}
}

// timed does a task in its time, and makes a rejection of what goes wrong.
func timed(ctx context.Context, do task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &rejection{"internal", http.StatusInternalServerError, fmt.Errorf("panic: %v", p)}
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeDeadline)
	defer cancel()
	err = do(ctx)
	var known *rejection
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, orderstore.ErrNotFound):
		return &rejection{"unknown_order", http.StatusNotFound, err}
	case errors.Is(err, orderstore.ErrMismatch):
		return &rejection{"mismatch", http.StatusBadRequest, err}
	case errors.Is(err, orderstore.ErrNotPaid), errors.Is(err, till.ErrWeChat), errors.Is(err, till.ErrNotAtWeChat):
		return &rejection{"not_paid", http.StatusServiceUnavailable, err}
	}
	return &rejection{"store", http.StatusServiceUnavailable, err}
}
