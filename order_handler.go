package wxpay

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// orderAnswer is an order as front ends see it, in the tutorials' names.
type orderAnswer struct {
	OutTradeNo   string                  `json:"out_trade_no"`
	OrderRef     string                  `json:"order_ref,omitempty"`
	GoodsID      string                  `json:"goods_id,omitempty"`
	Description  string                  `json:"description"`
	Product      orderstore.Product      `json:"product"`
	PayStatus    orderstore.PayStatus    `json:"pay_status"`
	PayStatusDes string                  `json:"pay_status_des"`
	TradeState   string                  `json:"trade_state"`
	Total        orderstore.Fen          `json:"total"`
	Amount       string                  `json:"amount"`
	Refunded     orderstore.Fen          `json:"refunded"`
	RefundStatus orderstore.RefundStatus `json:"refund_status,omitempty"`
	Refunds      []refundAnswer          `json:"refunds,omitempty"` // oldest first
	PayTime      string                  `json:"pay_time"`          // YYYY-MM-DD HH:mm:ss, Beijing; empty while unpaid
	TradeNo      string                  `json:"trade_no"`
	TimeExpire   string                  `json:"time_expire"` // RFC 3339, Beijing
	Stale        bool                    `json:"stale,omitempty"`
}

func show(o *Order) orderAnswer {
	a := orderAnswer{
		OutTradeNo: o.OutTradeNo, OrderRef: o.Ref, GoodsID: o.GoodsID, Description: o.Description, Product: o.Product,
		PayStatus: o.PayStatus, PayStatusDes: o.PayStatus.String(), TradeState: o.TradeState,
		Total: o.Total, Amount: o.Total.String(), Refunded: o.Refunded, RefundStatus: o.RefundStatus, TradeNo: o.TransactionID,
		TimeExpire: beijing(o.ExpiresAt).Format(time.RFC3339),
	}
	if a.TradeState == "" {
		a.TradeState = orderstore.TradeNotPay
	}
	for _, r := range o.Refunds {
		a.Refunds = append(a.Refunds, showRefund(o, r))
	}
	if !o.PaidAt.IsZero() {
		a.PayTime = beijing(o.PaidAt).Format(time.DateTime)
	}
	return a
}

// OrderStatus tells the owner of an order, those whom Options.AuthorizeRefund
// admits, and who holds a link to its cashier, what became of it: GET
// /orders/{out_trade_no}. WeChat is asked when the store says unpaid, so the
// answer is true even if no notification came; "stale" marks an answer for
// which WeChat could not be asked.
func (k *Kit) OrderStatus() http.Handler {
	return k.endpoint("order", func(_ http.ResponseWriter, r *http.Request) (answer, error) {
		rings, stop := k.listen(r)
		defer stop()
		o, byLink, err := k.namedOrder(r, k.readableOrder)
		if err != nil {
			return answer{}, err
		}
		o, stale := k.refresh(r.Context(), o, rings)
		return done(o.OutTradeNo, k.shown(o, stale, byLink), success), nil
	})
}

// shown is the order for whom it was loaded. Who holds a link sees what is to
// be paid and whether it is, and nothing of the app's or of the refunds.
func (k *Kit) shown(o *Order, stale, byLink bool) *orderAnswer {
	a := show(o)
	a.Stale = stale
	if byLink {
		a.OrderRef, a.GoodsID, a.TradeNo, a.Refunds = "", "", "", nil
	}
	return &a
}

// listen hears what this process learns of the order that the path names. It is
// called before the order is loaded, so that no change is missed.
func (k *Kit) listen(r *http.Request) (rings <-chan struct{}, stop func()) {
	return k.live.bell.Listen(pathValue(r, "out_trade_no"))
}

// refresh asks WeChat about an unpaid order that was loaded just now, if nobody
// has just done so. Those who come while it is being asked wait for the answer.
// Everybody else has it from the store already, and reads it again only when it
// rings: then it was paid, or closed, since it was loaded.
func (k *Kit) refresh(ctx context.Context, o *Order, rings <-chan struct{}) (_ *Order, stale bool) {
	if o.PayStatus != orderstore.Unpaid {
		return o, false
	}
	var verdict flight.Verdict
	may := func() bool {
		verdict = k.asks.Take(o.OutTradeNo, k.opt.Now())
		return verdict == flight.Go
	}
	f, asked, err := k.refreshing.DoIf(ctx, o.OutTradeNo, may, func(ctx context.Context) (fresh, error) {
		return k.look(ctx, o), nil
	})
	switch {
	case err != nil:
		return o, true
	case !asked && verdict == flight.Recent:
		f = k.recent(ctx, o, func() bool { return rang(rings) })
	case !asked:
		f = fresh{o, true}
		if rang(rings) {
			f = k.reread(ctx, o, true)
		}
	}
	return f.Order, f.stale
}

// rang reports whether there was a ring that nobody has heard yet.
func rang(rings <-chan struct{}) bool {
	select {
	case <-rings:
		return true
	default:
		return false
	}
}

// fresh is an order, and whether WeChat could not be asked about it. Those who
// waited for it share the order, and none of them changes it.
type fresh struct {
	*Order
	stale bool
}

// look asks WeChat, if no other process has just done so: the claim is stored,
// so that an order costs WeChat one question an interval however many replicas
// its pages poll.
func (k *Kit) look(ctx context.Context, o *Order) fresh {
	claim, err := o.BeginLook(k.opt.Now(), k.opt.AskInterval)
	if err == nil {
		err = k.opt.Store.Save(ctx, claim)
	}
	switch {
	case err == nil:
		saved := claim.Saved()
		return k.askOnce(ctx, &saved)
	case errors.Is(err, orderstore.ErrNotDue), errors.Is(err, orderstore.ErrConflict):
		return k.recent(ctx, o, func() bool { return true })
	}
	k.opt.Logger.WarnContext(ctx, "the question about an order could not be claimed", slog.String("order_no", o.OutTradeNo), slog.Any("cause", err))
	return fresh{o, true}
}

func (k *Kit) askOnce(ctx context.Context, o *Order) fresh {
	asked, err := k.till.Ask(ctx, *o)
	switch {
	case err == nil:
		return fresh{&asked, false}
	case errors.Is(err, till.ErrNotAtWeChat):
		return fresh{o, false}
	}
	k.opt.Logger.WarnContext(ctx, "order could not be asked for at WeChat", slog.String("order_no", o.OutTradeNo), slog.Any("cause", err))
	return k.reread(ctx, o, true)
}

// recent is the answer to a question that was asked a moment ago, by a page or
// by the worker, and may still be on its way. The order is as it was loaded if
// no question is, and nothing was heard of it since.
func (k *Kit) recent(ctx context.Context, o *Order, heard func() bool) fresh {
	_, joined, err := k.till.JoinAsk(ctx, o.OutTradeNo)
	if !joined && !heard() {
		return fresh{o, false}
	}
	return k.reread(ctx, o, joined && err != nil && !errors.Is(err, till.ErrNotAtWeChat))
}

// reread is the order as it is by now: it may have been paid since it was
// loaded for this request.
func (k *Kit) reread(ctx context.Context, o *Order, stale bool) fresh {
	ctx, cancel := context.WithTimeout(ctx, takeDeadline)
	defer cancel()
	now, err := k.opt.Store.Get(ctx, o.OutTradeNo)
	if err != nil {
		return fresh{o, true}
	}
	return fresh{&now, stale && now.PayStatus == orderstore.Unpaid}
}
