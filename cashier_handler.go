package wxpay

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/cashier"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// Cashier is the page on which a customer pays an order: GET
// /orders/{out_trade_no}/cashier. It shows the code of a Native order, leads a
// phone's browser to WeChat and back for H5, calls WeChat's own window for
// JSAPI, and follows the order until it is paid. Its owner sees it, and whoever
// holds a [Kit.CashierLink].
//
// The page asks for what stands beside it: live and qr.svg in its own
// directory, the order itself one above, /paysign two above.
func (k *Kit) Cashier() http.Handler {
	return k.answering("cashier", k.cashierPage, k.cashierNotice)
}

func (k *Kit) cashierPage(w http.ResponseWriter, r *http.Request) (answer, error) {
	rings, stop := k.listen(r)
	defer stop()
	o, byLink, err := k.namedOrder(r, k.ownOrder)
	if err != nil {
		return answer{}, err
	}
	o, stale := k.refresh(r.Context(), o, rings)
	o, trouble, err := k.scannable(r.Context(), o)
	if err != nil {
		return answer{}, err
	}
	view := k.cashierView(r, o, byLink)
	view.Stale, view.Trouble = stale, trouble
	view.Key = cashier.Key(int(o.PayStatus), string(o.RefundStatus), int64(o.Refunded), stale)
	page, err := k.screens.Order(view)
	if err != nil {
		return answer{}, problemInternal.because(err)
	}
	k.cashierHeaders(w, o.Product)
	return answer{order: o.OutTradeNo, picture: &picture{htmlType, page}}, nil
}

const htmlType = "text/html; charset=utf-8"

// scannable makes sure that an order whose code or link stands on the page has
// one that lives. The order was placed before, with all that takes; this is its
// frozen prepay again. trouble says that WeChat gave none.
func (k *Kit) scannable(ctx context.Context, o *Order) (_ *Order, trouble bool, _ error) {
	if o.Product != orderstore.Native && o.Product != orderstore.H5 {
		return o, false, nil
	}
	placed, err := k.till.Place(ctx, *o)
	switch {
	case err == nil:
		return &placed, false, nil
	case errors.Is(err, orderstore.ErrPaid), errors.Is(err, orderstore.ErrClosed), errors.Is(err, orderstore.ErrExpired):
		return k.reread(ctx, o, false).Order, false, nil
	case errors.Is(err, till.ErrWeChat):
		return o, true, nil
	}
	return o, false, err
}

func (k *Kit) cashierView(r *http.Request, o *Order, byLink bool) cashier.Order {
	now := k.opt.Now()
	v := cashier.Order{
		English: english(r), State: cashierState(o, now), Product: string(o.Product), Number: o.OutTradeNo,
		Description: o.Description, Total: int64(o.Total), Refunded: int64(o.Refunded),
		ExpiresAt: beijing(o.ExpiresAt).Format(time.DateTime), Left: o.ExpiresAt.Sub(now),
		Fresh: o.CredentialUntil().Sub(now), H5URL: o.H5URL, CodeID: strconv.FormatInt(o.PrepaidAt.UnixMilli(), 36),
		InWeChat: strings.Contains(r.UserAgent(), "MicroMessenger"), Back: r.URL.Query().Get("back") != "",
	}
	if !o.PaidAt.IsZero() {
		v.PaidAt = beijing(o.PaidAt).Format(time.DateTime)
	}
	if byLink {
		v.Token = r.URL.Query().Get(linkParam)
	} else if k.opt.Cashier.ReturnURL != nil {
		v.ReturnURL = k.opt.Cashier.ReturnURL(*o)
	}
	return v
}

// cashierState is where the order stands, as a customer sees it.
func cashierState(o *Order, now time.Time) cashier.State {
	switch {
	case o.PayStatus == orderstore.Closed:
		return cashier.Closed
	case o.PayStatus == orderstore.Unpaid && o.Expired(now):
		return cashier.Expired
	case o.PayStatus == orderstore.Unpaid:
		return cashier.Waiting
	case o.Refunded >= o.Total:
		return cashier.Refunded
	case o.GivenBack != "":
		return cashier.Refunding
	}
	switch o.RefundStatus {
	case orderstore.RefundApplying, orderstore.RefundProcessing, orderstore.RefundAbnormal:
		return cashier.Refunding
	}
	return cashier.Paid
}

// cashierNotice tells a person why there is no order to see.
func (k *Kit) cashierNotice(w http.ResponseWriter, r *http.Request, f *failure) {
	n := cashier.Notice{English: english(r), Text: f.in(r), Kind: noticeKind(f)}
	page, err := k.screens.Notice(n)
	if err != nil { // cannot happen: the templates are ours
		page = []byte(n.Text)
	}
	k.cashierHeaders(w, orderstore.Native)
	write(w, f.status, htmlType, page)
}

func noticeKind(f *failure) cashier.NoticeKind {
	switch {
	case f.name == problemLink.name, f.name == problemLinkExpired.name:
		return cashier.NoLink
	case f.status == http.StatusUnauthorized:
		return cashier.SignIn
	case f.status == http.StatusForbidden:
		return cashier.NotYours
	case f.status == http.StatusNotFound:
		return cashier.NoOrder
	}
	return cashier.Later
}

// cashierHeaders keep the page to itself. The address may have a link's token
// in it, so nobody is told it. WeChat must be told the origin of a page that
// leads to it for H5, and old browsers inside WeChat post from the origin
// "null" if they may tell nobody.
// Source: H5 支付, Referer; Fetch, append a request Origin header.
func (k *Kit) cashierHeaders(w http.ResponseWriter, p orderstore.Product) {
	h := w.Header()
	h.Set("Content-Security-Policy", k.screens.Policy(p == orderstore.JSAPI))
	h.Set("Referrer-Policy", "no-referrer")
	if p == orderstore.H5 || p == orderstore.JSAPI {
		h.Set("Referrer-Policy", "strict-origin")
	}
	h.Set("Vary", "Accept-Language, User-Agent")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
}

func english(r *http.Request) bool { return text{"", "en"}.in(r) != "" }
