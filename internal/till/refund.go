package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// RefundLease is how long whoever takes a step of a refund is left alone: the
// step has its deadline before that.
const RefundLease = deadline + 10*time.Second

// RefundWish is what somebody wants to refund.
type RefundWish struct {
	OutRefundNo string
	Amount      orderstore.Fen
	Reason      string // for the customer; cut to WeChat's 80
	AskedBy     string
}

// RefundSettlement is what a fact did to a refund.
type RefundSettlement struct {
	Order   orderstore.Order
	Refund  orderstore.Refund
	Source  orderstore.Source
	Outcome orderstore.RefundOutcome
	Err     error // of a mismatch
}

// Refund stores the wish, and only then takes its first step at WeChat, if it
// is due. One number is one refund: a wish said again finds what became of it.
// Once it is stored the refund goes its way, whatever becomes of this call; the
// refund returned says how far it is. The error is one of the order's rules,
// [ErrFreeze] or [ErrStore].
func (t *Till) Refund(ctx context.Context, outTradeNo string, w RefundWish) (orderstore.Order, orderstore.Refund, error) {
	var refused error
	o, err := orderstore.Update(ctx, t.cfg.Store, outTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		r, err := t.freezeRefund(o, w)
		next := o
		if err == nil {
			next, err = o.BeginRefund(r, t.cfg.Now())
		}
		refused = err
		return next, err == nil && next.Changed(o)
	})
	switch {
	case err != nil:
		return o, orderstore.Refund{}, storeError(err)
	case refused != nil:
		return o, orderstore.Refund{}, refused
	}
	o = t.tryRefund(ctx, o, w.OutRefundNo)
	r, _ := o.Refund(w.OutRefundNo)
	return o, r, nil
}

// freezeRefund writes down the very bytes that WeChat will be sent, now and at
// every repetition. Source: 申请退款, 同一退款单号多次请求.
func (t *Till) freezeRefund(o orderstore.Order, w RefundWish) (orderstore.Refund, error) {
	reason := wxapi.TruncateReason(w.Reason)
	r := orderstore.Refund{OutRefundNo: w.OutRefundNo, Amount: w.Amount, Reason: reason, AskedBy: w.AskedBy}
	if w.Amount < 1 || w.Amount > o.Total {
		return r, nil // the order's rules say it better
	}
	body, err := t.cfg.API.EncodeRefund(o.AppID, wxapi.RefundRequest{
		OutTradeNo: o.OutTradeNo, OutRefundNo: w.OutRefundNo, Reason: reason, NotifyURL: t.cfg.NotifyURL,
		Refund: int64(w.Amount), Total: int64(o.Total), Currency: o.Currency,
	})
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrFreeze, err)
	}
	r.Request = string(body)
	return r, nil
}

// tryRefund takes a step of the refund, if one is due and nobody else is at it.
// Its trouble is written on the refund, and told to SettledRefund.
func (t *Till) tryRefund(ctx context.Context, o orderstore.Order, outRefundNo string) orderstore.Order {
	claimed, claim, err := o.BeginRefundStep(outRefundNo, t.cfg.Now(), RefundLease)
	if err != nil || claim.ToHandOver() || t.cfg.Store.Save(ctx, claimed) != nil {
		return o
	}
	stepped, err := t.StepRefund(context.WithoutCancel(ctx), claimed.Saved(), claim)
	if errors.Is(err, ErrStore) { // what was learnt is not stored, and so not known
		return claimed.Saved()
	}
	return stepped
}

// errNumberTaken says that WeChat knows the refund number, of another order. One
// merchant has it once, so WeChat will never take it for this one.
var errNumberTaken = errors.New("till: the refund number is another order's")

// AskRefund asks WeChat how far a refund is that it has accepted, and settles
// the answer.
func (t *Till) AskRefund(ctx context.Context, o orderstore.Order, outRefundNo string) (orderstore.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	found, err := t.cfg.API.QueryRefund(ctx, o.AppID, outRefundNo)
	if err != nil {
		return o, weChatError(err)
	}
	if found.OutTradeNo != o.OutTradeNo {
		return o, errNumberTaken
	}
	return t.SettleRefund(ctx, RefundResultOf(found, orderstore.FromQuery))
}

// SettleRefund applies what WeChat said of a refund to its order and stores
// the result; see [Till.Settle]. That the order is not paid here only says
// that the notification of its payment was lost: WeChat is asked first.
func (t *Till) SettleRefund(ctx context.Context, p orderstore.RefundResult) (orderstore.Order, error) {
	s, changed, err := t.applyRefund(ctx, p)
	if err == nil && errors.Is(s.Err, orderstore.ErrNotPaid) {
		if _, err := t.Ask(ctx, s.Order); err != nil {
			return s.Order, err
		}
		s, changed, err = t.applyRefund(ctx, p)
	}
	if err != nil {
		return orderstore.Order{}, storeError(err)
	}
	if changed {
		t.cfg.SettledRefund(ctx, s)
	}
	return s.Order, s.Err
}

func (t *Till) applyRefund(ctx context.Context, p orderstore.RefundResult) (s RefundSettlement, changed bool, err error) {
	s.Source = p.Source
	s.Order, err = t.update(ctx, p.OutTradeNo, func(o orderstore.Order) (next orderstore.Order, _ bool) {
		next, s.Outcome, s.Err = o.ApplyRefundResult(p, t.cfg.Now())
		changed = next.Changed(o)
		return next, changed
	})
	s.Refund, _ = s.Order.Refund(p.OutRefundNo)
	return s, changed, err
}

// RefundResultOf translates WeChat's refund into the order's terms.
func RefundResultOf(r wxapi.Refund, source orderstore.Source) orderstore.RefundResult {
	return orderstore.RefundResult{
		Source:        source,
		OutTradeNo:    r.OutTradeNo,
		MchID:         r.MchID,
		TransactionID: r.TransactionID,
		OutRefundNo:   r.OutRefundNo,
		RefundID:      r.RefundID,
		Status:        orderstore.RefundStatus(r.Status),
		Refund:        orderstore.Fen(r.Amount.Refund),
		Total:         orderstore.Fen(r.Amount.Total),
		RefundedAt:    r.SuccessTime,
	}
}
