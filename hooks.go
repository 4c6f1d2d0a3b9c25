package wxpay

import (
	"context"
	"log/slog"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/worker"
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
	// Refund: what WeChat said changed a refund, or did not fit it, or WeChat
	// did not take it. What is heard again is told once.
	Refund func(context.Context, RefundInfo)
	// Reconciled: a day was compared with WeChat Pay's bill, or could not be.
	Reconciled func(context.Context, ReconciledInfo)
	// HandOver: Options.OnPaid or OnRefunded returned.
	HandOver func(context.Context, HandOverInfo)
	// Placed: a new order was stored, and WeChat is about to hear of it.
	Placed func(context.Context, Order)
	// Backlog: what waits, told by [Kit.Run] when it begins and every 15
	// seconds. That it is told at all says that somebody runs it.
	Backlog func(context.Context, BacklogInfo)
	// Keys: what the kit signs and verifies with, told by [New] and, because
	// platform certificates are renewed, beside Backlog.
	Keys func(context.Context, []KeyInfo)
}

// RequestInfo describes an answer to a front end.
type RequestInfo struct {
	// Endpoint is prepay, paysign, order, live, cashier, close, refund, events,
	// qr, login, oauth_start, oauth_callback or other.
	Endpoint string
	Outcome  string        // ok, or the name of the problem; a closed list
	Status   int           // HTTP
	Took     time.Duration // of live, until its first event
}

// NotificationInfo describes a notification.
type NotificationInfo struct {
	Outcome   string // ok, ignored, passed_on (by VerifyNotify), or the name of the rejection; a closed list
	EventType string // WeChat's, of verified notifications only
	Serial    string // of the key that signed it, of verified notifications only; "APIv2" for the APIv2 key
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
	case orderstore.Mismatched, orderstore.SecondPayment, orderstore.BecamePaidLate, orderstore.BecamePaidAgain:
		return true
	}
	return false
}

// RefundInfo describes what a fact from WeChat did to a refund.
type RefundInfo struct {
	Order   Order
	Refund  Refund
	Source  orderstore.Source
	Outcome orderstore.RefundOutcome
	Err     error // why WeChat did not take it, or what does not fit
}

// NeedsAction reports whether a person must act: the money does not reach the
// customer by itself, or is not where the order says.
func (r RefundInfo) NeedsAction() bool {
	switch r.Outcome {
	case orderstore.RefundNeedsAction, orderstore.RefundBecameClosed, orderstore.RefundWasRefused,
		orderstore.RefundMismatched, orderstore.RefundNotBegun:
		return true
	}
	return false
}

// ReconciledInfo describes a comparison with a bill.
type ReconciledInfo struct {
	ledger.Report
	Err error
}

// HandOverInfo describes a call of Options.OnPaid or OnRefunded.
type HandOverInfo struct {
	Order  Order
	Refund *Refund // of OnRefunded
	Try    int     // 1 for the first call
	// Waited is how long the call was due before it began: of the first one,
	// since the payment or the end of the refund was stored.
	Waited time.Duration
	Took   time.Duration
	Err    error
}

// BacklogInfo describes what waits, as far as this process can tell: of
// several on one store, the largest of each age counts.
type BacklogInfo struct{ worker.Backlog }

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
	if h.Refund == nil {
		h.Refund = func(context.Context, RefundInfo) {}
	}
	if h.Reconciled == nil {
		h.Reconciled = func(context.Context, ReconciledInfo) {}
	}
	if h.HandOver == nil {
		h.HandOver = func(context.Context, HandOverInfo) {}
	}
	if h.Placed == nil {
		h.Placed = func(context.Context, Order) {}
	}
	if h.Backlog == nil {
		h.Backlog = func(context.Context, BacklogInfo) {}
	}
	if h.Keys == nil {
		h.Keys = func(context.Context, []KeyInfo) {}
	}
	return h
}

// settled tells the log, the hooks and the worker what became of an order.
func (k *Kit) settled(ctx context.Context, t till.Settlement) {
	s := SettledInfo(t)
	about := []slog.Attr{slog.String("order_no", s.Order.OutTradeNo), slog.String("source", string(s.Source))}
	level, news := slog.LevelInfo, "order settled"
	attrs := []slog.Attr{slog.String("outcome", string(s.Outcome)), slog.String("transaction_id", s.Order.TransactionID)}
	if s.Anomaly() {
		level, news = slog.LevelError, "money is not where the order says"
		attrs = []slog.Attr{slog.String("anomaly", string(s.Outcome)), slog.String("facts", s.Order.Anomaly)}
	}
	k.opt.Logger.LogAttrs(ctx, level, news, append(about, attrs...)...)
	k.opt.Hooks.Settled(ctx, s)
	k.live.bell.Ring(s.Order.OutTradeNo)
	k.worker.Wake()
	if s.Order.ToHandOver() && k.running.Load() == 0 && k.complains() {
		k.opt.Logger.LogAttrs(ctx, slog.LevelError, "nobody in this process hands paid orders over: call go kit.Run(ctx)", about...)
	}
}

// complains reports whether it is time to say again that nobody runs the kit, which
// is as true of every order that comes.
func (k *Kit) complains() bool {
	last, now := k.complained.Load(), k.opt.Now().UnixNano()
	return now-last >= int64(time.Minute) && k.complained.CompareAndSwap(last, now)
}

// settledRefund tells the log, the hooks and the worker what became of a
// refund.
func (k *Kit) settledRefund(ctx context.Context, t till.RefundSettlement) {
	r := RefundInfo(t)
	log := k.opt.Logger.With(slog.String("order_no", r.Order.OutTradeNo), slog.String("refund_no", r.Refund.OutRefundNo),
		slog.String("source", string(r.Source)), slog.String("outcome", string(r.Outcome)))
	switch {
	case r.NeedsAction():
		log.ErrorContext(ctx, "refund needs a person", slog.String("remedy", remedies[r.Outcome]), slog.Any("cause", r.Err))
	case r.Err != nil:
		log.WarnContext(ctx, "refund not taken, tried again later", slog.Any("cause", r.Err))
	default:
		log.InfoContext(ctx, "refund settled")
	}
	k.opt.Hooks.Refund(ctx, r)
	k.worker.Wake()
}

// remedies say what to do about a refund that does not get there by itself.
// Source: 退款, wire facts §6.3, §6.6, §6.7.
var remedies = map[orderstore.RefundOutcome]string{
	orderstore.RefundNeedsAction:  "the customer's account takes no money: ask for a bank card and use wxapi.Client.ApplyAbnormalRefund, or handle it on the merchant platform",
	orderstore.RefundBecameClosed: "WeChat gave up, most often for want of money in the account: top it up and refund again under a new number",
	orderstore.RefundWasRefused:   "WeChat will not do it: mend what its code says and ask again with the same number, or pay the customer in another way",
	orderstore.RefundNotBegun:     "the order takes no refund any more, and the customer's money is to go back: pay it back in another way",
	orderstore.RefundMismatched:   "WeChat speaks of another amount or order than this one's: compare both on the merchant platform",
}

func (k *Kit) handedOver(ctx context.Context, h worker.HandOver) {
	k.opt.Hooks.HandOver(ctx, HandOverInfo(h))
}

// backlog tells the hooks what waits, and which keys are in use.
func (k *Kit) backlog(ctx context.Context, b worker.Backlog) {
	if b.Err != nil {
		k.opt.Logger.ErrorContext(ctx, "what waits cannot be read", slog.Any("cause", b.Err))
	}
	k.opt.Hooks.Backlog(ctx, BacklogInfo{b})
	k.tellKeys(ctx)
}
