package till

import (
	"context"
	"errors"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// JoinAsk waits for the answer to a question about the order that is under way,
// if there is one.
func (t *Till) JoinAsk(ctx context.Context, outTradeNo string) (o orderstore.Order, joined bool, err error) {
	return t.asking.Join(ctx, outTradeNo)
}

// Ask asks WeChat what became of the order, settles the answer and returns the
// order as it is now. Callers that ask for one order at a time share the
// question. The error is [ErrNotAtWeChat], [ErrWeChat], [ErrStore] or a
// *orderstore.MismatchError.
func (t *Till) Ask(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	asked, _, err := t.asking.Do(ctx, o.OutTradeNo, func(ctx context.Context) (orderstore.Order, error) {
		asked, err := t.ask(ctx, o)
		if err != nil && !errors.Is(err, ErrNotAtWeChat) && t.cfg.AskFailed != nil {
			t.cfg.AskFailed(o.OutTradeNo)
		}
		return asked, err
	})
	return asked, err
}

func (t *Till) ask(ctx context.Context, o orderstore.Order) (orderstore.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	tx, err := t.cfg.API.Query(ctx, o.AppID, o.OutTradeNo)
	if wxapi.IsCode(err, "ORDER_NOT_EXIST") {
		return o, ErrNotAtWeChat
	}
	if err != nil {
		return o, weChatError(err)
	}
	return t.Settle(ctx, PaymentOf(tx, orderstore.FromQuery))
}
