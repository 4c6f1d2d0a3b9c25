package wxpay

import (
	"context"
	"log/slog"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Hooks are told what happens. Every one is optional, must be quick, and is
// safe for concurrent calls. Package wxprom makes metrics of them.
type Hooks struct {
	// Request: an endpoint answered a front end.
	Request func(context.Context, RequestInfo)
	// Notification: WeChat Pay, or somebody who pretends to be, was answered.
	Notification func(context.Context, NotificationInfo)
	// WeChatCall: one try of one call to WeChat Pay ended.
	WeChatCall func(wxapi.Call)
	// Settled: what WeChat said changed an order, or did not fit it. A claim
	// that does not fit is told once, however often WeChat repeats it.
	Settled func(context.Context, SettledInfo)
	// HandOver: Options.OnPaid returned.
	HandOver func(context.Context, HandOverInfo)
}

// RequestInfo describes an answer to a front end.
type RequestInfo struct {
	Endpoint string // prepay, paysign, order, close, qr or other
	Outcome  string // ok, or the name of the problem; a closed list
	Status   int    // HTTP
	Took     time.Duration
}

// NotificationInfo describes a notification.
type NotificationInfo struct {
	Outcome   string // ok, ignored, passed_on (by VerifyNotify), or the name of the rejection; a closed list
	EventType string // WeChat's, of verified notifications only
	Serial    string // of the key that signed it, of verified notifications only
	Took      time.Duration
}

// SettledInfo describes what a fact from WeChat did to an order.
type SettledInfo struct {
	Order   Order
	Source  orderstore.Source
	Outcome orderstore.Outcome
	Err     error // of a mismatch
}

// Anomaly reports whether somebody should look at it: money that is not where
// the order says.
func (s SettledInfo) Anomaly() bool {
	switch s.Outcome {
	case orderstore.Mismatched, orderstore.SecondPayment, orderstore.BecamePaidLate:
		return true
	}
	return false
}

// HandOverInfo describes a call of Options.OnPaid.
type HandOverInfo struct {
	Order Order
	Took  time.Duration
	Err   error
}

func (h Hooks) withDefaults() Hooks {
	if h.Request == nil {
		h.Request = func(context.Context, RequestInfo) {}
	}
	if h.Notification == nil {
		h.Notification = func(context.Context, NotificationInfo) {}
	}
	if h.WeChatCall == nil {
		h.WeChatCall = func(wxapi.Call) {}
	}
	if h.Settled == nil {
		h.Settled = func(context.Context, SettledInfo) {}
	}
	if h.HandOver == nil {
		h.HandOver = func(context.Context, HandOverInfo) {}
	}
	return h
}

// settled tells the log, the hooks and the worker what became of an order.
func (k *Kit) settled(ctx context.Context, t till.Settlement) {
	s := SettledInfo(t)
	log := k.opt.Logger.With(slog.String("order_no", s.Order.OutTradeNo), slog.String("source", string(s.Source)))
	switch {
	case s.Anomaly():
		log.ErrorContext(ctx, "money is not where the order says", slog.String("anomaly", string(s.Outcome)), slog.String("facts", s.Order.Anomaly))
	default:
		log.InfoContext(ctx, "order settled", slog.String("outcome", string(s.Outcome)), slog.String("transaction_id", s.Order.TransactionID))
	}
	k.opt.Hooks.Settled(ctx, s)
	if s.Order.ToHandOver() {
		k.worker.Wake()
		if k.running.Load() == 0 {
			log.ErrorContext(ctx, "nobody in this process hands paid orders over: call go kit.Run(ctx)")
		}
	}
}

func (k *Kit) handedOver(ctx context.Context, o Order, took time.Duration, err error) {
	k.opt.Hooks.HandOver(ctx, HandOverInfo{Order: o, Took: took, Err: err})
}
