package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// A store is filled with copies of the templates: orders that went through
// the store's own API, one for each of slots, in the states that a shop has.
// The last slot is an order that nobody has paid yet.
const (
	slots       = 100
	unpaidSlot  = slots
	firstClosed = 85 // 13 of 100 were never paid
	firstGiven  = 98 // 2 of 100 were paid and refunded
)

// epoch is when the first order of a store was created; one follows each
// second.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// templateName is the order number of a template. It is before all others, so
// that the copies are appended at the end of every index, as new orders are.
func templateName(slot int) string { return fmt.Sprint("0000_template_", slot) }

// createTemplates stores the templates.
func createTemplates(ctx context.Context, store orderstore.Store) error {
	for slot := range slots + 1 {
		o, err := template(slot)
		if err != nil {
			return fmt.Errorf("template %d: %w", slot, err)
		}
		if err := store.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// template is the order of a slot, with its whole history.
func template(slot int) (orderstore.Order, error) {
	at := epoch
	o, err := prepaid(templateName(slot), slot, at)
	switch {
	case err != nil || slot == unpaidSlot:
		return o, err
	case slot >= firstClosed && slot < firstGiven:
		return o.Close(orderstore.FromClose, "", at.Add(time.Hour))
	}
	o, _, err = o.Apply(orderstore.Payment{
		Source: orderstore.FromNotification, ID: "3f1c1b60-8d0c-5c4e-9a53-1f0d8b9f7a10", Serial: "PUB_KEY_ID_0119000000012024061200000001",
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: "4200000000020250101000000000", Total: o.Total, PayerTotal: o.Total, Currency: o.Currency,
		PaidAt: at.Add(30 * time.Second),
	}, at.Add(31*time.Second))
	if err != nil {
		return o, err
	}
	if o, err = o.BeginHandOver(at.Add(32*time.Second), time.Minute); err != nil {
		return o, err
	}
	o = o.HandedOver(at.Add(33 * time.Second))
	if slot < firstGiven {
		return o, nil
	}
	return refunded(o, at.Add(24*time.Hour))
}

// refunded is the paid order with all of its money given back.
func refunded(o orderstore.Order, at time.Time) (orderstore.Order, error) {
	const number = "refund_0000_0001"
	o, err := o.BeginRefund(orderstore.Refund{
		OutRefundNo: number, Amount: o.Total, Request: `{"out_refund_no":"` + number + `"}`, Reason: "商品已售完", AskedBy: "admin",
	}, at)
	if err != nil {
		return o, err
	}
	o, _, err = o.ApplyRefundResult(orderstore.RefundResult{
		Source: orderstore.FromNotification, OutTradeNo: o.OutTradeNo, MchID: o.MchID, TransactionID: o.TransactionID, OutRefundNo: number,
		RefundID: "50300000002025010200000000001", Status: orderstore.RefundSuccess, Refund: o.Total, Total: o.Total, RefundedAt: at.Add(time.Minute),
	}, at.Add(time.Minute))
	return o.RefundHandedOver(number, at.Add(2*time.Minute)), err
}

// prepaid is an order whose customer has been sent to pay; every second one
// belongs to an order of the application.
func prepaid(number string, slot int, at time.Time) (orderstore.Order, error) {
	o := orderstore.Order{
		OutTradeNo: number, UserID: fmt.Sprintf("user_%07d", slot), GoodsID: "vip_month", Description: "会员服务一个月",
		Total: orderstore.Fen(100 + slot), Currency: orderstore.CNY, Product: orderstore.Native, MchID: "1900000001", AppID: "wx8888888888888888",
		AppName: "shop", AppChannel: "web", Device: "iPhone", DeviceIP: "203.0.113.7", Platform: 1, ExpiresAt: at.Add(2 * time.Hour),
		PrepayRequest: fmt.Sprintf(`{"appid":"wx8888888888888888","mchid":"1900000001","description":"会员服务一个月","out_trade_no":"%s",`+
			`"time_expire":"2025-01-01T10:00:00+08:00","notify_url":"https://shop.example.com/pay/notify","amount":{"total":%d,"currency":"CNY"}}`,
			strings.Repeat("0", numberLength), 100+slot),
	}
	credential := orderstore.Credential{CodeURL: "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}
	if slot%2 == 1 {
		o.Ref, o.Product, o.OpenID = "ref", orderstore.JSAPI, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
		credential = orderstore.Credential{PrepayID: "wx201410272009395522657a690389285100"}
	}
	return o.Opened(at, 10*time.Second).Prepaid(credential, at.Add(time.Second))
}
