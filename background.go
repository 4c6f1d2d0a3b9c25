package wxpay

import (
	"context"
	"errors"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// mayAsk takes one question out of the budget that the pages' polling and the
// worker share.
func (k *Kit) mayAsk(number string, now time.Time) bool {
	return k.asks.Take(number, now) != flight.Crowded
}

// stepRefund applies for a refund, or asks how far it is.
func (k *Kit) stepRefund(ctx context.Context, o Order, claim Refund) error {
	_, err := k.till.StepRefund(ctx, o, claim)
	return err
}

// askQuietly asks WeChat about an order of which nothing was heard. That
// WeChat does not know it is no failure: its prepay may still come, or the
// order will be closed when its time is over. An attempt beside one that was
// paid is closed before somebody pays it too.
func (k *Kit) askQuietly(ctx context.Context, o Order) error {
	if k.till.Overtaken(ctx, o) {
		return k.closeExpired(ctx, o)
	}
	_, err := k.till.Ask(ctx, o)
	if errors.Is(err, till.ErrNotAtWeChat) {
		return nil
	}
	return err
}

// closeExpired closes an order whose time to pay is over. That the customer
// was quicker is no failure: the payment was settled on the way.
func (k *Kit) closeExpired(ctx context.Context, o Order) error {
	_, err := k.till.Close(ctx, o)
	if errors.Is(err, orderstore.ErrPaid) {
		return nil
	}
	return err
}
