package orderstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// exampleOrder is what the kit stores before it asks WeChat for a prepay.
func exampleOrder() orderstore.Order {
	return orderstore.Order{
		OutTradeNo: "tzxz_3cca32f4bb_1", UserID: "3cca32f4bb", Total: 100, Currency: orderstore.CNY,
		Product: orderstore.Native, MchID: "1900000001", AppID: "wxd678efh567hg6787",
	}
}

// examplePayment is what a verified notification says of it.
func examplePayment() orderstore.Payment {
	return orderstore.Payment{
		Source: orderstore.FromNotification, OutTradeNo: "tzxz_3cca32f4bb_1", MchID: "1900000001", AppID: "wxd678efh567hg6787",
		TradeState: orderstore.TradeSuccess, TransactionID: "4200000001", Total: 100, Currency: orderstore.CNY,
	}
}

func ExampleOrder_Apply() {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	order, outcome, err := exampleOrder().Apply(examplePayment(), now)
	fmt.Println(outcome, order.PayStatus, order.ToHandOver(), err)

	// The same notification again, and a query that lags behind.
	order, outcome, err = order.Apply(examplePayment(), now)
	fmt.Println(outcome, order.PayStatus, err)
	late := examplePayment()
	late.TradeState = orderstore.TradeNotPay
	order, outcome, err = order.Apply(late, now)
	fmt.Println(outcome, order.PayStatus, err)

	// Somebody else's money.
	wrong := examplePayment()
	wrong.Total = 1
	order, outcome, err = exampleOrder().Apply(wrong, now)
	fmt.Println(outcome, order.PayStatus, errors.Is(err, orderstore.ErrMismatch))
	fmt.Println(err)
	// Output:
	// paid 支付成功 true <nil>
	// unchanged 支付成功 <nil>
	// unchanged 支付成功 <nil>
	// mismatch 已下单,未支付 true
	// orderstore: the payment is not this order's: amount.total is "1", the order has "100"
}

func ExampleUpdate() {
	ctx, store := context.Background(), memory.New()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := store.Create(ctx, exampleOrder()); err != nil {
		fmt.Println(err)
	}
	var outcome orderstore.Outcome
	var mismatch error
	order, err := orderstore.Update(ctx, store, "tzxz_3cca32f4bb_1", func(o orderstore.Order) (orderstore.Order, bool) {
		var next orderstore.Order
		next, outcome, mismatch = o.Apply(examplePayment(), now)
		return next, next.Changed(o)
	})
	fmt.Println(outcome, mismatch, order.PayStatus, order.Version, err)

	events, err := store.Events(ctx, "tzxz_3cca32f4bb_1")
	fmt.Println(len(events), events[0].Kind, events[0].Note, err)
	// Output:
	// paid <nil> 支付成功 2 <nil>
	// 1 paid transaction 4200000001 <nil>
}

func ExampleOrder_BeginHandOver() {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	order, _, _ := exampleOrder().Apply(examplePayment(), now)

	claimed, err := order.BeginHandOver(now, time.Minute)
	fmt.Println(claimed.HandOverTries, err)
	_, err = claimed.BeginHandOver(now, time.Minute)
	fmt.Println(err)

	failed := claimed.HandOverFailed(1, "the application is down", now)
	fmt.Println(failed.NextActionAt.Sub(now))
	fmt.Println(claimed.HandedOver(now).ToHandOver())
	// Output:
	// 1 <nil>
	// orderstore: nothing to do now
	// 1s
	// false
}

func ExampleCatalog_Quote() {
	catalog := orderstore.Catalog{{GoodsID: "vip-month", Description: "1个月会员", Total: 100}}
	quote, err := catalog.Quote(context.Background(), orderstore.QuoteRequest{GoodsID: "vip-month"})
	fmt.Println(quote.Total, quote.Description, err)
	_, err = catalog.Quote(context.Background(), orderstore.QuoteRequest{GoodsID: "vip-day"})
	fmt.Println(err)
	// Output:
	// 1.00元 1个月会员 <nil>
	// orderstore: no such goods
}

func ExampleFen() {
	fmt.Println(orderstore.Fen(100), orderstore.Fen(1))
	// Output: 1.00元 0.01元
}

func ExampleOrder_BeginRefund() {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	order, _, _ := exampleOrder().Apply(examplePayment(), now)

	// Stored before WeChat hears of it; the same number is the same refund.
	order, err := order.BeginRefund(orderstore.Refund{OutRefundNo: "R-1", Amount: 60}, now)
	fmt.Println(order.RefundStatus == orderstore.RefundApplying, order.Refundable(), err)
	_, err = order.BeginRefund(orderstore.Refund{OutRefundNo: "R-2", Amount: 60}, now)
	fmt.Println(err)

	order, outcome, err := order.ApplyRefundResult(orderstore.RefundResult{
		Source: orderstore.FromNotification, OutTradeNo: order.OutTradeNo, OutRefundNo: "R-1", Refund: 60, Status: orderstore.RefundSuccess,
	}, now)
	fmt.Println(outcome, order.Refunded, order.PayStatus, err)
	// Output:
	// true 0.40元 <nil>
	// orderstore: that is more than is left of the payment
	// succeeded 0.60元 支付成功 <nil>
}
