package till

import (
	"context"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
)

// attemptRounds bounds how often Attempt looks again because another process
// was quicker with another wish for the same order of the app.
const attemptRounds = 5

// Attempt pays the app's own order draft.Ref: once, over however many attempts
// and products. An open attempt is used again if it is the same; otherwise it
// is closed at WeChat before there is another, because WeChat binds a number
// to one product and one price. Errors are those of [Till.Place], and
// [ErrForeign].
func (t *Till) Attempt(ctx context.Context, draft orderstore.Order) (orderstore.Order, error) {
	for range attemptRounds {
		var o orderstore.Order
		err := t.refs.Do(ctx, draft.Ref, func() (err error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*deadline)
			defer cancel()
			o, err = t.attempt(ctx, draft)
			return err
		})
		if err != nil || sameAttempt(o, draft) {
			return o, err
		}
	}
	return orderstore.Order{}, fmt.Errorf("order of the app %q: another attempt came first %d times", draft.Ref, attemptRounds)
}

// attempt returns the open attempt that fits the draft, or opens one. Attempts
// are numbered, so that two processes cannot open two at once.
func (t *Till) attempt(ctx context.Context, draft orderstore.Order) (orderstore.Order, error) {
	attempts, err := t.cfg.Store.Find(ctx, draft.Ref)
	if err != nil {
		return orderstore.Order{}, storeError(err)
	}
	for _, o := range attempts { // all of them, before any is used: an old one may have been paid late
		switch {
		case o.UserID != draft.UserID:
			return orderstore.Order{}, ErrForeign
		case o.PayStatus == orderstore.Paid && o.GivenBack != orderstore.GivenBackLate, o.RefPaidBy != "":
			return o, orderstore.ErrPaid
		}
	}
	for _, o := range attempts {
		switch {
		case o.PayStatus != orderstore.Unpaid:
		case sameAttempt(o, draft) && !o.Expired(t.cfg.Now()):
			return t.Place(ctx, o)
		default:
			if _, err := t.Close(ctx, o); err != nil {
				return orderstore.Order{}, err
			}
		}
	}
	draft.OutTradeNo = attemptNumber(draft.Ref, len(attempts))
	return t.Place(ctx, draft)
}

// sameAttempt reports whether the customer of draft can be sent to pay o.
func sameAttempt(o, draft orderstore.Order) bool {
	return o.UserID == draft.UserID && o.Product == draft.Product && o.Total == draft.Total && o.OpenID == draft.OpenID
}
