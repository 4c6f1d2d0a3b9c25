package till

import (
	"context"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Close closes the order at WeChat, then here: never the other way round. A
// customer who paid first wins: orderstore.ErrPaid. Closing a closed order is
// no error. Source: close, 关单前先查单.
func (t *Till) Close(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	if o.PayStatus == orderstore.Unpaid {
		asked, err := t.Ask(ctx, o)
		switch {
		case errors.Is(err, ErrNotAtWeChat):
			return t.unknown(ctx, o)
		case err != nil:
			return o, err
		}
		o = asked
	}
	switch o.PayStatus {
	case orderstore.Paid:
		return o, orderstore.ErrPaid
	case orderstore.Closed:
		return o, nil
	}
	if err := t.cfg.API.Close(ctx, o.AppID, o.OutTradeNo); err != nil {
		return t.notClosed(ctx, o, err)
	}
	return t.closed(ctx, o)
}

// unknown closes an order that WeChat says it does not know. That is final only
// if no prepay can still arrive: none is on its way, and nobody has touched
// the order since it was read. One that WeChat has answered a prepay for, it
// cannot have forgotten; when its time is over, nobody can pay it either way.
func (t *Till) unknown(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	now := t.cfg.Now()
	if o.OnItsWayUntil.After(now) || !o.Credential.IsZero() && !o.Expired(now) {
		return o, weChatError(ErrNotAtWeChat)
	}
	next, err := o.Close(orderstore.FromClose, "WeChat never knew the order", now)
	if err != nil || !next.Changed(o) {
		return next, err
	}
	var touched bool
	saved, err := t.update(ctx, o.OutTradeNo, func(read orderstore.Order) (orderstore.Order, bool) {
		touched = read.Version != o.Version
		return next, !touched
	})
	switch {
	case err != nil:
		return o, storeError(err)
	case touched:
		return o, weChatError(fmt.Errorf("%w, and somebody has changed it", ErrNotAtWeChat))
	}
	t.cfg.Settled(ctx, Settlement{Order: saved, Source: orderstore.FromClose, Outcome: orderstore.BecameClosed})
	return saved, nil
}

// notClosed asks what became of an order that WeChat would not close: the
// customer may have paid meanwhile. Source: close, ORDER_PAID and 429.
func (t *Till) notClosed(ctx context.Context, o orderstore.Order, cause error) (orderstore.Order, error) {
	asked, err := t.Ask(ctx, o)
	switch {
	case err != nil || asked.PayStatus == orderstore.Unpaid:
		return o, weChatError(errors.Join(cause, err))
	case asked.PayStatus == orderstore.Paid:
		return asked, orderstore.ErrPaid
	}
	return asked, nil
}

// closed writes down that WeChat closed the order.
func (t *Till) closed(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	s := Settlement{Source: orderstore.FromClose, Outcome: orderstore.BecameClosed}
	var changed bool
	var refused, err error
	s.Order, err = t.update(ctx, o.OutTradeNo, func(o orderstore.Order) (next orderstore.Order, _ bool) {
		next, refused = o.Close(orderstore.FromClose, "", t.cfg.Now())
		changed = next.Changed(o)
		return next, changed
	})
	if err != nil {
		return o, storeError(err)
	}
	if changed {
		t.cfg.Settled(ctx, s)
	}
	return s.Order, refused
}
