package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// orderView is the page of one order.
type orderView struct {
	wxpay.Order
	situation
	Product   string
	Seconds   int    // left to pay
	ScanURL   string // this order on the simulator's phone
	Elsewhere string // pays this order on another device, where nobody is signed in
	VIPUntil  time.Time
	Granted   bool // also when it was revoked later
	Revoked   bool
	Mine      bool       // the order is the viewer's own
	Admin     *adminView // nil for everybody else
	Ask       string     // where the page asks the kit what is new; empty: nothing to ask there
	Drawn     string     // changes whenever the page does
}

// situation is where an order stands.
type situation struct {
	State     string // waiting, expired, paid, refunding, refunded or closed
	Status    string // the same for people
	Following bool   // the page has still to change by itself
}

func (p *pages) order(w http.ResponseWriter, r *http.Request) {
	v := p.viewFor(r, "订单")
	if v.User == "" {
		p.plain(w, r, http.StatusUnauthorized, "请先登录", "登录后才能查看自己的订单。")
		return
	}
	o, err := p.orders.Get(r.Context(), strings.TrimSpace(r.URL.Query().Get("no"))) // pasted
	switch {
	case errors.Is(err, orderstore.ErrNotFound), err == nil && o.UserID != v.User && !v.Admin:
		p.plain(w, r, http.StatusNotFound, "没有这个订单", "请检查订单号，或确认登录的是下单时的用户。")
		return
	case err != nil:
		p.trouble(w, r, err)
		return
	}
	page, err := p.orderViewOf(r, o, v)
	if err != nil {
		p.trouble(w, r, err)
		return
	}
	v.Title, v.Reload, v.Page = page.Status, page.Following, page
	p.show(w, r, http.StatusOK, p.orderPage, v)
}

func (p *pages) orderViewOf(r *http.Request, o wxpay.Order, viewer view) (orderView, error) {
	now := time.Now()
	who, err := p.members.of(r.Context(), o.UserID)
	if err != nil {
		return orderView{}, err
	}
	given, granted := who.grantOf(o.OutTradeNo)
	v := orderView{
		Order: o, Product: productNames[o.Product], Mine: o.UserID == viewer.User,
		VIPUntil: who.VIPUntil, Granted: granted, Revoked: given.Revoked(),
	}
	v.situation = situationOf(o, v.Granted, v.Revoked, now)
	if v.State == "waiting" {
		v.Seconds = int(o.ExpiresAt.Sub(now).Round(time.Second).Seconds())
		v.ScanURL = p.scanURL(o)
		if v.Mine {
			v.Elsewhere = p.cashier(o.OutTradeNo, o.ExpiresAt.Sub(now))
		}
	}
	if viewer.Admin {
		v.Admin, err = p.adminViewOf(r.Context(), o)
	}
	v.Ask = askPath(o, viewer.User)
	v.Drawn = fmt.Sprint(o.Version, v.State, v.Granted, v.Revoked)
	return v, err
}

func situationOf(o wxpay.Order, granted, revoked bool, now time.Time) situation {
	_, underWay := refundUnderWay(o)
	switch {
	case o.PayStatus == orderstore.Closed:
		return situation{"closed", "订单已关闭", false}
	case o.PayStatus == orderstore.Unpaid && o.Expired(now):
		return situation{"expired", "支付时间已过", true} // money may be on its way
	case o.PayStatus == orderstore.Unpaid:
		return situation{"waiting", "等待支付", true}
	case o.Refunded >= o.Total:
		return situation{"refunded", "已退款", granted && !revoked}
	case underWay:
		return situation{"refunding", "退款中", true}
	case o.RefundStatus == orderstore.RefundAbnormal:
		return situation{"refunding", "退款异常", false}
	case o.Refunded > 0:
		return situation{"paid", "部分退款", o.ToHandOver() && !granted}
	}
	return situation{"paid", "支付成功", o.ToHandOver() && !granted}
}

// refundUnderWay is a refund that goes on by itself. An abnormal one does not:
// it waits for a person.
func refundUnderWay(o wxpay.Order) (wxpay.Refund, bool) {
	for _, r := range o.Refunds {
		if r.Status == orderstore.RefundApplying || r.Status == orderstore.RefundProcessing {
			return r, true
		}
	}
	return wxpay.Refund{}, false
}

// askPath is the endpoint of the kit that asks WeChat Pay if need be, so that
// the page is true even if no notification came.
func askPath(o wxpay.Order, user string) string {
	path := "/pay/orders/" + url.PathEscape(o.OutTradeNo)
	if r, ok := refundUnderWay(o); ok {
		return path + "/refunds/" + url.PathEscape(r.OutRefundNo)
	}
	if o.PayStatus == orderstore.Unpaid && o.UserID == user {
		return path
	}
	return ""
}

// cashier is how the kit's page looks in this shop.
func cashier() wxpay.Cashier {
	return wxpay.Cashier{
		Title: "示例小店", LogoURL: "/assets/icon.svg",
		ReturnURL: func(o wxpay.Order) string { return "/order?no=" + url.QueryEscape(o.OutTradeNo) },
	}
}

// scanURL opens this order on the simulator's phone, as if the code on the
// screen had been scanned.
func (p *pages) scanURL(o wxpay.Order) string {
	if p.phone == "" || o.Credential.IsZero() {
		return p.phone
	}
	return p.phone + "?" + url.Values{"scan": {o.CodeURL + o.H5URL + o.PrepayID}}.Encode()
}

var productNames = map[orderstore.Product]string{
	orderstore.Native: "微信扫码", orderstore.MiniProgram: "小程序", orderstore.JSAPI: "公众号", orderstore.App: "App", orderstore.H5: "H5",
}

// Pace is how long the page waits before it looks again, in milliseconds; 0
// means that nothing more can happen. Somebody may always refund what is paid.
func (v orderView) Pace() int {
	switch {
	case v.Following:
		return 1000
	case v.State == "paid", v.State == "refunding":
		return 1500
	}
	return 0
}

// CountDown is the time left to pay.
func (v orderView) CountDown() string { return fmt.Sprintf("%02d:%02d", v.Seconds/60, v.Seconds%60) }
