package orderstore

import (
	"fmt"
	"time"
)

// Why a payment goes back to the customer instead of to the application:
// [Order.GivenBack].
const (
	GivenBackLate  = "late_payment" // it arrived after the order was closed, and the shop does not want it
	GivenBackAgain = "paid_again"   // another attempt has paid for the same Ref
)

// GiveBack returns the paid order, with its money to be refunded in full and
// nothing to be handed over to the application. r has OutRefundNo, Reason and
// Request of that refund. An order whose hand-over has begun is [ErrNotDue].
//
// Should the order take no refund, the money waits for a person: that is in
// its history, and [Order.NotGivenBack] says why.
func (o Order) GiveBack(r Refund, why string, now time.Time) (Order, error) {
	if !o.ToHandOver() || o.HandOverTries > 0 {
		return o, ErrNotDue
	}
	o.GivenBack, o.HandOverAt = why, time.Time{}
	o = o.appointed().with(Event{At: now, Kind: EventGivenBack, Note: why})
	r.Amount, r.AskedBy = o.Total, why
	next, err := o.BeginRefund(r, now)
	if err != nil {
		return o.with(r.event(EventRefundRefused, now, err.Error())), nil
	}
	return next, nil
}

// NotGivenBack returns why the order, which is to be given back, took no
// refund for it under that number; nil when it did, or is not to be.
func (o Order) NotGivenBack(outRefundNo string, now time.Time) error {
	if o.GivenBack == "" {
		return nil
	}
	if _, begun := o.Refund(outRefundNo); begun {
		return nil
	}
	_, err := o.BeginRefund(Refund{OutRefundNo: outRefundNo, Amount: o.Total}, now)
	return err
}

// PaidAgain returns the paid order with the anomaly in its history that the
// attempt named by winner has paid for its Ref. It is to be given back.
func (o Order) PaidAgain(p Payment, winner string, now time.Time) Order {
	note := fmt.Sprintf("transaction %s of %v: order %s has paid for %q", p.TransactionID, p.Total, winner, o.Ref)
	return o.anomaly(p, EventPaidAgain, note, now)
}

// ClaimRef decides which attempt pays for the application's own order: the
// first that asks. It is called on the first attempt of the Ref, whichever
// attempt is paid, so that saving the returned order decides it once for all
// processes. It reports which attempt it is.
func (o Order) ClaimRef(outTradeNo string, now time.Time) (_ Order, winner string) {
	if o.RefPaidBy == "" {
		o.RefPaidBy = outTradeNo
		o.UpdatedAt = now
	}
	return o, o.RefPaidBy
}
