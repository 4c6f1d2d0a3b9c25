package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// refunded is the one 退款状态 that is for ever. The others (PROCESSING, FAIL,
// CHANGE) were true when the bill was made, and are not the words of a query:
// they teach nothing about a refund that the order has.
const refunded = "SUCCESS"

// refund holds a row of a refund against its order.
func (c *comparison) refund(ctx context.Context, row wxapi.BillRow) error {
	c.report.Refunds++
	d := Difference{
		OutTradeNo: row.OutTradeNo, OutRefundNo: row.OutRefundNo, TransactionID: row.TransactionID,
		There: refundText(orderstore.Fen(row.RefundApplied), row.RefundStatus),
	}
	o, err := c.cfg.Store.Get(ctx, row.OutTradeNo)
	switch {
	case errors.Is(err, orderstore.ErrNotFound):
		d.Kind, d.Here = RefundUnknownOrder, "no such order"
		c.found(d)
		return nil
	case err != nil:
		return err
	}
	c.seen.add(refunds, row.OutTradeNo, row.OutRefundNo)
	r, _ := o.Refund(row.OutRefundNo)
	d.Kind, d.Here = refundKind(o, row), refundText(r.Amount, string(r.Status))
	switch d.Kind {
	case "":
		return nil
	case RefundUnpaidHere: // it can have no refund
		d.Here = orderHere(o)
		c.found(d)
		return nil
	case RefundIdentity:
		d.Here, d.There = refundIdentity(o.MchID, o.TransactionID), refundIdentity(seller(row), row.TransactionID)
	case UnknownRefund:
		d.Here = "no such refund"
	case RefundState:
		if row.RefundStatus != refunded { // the bill may be older than what the store knows
			d.Remedy = stateRemedy[r.Status]
			c.found(d)
			return nil
		}
	}
	after, err := c.cfg.SettleRefund(ctx, resultOf(row))
	d.Repaired = d.Kind.repairable() && has(after, row)
	c.found(d)
	return unlessAnswer(err)
}

// has reports whether the order has the refund, as far as the bill has it.
func has(o orderstore.Order, row wxapi.BillRow) bool {
	r, known := o.Refund(row.OutRefundNo)
	return known && r.Amount == orderstore.Fen(row.RefundApplied) &&
		(r.Status == orderstore.RefundSuccess || row.RefundStatus != refunded)
}

// refundKind is how the row differs, and empty when it does not. The first
// kind explains the others. It asks what [orderstore.Order.ApplyRefundResult]
// asks.
func refundKind(o orderstore.Order, row wxapi.BillRow) Kind {
	r, known := o.Refund(row.OutRefundNo)
	switch {
	case seller(row) != "" && seller(row) != o.MchID:
		return RefundIdentity
	case o.PayStatus != orderstore.Paid:
		return RefundUnpaidHere
	case row.TransactionID != o.TransactionID:
		return RefundIdentity
	case !known:
		return UnknownRefund
	case orderstore.Fen(row.RefundApplied) != r.Amount:
		return RefundAmount
	case contradicts(row.RefundStatus, r.Status):
		return RefundState
	}
	return ""
}

// contradicts reports whether the state in the store cannot have come after
// the word in the bill.
func contradicts(word string, state orderstore.RefundStatus) bool {
	switch state {
	case orderstore.RefundSuccess:
		return false // perhaps after the bill was made
	case orderstore.RefundApplying, orderstore.RefundRefused:
		return true // WeChat has it all the same
	case orderstore.RefundProcessing:
		return word != "PROCESSING"
	}
	return word == refunded
}

// resultOf translates a row into the order's terms. A refund of which the bill
// does not say that it is done is as good as accepted: whoever has one that is
// under way asks WeChat for the truth.
func resultOf(row wxapi.BillRow) orderstore.RefundResult {
	status := orderstore.RefundProcessing
	if row.RefundStatus == refunded {
		status = orderstore.RefundSuccess
	}
	return orderstore.RefundResult{
		Source:        orderstore.FromBill,
		OutTradeNo:    row.OutTradeNo,
		MchID:         seller(row),
		TransactionID: row.TransactionID,
		OutRefundNo:   row.OutRefundNo,
		RefundID:      row.RefundID,
		Status:        status,
		Refund:        orderstore.Fen(row.RefundApplied),
		RefundedAt:    row.RefundedAt,
	}
}

func refundText(amount orderstore.Fen, state string) string {
	return fmt.Sprintf("refund of %v, %s", amount, state)
}

func refundIdentity(mchID, transactionID string) string {
	return fmt.Sprintf("mchid %q, transaction %s", mchID, transactionID)
}
