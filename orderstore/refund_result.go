package orderstore

import (
	"fmt"
	"time"
)

// RefundResult is what WeChat Pay says of a refund, whoever told us.
// Source: the refund resource of application, query, notification and bill.
type RefundResult struct {
	Source Source
	ID     string // of the notification, for the history
	Serial string // of the key that signed it, for the history

	OutTradeNo    string
	MchID         string // empty where WeChat does not say it
	TransactionID string // empty where WeChat does not say it
	OutRefundNo   string
	RefundID      string
	Status        RefundStatus
	Refund        Fen // amount.refund
	Total         Fen // amount.total; 0 where WeChat does not say it
	RefundedAt    time.Time
}

// RefundOutcome says what a result did to an order.
type RefundOutcome string

// The outcomes of [Order.ApplyRefundResult].
const (
	RefundUnchanged     RefundOutcome = "unchanged" // nothing new, nothing to save
	RefundAccepted      RefundOutcome = "accepted"  // WeChat has it and is at it
	RefundSucceeded     RefundOutcome = "succeeded" // the money is back; due to be handed over
	RefundBecameClosed  RefundOutcome = "closed"    // failed for good
	RefundNeedsAction   RefundOutcome = "abnormal"  // somebody must say where the money goes
	RefundWasRefused    RefundOutcome = "refused"   // WeChat will not do it
	RefundMismatched    RefundOutcome = "mismatch"  // not this order's; the error is a [*MismatchError]
	RefundNotPossible   RefundOutcome = "unpaid"    // the order is not paid: learn of the payment first
	RefundNotYetApplied RefundOutcome = "not_yet"   // WeChat did not take it this time
	// RefundNotBegun: the payment is to go back, and the order takes no refund
	// for it; see [Order.NotGivenBack]. Somebody must give it back by hand.
	RefundNotBegun RefundOutcome = "not_begun"
)

// ApplyRefundResult returns the order after p. A refund that WeChat speaks of
// and the order does not know, such as one made by hand on the merchant
// platform, becomes one of its refunds. A refund that is done stays done.
//
// A result whose merchant, number, transaction or amount are not the order's
// is an anomaly in its history, and a [*MismatchError]. That the order is not
// paid is [ErrNotPaid].
func (o Order) ApplyRefundResult(p RefundResult, now time.Time) (Order, RefundOutcome, error) {
	if o.PayStatus != Paid {
		return o, RefundNotPossible, ErrNotPaid
	}
	r, known := o.Refund(p.OutRefundNo)
	if err := o.ownsRefund(p, r, known); err != nil {
		note := fmt.Sprintf("refund %s: %v", p.OutRefundNo, err)
		return o.anomaly(Payment{Source: p.Source, ID: p.ID, Serial: p.Serial}, EventMismatch, note, now), RefundMismatched, err
	}
	if !known {
		r = Refund{OutRefundNo: p.OutRefundNo, Amount: p.Refund, AskedBy: "WeChat Pay", CreatedAt: now}
	}
	kind, outcome := r.news(p)
	if outcome == RefundUnchanged {
		return o, outcome, nil
	}
	if r.AppliedAt.IsZero() { // it was sent before that was known, or by hand
		r.AppliedAt = now
		o = o.othersWait(r.OutRefundNo, now.Add(refundSpacing))
	}
	r = r.after(p, now)
	e := r.event(kind, now, "")
	e.Source, e.ID, e.Serial = p.Source, p.ID, p.Serial
	return o.withRefund(r).with(e), outcome, nil
}

// news says what p means to the refund. Success is for ever; closed gives way
// to success only. An application's own answer may be older than a
// notification, so only a query takes an abnormal refund back into process.
func (r Refund) news(p RefundResult) (EventKind, RefundOutcome) {
	if p.Status == r.Status || r.Status == RefundSuccess {
		return "", RefundUnchanged
	}
	if r.Status == RefundClosed && p.Status != RefundSuccess {
		return "", RefundUnchanged
	}
	switch p.Status {
	case RefundSuccess:
		return EventRefunded, RefundSucceeded
	case RefundClosed:
		return EventRefundClosed, RefundBecameClosed
	case RefundAbnormal:
		return EventRefundAbnormal, RefundNeedsAction
	case RefundProcessing:
		if r.Status == RefundAbnormal && p.Source != FromQuery {
			break
		}
		return EventRefundAccepted, RefundAccepted
	}
	return "", RefundUnchanged // a word of tomorrow: WeChat is asked again
}

// after is the refund with the news in it.
func (r Refund) after(p RefundResult, now time.Time) Refund {
	r.Status, r.Problem, r.Tries = p.Status, "", 0
	r.OnItsWayUntil = time.Time{}
	if p.RefundID != "" {
		r.RefundID = p.RefundID
	}
	if r.AcceptedAt.IsZero() {
		r.AcceptedAt = now
	}
	switch r.Status {
	case RefundSuccess:
		if r.RefundedAt = p.RefundedAt.UTC(); r.RefundedAt.IsZero() {
			r.RefundedAt = now
		}
		r.NextActionAt = now // to be handed over
	case RefundClosed:
		r.NextActionAt = time.Time{}
	default:
		r.NextActionAt = now.Add(r.nextQuery())
	}
	return r
}

// ownsRefund checks what law 2 demands, of a refund.
func (o Order) ownsRefund(p RefundResult, r Refund, known bool) error {
	most := o.Refundable()
	if known && r.holds() {
		most += r.Amount
	}
	switch {
	case p.OutTradeNo != o.OutTradeNo:
		return &MismatchError{"out_trade_no", o.OutTradeNo, p.OutTradeNo}
	case p.MchID != "" && p.MchID != o.MchID:
		return &MismatchError{"mchid", o.MchID, p.MchID}
	case p.TransactionID != "" && p.TransactionID != o.TransactionID:
		return &MismatchError{"transaction_id", o.TransactionID, p.TransactionID}
	case p.Total != 0 && p.Total != o.Total:
		return &MismatchError{"amount.total", fmt.Sprint(int64(o.Total)), fmt.Sprint(int64(p.Total))}
	case known && p.Refund != r.Amount:
		return &MismatchError{"amount.refund", fmt.Sprint(int64(r.Amount)), fmt.Sprint(int64(p.Refund))}
	case p.OutRefundNo == "":
		return &MismatchError{Field: "out_refund_no", Want: "a number"}
	case p.Refund < 1, p.Refund > o.Total, p.Refund > most && p.Status != RefundClosed:
		return &MismatchError{"amount.refund", fmt.Sprintf("1 to %d", int64(most)), fmt.Sprint(int64(p.Refund))}
	}
	return nil
}
