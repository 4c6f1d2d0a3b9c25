package wxpay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// numberTries bounds the search for a number that is not taken. Each try asks
// for a later time, by random steps that double: many who collide part ways,
// and numbers made of whole seconds get there too.
const numberTries = 20

// maxAttach is WeChat's limit. Source: prepay, attach, of API v3 and v2.
func (k *Kit) maxAttach() int {
	if k.opt.API == APIv2 {
		return 127
	}
	return 128
}

// wish is what a user wants to buy, and how.
type wish struct {
	prepayRequest
	userID  string
	product orderstore.Product
	ip      netip.Addr
	key     string // Idempotency-Key
}

// place turns a wish into an order at WeChat. The same wish, said twice, is
// one order: when it names the app's own order, or carries an Idempotency-Key.
func (k *Kit) place(ctx context.Context, w wish) (Order, error) {
	if w.key != "" {
		number := till.Number("key", w.userID, w.key)
		o, err := k.opt.Store.Get(ctx, number)
		switch {
		case err == nil && !w.sameAs(o):
			return Order{}, problemKeyReused.because(nil)
		case err == nil:
			return k.placeAs(ctx, w, o)
		case !errors.Is(err, orderstore.ErrNotFound):
			return Order{}, problemStore.because(err)
		}
	}
	draft, err := k.draft(ctx, w)
	if err != nil {
		return Order{}, err
	}
	switch {
	case draft.Ref != "":
		o, err := k.till.Attempt(ctx, draft)
		return o, placeFailed(o, err)
	case w.key != "":
		draft.OutTradeNo = till.Number("key", w.userID, w.key)
		return k.placeAs(ctx, w, draft)
	}
	return k.placeNew(ctx, draft)
}

// placeAs places the order with the number that the wish gives it; whoever
// came first decides what is in it.
func (k *Kit) placeAs(ctx context.Context, w wish, draft Order) (Order, error) {
	o, err := k.till.Place(ctx, draft)
	if o.Version > 0 && !w.sameAs(o) {
		return Order{}, problemKeyReused.because(nil)
	}
	return o, placeFailed(o, err)
}

// placeNew places an order under a number that nobody has.
func (k *Kit) placeNew(ctx context.Context, draft Order) (Order, error) {
	at, step := draft.CreatedAt, time.Millisecond
	for range numberTries {
		draft.OutTradeNo = k.opt.OrderNumber(draft.UserID, at)
		o, err := k.till.PlaceNew(ctx, draft)
		if !errors.Is(err, orderstore.ErrExists) {
			return o, placeFailed(o, err)
		}
		at, step = at.Add(time.Millisecond+rand.N(step)), 2*step
	}
	return Order{}, problemInternal.because(fmt.Errorf("no free order number in %d tries", numberTries))
}

// sameAs reports whether o is the order of this wish.
func (w wish) sameAs(o Order) bool {
	return o.UserID == w.userID && o.Product == w.product && o.OpenID == w.openID() && o.GoodsID == w.GoodsID
}

// openID is kept only where WeChat takes it.
func (w wish) openID() string {
	if w.product == orderstore.JSAPI || w.product == orderstore.MiniProgram {
		return w.OpenID
	}
	return ""
}

// draft prices the wish and makes the order of it, without a number.
func (k *Kit) draft(ctx context.Context, w wish) (Order, error) {
	q, err := k.opt.Quote(ctx, QuoteRequest{UserID: w.userID, GoodsID: w.GoodsID, OrderRef: w.OrderRef, Product: w.product})
	switch {
	case errors.Is(err, ErrNoGoods):
		return Order{}, problemNoGoods.because(err)
	case err != nil:
		return Order{}, problemQuote.because(err)
	case q.Total < 1:
		return Order{}, problemQuote.because(fmt.Errorf("quote is %d fen, at least 1 is needed", q.Total))
	case q.Description == "":
		return Order{}, problemQuote.because(errors.New("quote has no description"))
	case len(q.Attach) > k.maxAttach():
		return Order{}, problemQuote.because(fmt.Errorf("quote has an attach of %d bytes, WeChat takes %d", len(q.Attach), k.maxAttach()))
	}
	now := k.opt.Now()
	ref := q.Ref
	if ref == "" {
		ref = w.OrderRef
	}
	return Order{
		Ref: ref, UserID: w.userID, GoodsID: w.GoodsID,
		Description: wxapi.TruncateDescription(q.Description), Total: q.Total, Currency: orderstore.CNY,
		Product: w.product, MchID: k.acct.signer.MchID, AppID: k.acct.appIDs[w.product], OpenID: w.openID(),
		AppName: w.AppName, AppChannel: w.AppChannel, Device: w.Device, DeviceIP: ipText(w.ip), Platform: w.Platform,
		TraceID: TraceID(ctx), OrderNumber: q.OrderNumber, Attach: q.Attach,
		ExpiresAt: now.Add(k.opt.OrderTTL).Truncate(time.Second), CreatedAt: now, UpdatedAt: now,
	}, nil
}

func ipText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// payAgain asks for the credential of an order that exists.
func (k *Kit) payAgain(r *http.Request, userID string, product orderstore.Product, outTradeNo string) (Order, error) {
	o, err := k.ownOrder(r, userID, outTradeNo)
	if err != nil {
		return Order{}, err
	}
	if o.Product != product {
		return Order{}, problemOtherProduct.because(nil)
	}
	placed, err := k.till.Place(r.Context(), *o)
	return placed, placeFailed(placed, err)
}

// placeFailed tells the front end the number of an order that WeChat would not
// take yet, so that it can try this very order again.
func placeFailed(o Order, err error) error {
	if err == nil {
		return nil
	}
	f := failed(err)
	if errors.Is(err, till.ErrWeChat) && o.Version > 0 {
		f.data = map[string]string{"out_trade_no": o.OutTradeNo}
	}
	return f
}
