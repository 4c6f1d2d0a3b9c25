package wxpay

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/wxpaykit/wxpay/internal/seal"
)

// linkParam carries the token of a link in a query.
const linkParam = "t"

// CashierLink returns the path and query of the page on which an order is paid,
// for a device on which its owner is not signed in: put the app's own origin in
// front. Until its life is over whoever holds the link sees what is to be paid
// and whether it is, and may pay it. Nothing else can be done with it: it
// closes and refunds nothing, and does not say whose order it is.
//
// The link is as good as the right to pay, so send it to whom the order
// concerns. It cannot be taken back; a life of some minutes is enough for a
// device at hand.
func (k *Kit) CashierLink(outTradeNo string, life time.Duration) string {
	token := k.acct.seal.Seal(linkPurpose(outTradeNo), "", k.opt.Now().Add(life))
	return k.opt.Prefix + "/orders/" + url.PathEscape(outTradeNo) + "/cashier?" + url.Values{linkParam: {token}}.Encode()
}

// linkPurpose has the order's number in it: the link of one order opens no
// other's.
func linkPurpose(outTradeNo string) string { return "cashier link " + outTradeNo }

// viewer is who wants to see an order: a user, or somebody with a link, or both.
type viewer struct{ userID, token string }

// viewer is who asks. Nothing is done for a request before it is known.
func (k *Kit) viewer(r *http.Request) (viewer, error) {
	token := r.URL.Query().Get(linkParam)
	userID, err := k.user(r)
	if err != nil && token == "" {
		return viewer{}, err
	}
	return viewer{userID, token}, nil
}

// namedOrder is seenOrder of the order that the path names.
func (k *Kit) namedOrder(r *http.Request, own func(*http.Request, string, string) (*Order, error)) (_ *Order, byLink bool, _ error) {
	v, err := k.viewer(r)
	if err != nil {
		return nil, false, err
	}
	return k.seenOrder(r, v, pathValue(r, "out_trade_no"), own)
}

// seenOrder loads an order that the user may see by the rule of own, or whose
// link the viewer holds.
func (k *Kit) seenOrder(r *http.Request, v viewer, outTradeNo string, own func(*http.Request, string, string) (*Order, error)) (_ *Order, byLink bool, _ error) {
	if v.userID != "" {
		o, err := own(r, v.userID, outTradeNo)
		if err == nil || v.token == "" {
			return o, false, err
		}
	}
	_, err := k.acct.seal.Open(linkPurpose(outTradeNo), v.token, k.opt.Now())
	switch {
	case errors.Is(err, seal.ErrExpired):
		return nil, false, problemLinkExpired.because(err)
	case err != nil:
		return nil, false, problemLink.because(err)
	}
	o, err := k.order(r, outTradeNo)
	return o, true, err
}
