package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// busy is how long whoever places an order is left alone: what a process that
// died held is free again then. All tries of one prepay take no longer.
const busy = 15 * time.Second

// PlaceNew is [Till.Place] of a draft whose number nobody has yet;
// orderstore.ErrExists otherwise.
func (t *Till) PlaceNew(ctx context.Context, draft orderstore.Order) (orderstore.Order, error) {
	o, led, err := t.placing.Do(ctx, draft.OutTradeNo, func(ctx context.Context) (orderstore.Order, error) {
		return t.place(ctx, draft, true)
	})
	if !led {
		return orderstore.Order{}, orderstore.ErrExists
	}
	return o, err
}

// Place makes sure that the order exists, here and at WeChat, and has a
// credential that still lives. It takes an order that was stored, or a draft
// whose number says what it is. Callers of one number share one attempt; the
// order returned is the stored one, which may have come of another caller's
// draft, and has Version 0 if there is none. The error is orderstore.ErrPaid,
// ErrClosed or ErrExpired, [ErrStore], [ErrWeChat] or [ErrFreeze].
func (t *Till) Place(ctx context.Context, draft orderstore.Order) (orderstore.Order, error) {
	for {
		o, led, err := t.placing.Do(ctx, draft.OutTradeNo, func(ctx context.Context) (orderstore.Order, error) {
			return t.place(ctx, draft, false)
		})
		if led || !errors.Is(err, orderstore.ErrExists) {
			return o, err
		} // otherwise it was a PlaceNew that this call shared
	}
}

func (t *Till) place(ctx context.Context, draft orderstore.Order, mustBeNew bool) (orderstore.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	o, created, err := t.create(ctx, draft)
	switch {
	case err != nil:
		return o, err
	case created: // and claimed with it
		t.cfg.Placed(ctx, o)
		return t.prepay(ctx, o)
	case mustBeNew:
		return orderstore.Order{}, orderstore.ErrExists
	}
	o, claimed, err := t.claim(ctx, o)
	if err != nil || !claimed {
		return o, err
	}
	return t.prepay(ctx, o)
}

// create stores the draft, or finds the order that has its number.
func (t *Till) create(ctx context.Context, draft orderstore.Order) (o orderstore.Order, created bool, err error) {
	if draft.Version == 0 {
		if draft, err = t.freeze(draft); err != nil {
			return draft, false, fmt.Errorf("%w: %w", ErrFreeze, err)
		}
		draft = draft.Opened(draft.CreatedAt, busy)
		err = t.cfg.Store.Create(ctx, draft)
		if err == nil {
			return draft.Saved(), true, nil
		}
		if !errors.Is(err, orderstore.ErrExists) {
			return draft, false, storeError(err)
		}
	}
	if o, err = t.cfg.Store.Get(ctx, draft.OutTradeNo); err != nil {
		return draft, false, storeError(err)
	}
	return o, false, nil
}

// freeze writes down the very bytes that WeChat will be sent, now and at every
// repetition. Source: prepay, 商户订单号重入.
func (t *Till) freeze(o orderstore.Order) (orderstore.Order, error) {
	req := wxapi.PrepayRequest{
		AppID: o.AppID, MchID: o.MchID, Description: o.Description, OutTradeNo: o.OutTradeNo,
		TimeExpire: o.ExpiresAt, Attach: o.Attach, NotifyURL: t.cfg.NotifyURL,
		Amount:    wxapi.Amount{Total: int64(o.Total), Currency: o.Currency},
		SceneInfo: &wxapi.SceneInfo{PayerClientIP: o.DeviceIP},
	}
	if o.OpenID != "" {
		req.Payer = &wxapi.Payer{OpenID: o.OpenID}
	}
	if o.Product == orderstore.H5 {
		req.SceneInfo.H5Info = &wxapi.H5Info{Type: "Wap"}
	}
	body, err := t.cfg.API.EncodePrepay(apiProduct(o.Product), req)
	o.PrepayRequest = string(body)
	return o, errors.Join(err, o.Validate())
}

// claim makes this call the one that asks WeChat for a credential, if there is
// none that still lives. While somebody in another process is at it, it waits
// for what they get.
func (t *Till) claim(ctx context.Context, o orderstore.Order) (_ orderstore.Order, claimed bool, err error) {
	for {
		now := t.cfg.Now()
		next, err := o.BeginPlacing(now, busy)
		switch {
		case err == nil && o.CredentialFresh(now):
			return o, false, nil
		case err == nil:
			err = t.cfg.Store.Save(ctx, next)
			if err == nil {
				return next.Saved(), true, nil
			}
			if !errors.Is(err, orderstore.ErrConflict) {
				return o, false, storeError(err)
			}
		case !errors.Is(err, orderstore.ErrNotDue):
			return o, false, err
		default:
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return o, false, weChatError(ctx.Err())
			}
		}
		if o, err = t.cfg.Store.Get(ctx, o.OutTradeNo); err != nil {
			return o, false, storeError(err)
		}
	}
}

// prepay asks WeChat for a credential with the frozen parameters. The order is
// this call's to place.
func (t *Till) prepay(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	c, err := t.cfg.API.Prepay(ctx, apiProduct(o.Product), []byte(o.PrepayRequest))
	if err != nil {
		return t.notPrepaid(ctx, o, err)
	}
	var refused error
	saved, err := orderstore.Update(ctx, t.cfg.Store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		var next orderstore.Order
		next, refused = o.Prepaid(orderstore.Credential(c), t.cfg.Now())
		return next, refused == nil
	})
	if err != nil {
		return o, storeError(err)
	}
	return saved, refused
}

// notPrepaid writes down why WeChat gave no credential. Where its words hint
// at an order that is no longer open, WeChat is asked what became of it.
// Source: prepay errors.
func (t *Till) notPrepaid(ctx context.Context, o orderstore.Order, cause error) (orderstore.Order, error) {
	if wxapi.IsCode(cause, "OUT_TRADE_NO_USED", "ORDER_PAID", "ORDER_CLOSED", "INVALID_REQUEST", "TRADE_ERROR") {
		if asked, err := t.Ask(ctx, o); err == nil && asked.PayStatus != orderstore.Unpaid {
			return asked, asked.Payable(t.cfg.Now())
		}
	}
	saved, err := orderstore.Update(ctx, t.cfg.Store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		return o.PrepayFailed(cause.Error(), errors.Is(cause, wxapi.ErrUnknown), t.cfg.Now()), true
	})
	if err == nil {
		o = saved
	}
	return o, weChatError(errors.Join(cause, err))
}

func apiProduct(p orderstore.Product) wxapi.Product {
	if p == orderstore.MiniProgram {
		return wxapi.JSAPI
	}
	return wxapi.Product(p)
}
