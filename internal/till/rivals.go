package till

import (
	"context"
	"errors"
	"strconv"

	"github.com/wxpaykit/wxpay/orderstore"
)

// attemptNumber names the n-th attempt to pay the app's own order ref. That of
// the first is where all of them meet: see orderstore.Order.ClaimRef.
func attemptNumber(ref string, n int) string { return Number("ref", ref, strconv.Itoa(n)) }

// errWhoPays asks which attempt pays for the Ref.
var errWhoPays = errors.New("till: which attempt pays is not decided")

// claimRef returns which attempt pays for ref: outTradeNo, unless another was
// first. A first attempt that is not there (it was not this kit's) decides
// nothing.
func (t *Till) claimRef(ctx context.Context, ref, outTradeNo string) (winner string, err error) {
	_, err = orderstore.Update(ctx, t.cfg.Store, attemptNumber(ref, 0), func(o orderstore.Order) (next orderstore.Order, _ bool) {
		next, winner = o.ClaimRef(outTradeNo, t.cfg.Now())
		return next, next.Changed(o)
	})
	switch {
	case errors.Is(err, orderstore.ErrNotFound):
		return outTradeNo, nil
	case err != nil:
		return "", storeError(err)
	}
	return winner, nil
}

// Overtaken reports whether another attempt pays for the Ref of an unpaid
// order, so that nobody should pay this one any more.
func (t *Till) Overtaken(ctx context.Context, o orderstore.Order) bool {
	if o.Ref == "" {
		return false
	}
	first, err := t.cfg.Store.Get(ctx, attemptNumber(o.Ref, 0))
	return err == nil && first.RefPaidBy != "" && first.RefPaidBy != o.OutTradeNo
}

// hurryRivals makes other attempts for the Ref of an order that was paid due
// at once: they are to be closed before somebody pays them too. What fails here
// comes later: each has its own appointment.
func (t *Till) hurryRivals(ctx context.Context, s Settlement) {
	if s.Order.Ref == "" || s.Outcome != orderstore.BecamePaid && s.Outcome != orderstore.BecamePaidLate || s.Order.GivenBack != "" {
		return
	}
	attempts, err := t.cfg.Store.Find(ctx, s.Order.Ref)
	if err != nil {
		return
	}
	for _, o := range attempts {
		if o.PayStatus == orderstore.Unpaid && o.OutTradeNo != s.Order.OutTradeNo {
			_, _ = orderstore.Update(ctx, t.cfg.Store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
				next := o.Hurried(t.cfg.Now())
				return next, next.Changed(o)
			})
		}
	}
}
