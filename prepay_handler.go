package wxpay

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
)

// prepayRequest is the body of POST /prepay/{product}. There is no price in
// it, and if there were one it would not be looked at.
type prepayRequest struct {
	GoodsID    string `json:"goods_id"`
	OrderRef   string `json:"order_ref"`
	UserID     string `json:"user_id"`
	OutTradeNo string `json:"out_trade_no"`
	OpenID     string `json:"openid"`
	AppName    string `json:"app_name"`
	AppChannel string `json:"app_channel"`
	Device     string `json:"device"`
	Platform   int    `json:"platform"`
}

// prepayAnswer is what the front end gets: one of Pay, H5URL and CodeURL.
type prepayAnswer struct {
	OutTradeNo string `json:"out_trade_no"`
	PrepayID   string `json:"prepay_id,omitempty"`
	Pay        any    `json:"pay,omitempty"`
	H5URL      string `json:"h5_url,omitempty"`
	CodeURL    string `json:"code_url,omitempty"`
	QRURL      string `json:"qr_url,omitempty"`
}

// Prepay places an order, or asks again for the credential of one that is not
// paid yet: POST /prepay/{product}. On a router of one's own the product is
// the path value "product".
func (k *Kit) Prepay() http.Handler {
	return k.endpoint("prepay", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		userID, err := k.poster(r)
		if err != nil {
			return answer{}, err
		}
		product := orderstore.Product(pathValue(r, "product"))
		if k.acct.appIDs[product] == "" {
			return answer{}, problemNoEndpoint.because(nil)
		}
		var req prepayRequest
		if err := readJSON(w, r, &req); err != nil {
			return answer{}, err
		}
		o, err := k.prepay(r, userID, product, req)
		if err != nil {
			return answer{}, err
		}
		data, err := k.credential(r, o)
		return done(o.OutTradeNo, data, text{"创建订单成功", "order created"}), err
	})
}

func (k *Kit) prepay(r *http.Request, userID string, product orderstore.Product, req prepayRequest) (Order, error) {
	if req.UserID != "" && req.UserID != userID {
		return Order{}, problemUser.because(nil)
	}
	ip := k.opt.ClientIP(r)
	if product == orderstore.H5 {
		if err := k.checkH5(r, ip); err != nil {
			return Order{}, err
		}
	}
	if req.OutTradeNo != "" {
		return k.payAgain(r, userID, product, req.OutTradeNo)
	}
	if err := k.lookUpOpenID(r.Context(), userID, product, &req); err != nil {
		return Order{}, err
	}
	if err := req.check(product); err != nil {
		return Order{}, err
	}
	return k.place(r.Context(), wish{
		prepayRequest: req, userID: userID, product: product, ip: ip,
		key: r.Header.Get("Idempotency-Key"),
	})
}

// lookUpOpenID fills in the openid that the app keeps with its user. The
// client's word does not count against it.
func (k *Kit) lookUpOpenID(ctx context.Context, userID string, product orderstore.Product, req *prepayRequest) error {
	if k.opt.OpenID == nil || product != orderstore.JSAPI && product != orderstore.MiniProgram {
		return nil
	}
	known, err := k.opt.OpenID(ctx, userID, k.acct.appIDs[product])
	switch {
	case err != nil:
		return problemInternal.because(fmt.Errorf("look the openid up: %w", err))
	case known != "" && req.OpenID != "" && req.OpenID != known:
		return problemOpenID.because(nil)
	case known != "":
		req.OpenID = known
	}
	return nil
}

// check reports the first parameter that is missing, in the tutorials' order.
func (req prepayRequest) check(product orderstore.Product) error {
	type param struct{ name, value string }
	params := []param{{"goods_id", req.GoodsID + req.OrderRef}}
	switch product {
	case orderstore.App:
		params = append(params, param{"app_name", req.AppName}, param{"app_channel", req.AppChannel}, param{"device", req.Device})
	case orderstore.JSAPI, orderstore.MiniProgram:
		params = append(params, param{"openid", req.OpenID})
	}
	for _, p := range params {
		if strings.TrimSpace(p.value) == "" {
			return missing(p.name).because(nil)
		}
	}
	if req.GoodsID != "" && req.OrderRef != "" {
		return malformed("order_ref").because(nil) // which of the two is to be paid?
	}
	for _, p := range []param{
		{"goods_id", req.GoodsID}, {"order_ref", req.OrderRef}, {"openid", req.OpenID},
		{"app_name", req.AppName}, {"app_channel", req.AppChannel}, {"device", req.Device},
	} {
		if len(p.value) > maxText || strings.ContainsFunc(p.value, unicode.IsControl) {
			return malformed(p.name).because(nil)
		}
	}
	return nil
}

// maxText caps each text that a client sends: any database takes as much.
// WeChat's own limit for openid is the same. Source: prepay, payer.openid.
const maxText = 128

// checkH5 holds an H5 prepay to WeChat's extra rules: a known page, and the
// customer's own address. Against a simulator on this machine both may be
// missing, so that curl and a browser on loopback work.
// Source: H5 支付, Origin white-list; scene_info.payer_client_ip.
func (k *Kit) checkH5(r *http.Request, ip netip.Addr) error {
	if k.acct.loopback {
		return nil
	}
	if r.Header.Get("Origin") == "" {
		return problemOrigin.because(nil)
	}
	if !ip.IsValid() || ip.IsLoopback() || ip.IsUnspecified() {
		return problemClientIP.because(nil)
	}
	return nil
}

// credential shows the front end how to pay o: signed for this very answer.
func (k *Kit) credential(r *http.Request, o Order) (prepayAnswer, error) {
	a := prepayAnswer{OutTradeNo: o.OutTradeNo, PrepayID: o.PrepayID, H5URL: o.H5URL, CodeURL: o.CodeURL}
	if o.Product == orderstore.Native {
		a.QRURL = k.base(r) + "/orders/" + url.PathEscape(o.OutTradeNo) + "/qr.svg"
	}
	pay, err := k.signPay(o)
	a.Pay = pay
	return a, err
}

// signPay signs what the client SDK takes; nil for products that need nothing.
func (k *Kit) signPay(o Order) (pay any, err error) {
	now, nonce, key := k.opt.Now(), k.opt.NewNonce(), k.acct.signer.Key
	switch {
	case o.Product == orderstore.H5 || o.Product == orderstore.Native:
		return nil, nil
	case apiv2.IsFrozen(o.PrepayRequest):
		return k.signPayV2(o, now, nonce)
	case key == nil:
		return nil, problemInternal.because(errNoAPIv3)
	}
	switch o.Product {
	case orderstore.MiniProgram:
		pay, err = key.SignMiniProgram(o.AppID, o.PrepayID, now, nonce)
	case orderstore.JSAPI:
		pay, err = key.SignJSAPI(o.AppID, o.PrepayID, now, nonce)
	case orderstore.App:
		pay, err = key.SignApp(o.AppID, o.MchID, o.PrepayID, now, nonce)
	}
	if err != nil {
		return nil, problemInternal.because(err)
	}
	return pay, nil
}

// signPayV2 is signPay for an order that was placed through API v2: the client
// takes the sign of that API only, of the type that the order has.
func (k *Kit) signPayV2(o Order, now time.Time, nonce string) (pay any, err error) {
	key, signType := k.acct.apiv2, apiv2.SignTypeOf(o.PrepayRequest)
	switch o.Product {
	case orderstore.MiniProgram:
		pay, err = key.SignMiniProgram(o.AppID, o.PrepayID, signType, now, nonce)
	case orderstore.JSAPI:
		pay, err = key.SignJSAPI(o.AppID, o.PrepayID, signType, now, nonce)
	case orderstore.App:
		pay, err = key.SignApp(o.AppID, o.MchID, o.PrepayID, signType, now, nonce)
	}
	if err != nil {
		return nil, problemInternal.because(err)
	}
	return pay, nil
}

// base is the path under which the client reached the kit, as the client sees
// it: also behind http.StripPrefix or a sub-router.
func (k *Kit) base(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if i := max(strings.LastIndex(path, "/prepay/"), strings.LastIndex(path, "/oauth/")); i >= 0 {
		return path[:i]
	}
	return k.opt.Prefix
}
