package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/wxpaykit/wxpay/orderstore"
)

// maxBody caps what a front end may send.
const maxBody = 64 << 10

// user is who asks. Nothing is done for a request before it is known.
func (k *Kit) user(r *http.Request) (string, error) {
	id, err := k.opt.Identify(r)
	if err != nil || id == "" {
		return "", problemIdentity.because(err)
	}
	return id, nil
}

// poster is who asks to change something. Browsers say which page a post came
// from; a page of another site must not spend its visitor's session here.
func (k *Kit) poster(r *http.Request) (string, error) {
	if err := k.acct.cross.Check(r); err != nil {
		return "", problemOrigin.because(err)
	}
	return k.user(r)
}

// ownOrder loads the order that the path or body names, if it is the user's.
func (k *Kit) ownOrder(r *http.Request, userID, outTradeNo string) (*Order, error) {
	o, err := k.order(r, outTradeNo)
	if err == nil && o.UserID != userID {
		return nil, problemForeign.because(nil)
	}
	return o, err
}

// orderToRefund loads the order that the path names, if userID may refund it.
func (k *Kit) orderToRefund(r *http.Request, userID string) (*Order, error) {
	o, err := k.order(r, pathValue(r, "out_trade_no"))
	if err == nil {
		err = k.mayRefund(r, userID, o)
	}
	return o, err
}

// readableOrder loads the order if it is the user's, or one that the user may
// refund.
func (k *Kit) readableOrder(r *http.Request, userID, outTradeNo string) (*Order, error) {
	o, err := k.order(r, outTradeNo)
	if err == nil && o.UserID != userID {
		err = k.mayRefund(r, userID, o)
	}
	return o, err
}

func (k *Kit) mayRefund(r *http.Request, userID string, o *Order) error {
	if k.opt.AuthorizeRefund == nil {
		return problemForeign.because(nil)
	}
	if err := k.opt.AuthorizeRefund(r, userID, *o); err != nil {
		return problemForeign.because(err)
	}
	return nil
}

func (k *Kit) order(r *http.Request, outTradeNo string) (*Order, error) {
	if outTradeNo == "" {
		return nil, missing("out_trade_no").because(nil)
	}
	if !orderstore.ValidNumber(outTradeNo) {
		return nil, problemNoOrder.because(nil)
	}
	o := new(Order)
	if err := k.load(r.Context(), o, outTradeNo); err != nil {
		return nil, err
	}
	return o, nil
}

// load reads an order to a place of its own: it is large, and each function
// that it goes through by value makes the stack of its connection larger.
func (k *Kit) load(ctx context.Context, o *Order, outTradeNo string) (err error) {
	*o, err = k.opt.Store.Get(ctx, outTradeNo)
	switch {
	case errors.Is(err, orderstore.ErrNotFound):
		return problemNoOrder.because(err)
	case err != nil:
		return problemStore.because(err)
	}
	return nil
}

// pathValue reads a wildcard of the path from whichever router matched it.
func pathValue(r *http.Request, name string) string {
	if v := r.PathValue(name); v != "" {
		return v
	}
	return mux.Vars(r)[name]
}

// readJSON decodes one JSON object of at most 64 KiB. Unknown members are
// passed over: a price that a client sends is not even looked at.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problemContentType.because(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problemTooLarge.because(err)
	case err != nil:
		return problemNotJSON.because(err)
	}
	err = json.Unmarshal(body, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return malformed(wrongType.Field).because(err)
	case err != nil:
		return problemNotJSON.because(err)
	}
	return nil
}
