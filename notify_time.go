package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// inTime takes a notification, but refuses what takes too long: a database that
// is gone may not even say so. The work goes on behind the answer, on a copy; if
// it succeeds after all, the next send finds the payment stored.
func inTime(n *Notification, take func(*Notification) error) error {
	taken, done := *n, make(chan error, 1)
	go func() { done <- take(&taken) }()
	late := time.NewTimer(answerDeadline)
	defer late.Stop()
	select {
	case err := <-done:
		*n = taken
		return err
	case <-late.C:
		return &rejection{"store", http.StatusServiceUnavailable, errSlow}
	}
}

func (k *Kit) takeInTime(ctx context.Context, n *Notification) error {
	err := inTime(n, func(n *Notification) error { return k.take(ctx, n) })
	if errors.Is(err, errSlow) {
		n.outTradeNo = numberIn(n.Plaintext)
	}
	return err
}

// numberIn is the order that a notification is about, if it names one.
func numberIn(plaintext []byte) string {
	var about struct {
		OutTradeNo string `json:"out_trade_no"`
	}
	_ = json.Unmarshal(plaintext, &about) // then the log does not name it
	return about.OutTradeNo
}

// taking does the work on a notification in its time, and makes a rejection of
// what goes wrong.
func taking(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &rejection{"internal", http.StatusInternalServerError, fmt.Errorf("panic: %v", p)}
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeDeadline)
	defer cancel()
	err = work(ctx)
	var known *rejection
	switch {
	case err == nil, errors.Is(err, errIgnored), errors.As(err, &known):
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
