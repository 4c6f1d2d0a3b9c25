package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// payment holds a row that is not a refund against its order.
func (c *comparison) payment(ctx context.Context, row wxapi.BillRow) error {
	if row.TradeState == wxapi.StateSuccess {
		c.report.Payments++
	}
	d := Difference{OutTradeNo: row.OutTradeNo, TransactionID: row.TransactionID, There: paymentThere(row)}
	o, err := c.cfg.Store.Get(ctx, row.OutTradeNo)
	switch {
	case errors.Is(err, orderstore.ErrNotFound):
		d.Kind, d.Here = UnknownOrder, "no such order"
		c.found(d)
		return nil
	case err != nil:
		return err
	}
	c.seen.add(payments, row.OutTradeNo, row.TransactionID)
	d.Kind, d.Here = paymentKind(o, row), orderHere(o)
	switch d.Kind {
	case "":
		return nil
	case UnknownRow:
		c.found(d)
		return nil
	case Identity:
		d.Here, d.There = identity(o.MchID, o.AppID), identity(seller(row), row.AppID)
	}
	// What cannot be repaired is settled too: the claim belongs in the order's
	// history, and whoever is told of such claims is told.
	after, err := c.cfg.Settle(ctx, paymentOf(row))
	d.Repaired = d.Kind.repairable() &&
		after.PayStatus == orderstore.Paid && after.TransactionID == row.TransactionID
	c.found(d)
	return unlessAnswer(err)
}

// paymentKind is how the row differs, and empty when it does not. The first
// kind explains the others. It asks what [orderstore.Order.Apply] asks.
func paymentKind(o orderstore.Order, row wxapi.BillRow) Kind {
	switch {
	case row.TradeState != wxapi.StateSuccess:
		return UnknownRow
	case seller(row) != o.MchID, row.AppID != o.AppID:
		return Identity
	case orderstore.Fen(row.OrderTotal) != o.Total, row.Currency != o.Currency:
		return Amount
	case o.PayStatus != orderstore.Paid:
		return UnpaidHere
	case row.TransactionID != o.TransactionID:
		return PaidTwice
	}
	return ""
}

// seller is the merchant whose order the row is about: numbers are unique to
// each, so in the bill of a service provider (服务商) that is the sub-merchant.
func seller(row wxapi.BillRow) string { return cmp.Or(row.SubMchID, row.MchID) }

// paymentOf translates a row into the order's terms.
func paymentOf(row wxapi.BillRow) orderstore.Payment {
	return orderstore.Payment{
		Source:        orderstore.FromBill,
		OutTradeNo:    row.OutTradeNo,
		MchID:         seller(row),
		AppID:         row.AppID,
		TradeState:    orderstore.TradeSuccess,
		TransactionID: row.TransactionID,
		PaidAt:        row.TradeTime,
		Total:         orderstore.Fen(row.OrderTotal),
		PayerTotal:    payerTotal(row),
		Currency:      row.Currency,
	}
}

// payerTotal is what the customer paid: 应结订单金额 is without the coupons that
// the merchant gave (免充值券), and 代金券金额 is the others (充值券).
func payerTotal(row wxapi.BillRow) orderstore.Fen {
	return orderstore.Fen(max(row.SettlementTotal-row.CouponTotal, 0))
}

// unlessAnswer is the error, unless it is what the order says to a claim that
// does not fit.
func unlessAnswer(err error) error {
	if errors.Is(err, orderstore.ErrMismatch) {
		return nil
	}
	return err
}

func paymentThere(row wxapi.BillRow) string {
	what := "paid"
	if row.TradeState != wxapi.StateSuccess {
		what = row.TradeState
	}
	return fmt.Sprintf("%s %v%s, transaction %s", what, orderstore.Fen(row.OrderTotal), foreign(row.Currency), row.TransactionID)
}

func orderHere(o orderstore.Order) string {
	switch o.PayStatus {
	case orderstore.Paid:
		return fmt.Sprintf("paid %v%s, transaction %s", o.Total, foreign(o.Currency), o.TransactionID)
	case orderstore.Closed:
		return fmt.Sprintf("closed, %v", o.Total)
	}
	return fmt.Sprintf("unpaid, %v", o.Total)
}

// foreign is the currency, where it is not the one that goes without saying.
func foreign(currency string) string {
	if currency == orderstore.CNY {
		return ""
	}
	return fmt.Sprintf(" in %q", currency)
}

func identity(mchID, appID string) string { return fmt.Sprintf("mchid %q, appid %q", mchID, appID) }
