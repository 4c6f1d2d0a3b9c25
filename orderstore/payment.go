package orderstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Payment is what WeChat Pay says of an order's payment, whoever told us.
// Source: the transaction resource of query and notification.
type Payment struct {
	Source Source
	ID     string // of the notification, for the history
	Serial string // of the key that signed it, for the history

	OutTradeNo    string
	MchID         string
	AppID         string
	TradeState    string
	TransactionID string
	Total         Fen // amount.total, never payer_total
	PayerTotal    Fen
	Currency      string
	PaidAt        time.Time // success_time
}

// Outcome says what a payment did to an order.
type Outcome string

// The outcomes of [Order.Apply].
const (
	// Unchanged: nothing new; there is nothing to save.
	Unchanged Outcome = "unchanged"
	// Noted: WeChat's trade_state is a new word, and only that was written down.
	Noted Outcome = "noted"
	// BecamePaid: the order is paid now and due to be handed over.
	BecamePaid Outcome = "paid"
	// BecamePaidLate: the same, of an order that had been closed.
	BecamePaidLate Outcome = "paid_late"
	// BecamePaidAgain: the same, but another attempt has paid for the same Ref;
	// the money goes back. Apply does not know of other attempts: see
	// [Order.ClaimRef] and [Order.PaidAgain].
	BecamePaidAgain Outcome = "paid_again"
	// BecameClosed: WeChat says that it will take no payment any more.
	BecameClosed Outcome = "closed"
	// SecondPayment: another transaction on a paid order. The order stays paid
	// by the first, the anomaly is in its history, and the money is owed back.
	SecondPayment Outcome = "second_payment"
	// Mismatched: not this order's money. The anomaly is in its history; the
	// error is a [*MismatchError].
	Mismatched Outcome = "mismatch"
)

// MismatchError names the first fact of a payment that is not the order's own.
type MismatchError struct {
	Field     string // WeChat's name of it, such as amount.total
	Want, Got string
}

// Error says which fact, what was expected and what came.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%v: %s is %q, the order has %q", ErrMismatch, e.Field, e.Got, e.Want)
}

// Unwrap lets errors.Is find [ErrMismatch].
func (e *MismatchError) Unwrap() error { return ErrMismatch }

// ErrMismatch is matched by every [*MismatchError].
var ErrMismatch = errors.New("orderstore: the payment is not this order's")

// Apply returns the order after p. Paid is for ever: no payment, in any order
// and any number of times, takes it back. A payment counts only if merchant,
// app, number, total and currency are the order's own; otherwise the order is
// returned with the anomaly in its history and a [*MismatchError].
//
// The returned order is to be saved when it differs: see [Order.Changed].
func (o Order) Apply(p Payment, now time.Time) (Order, Outcome, error) {
	if err := o.owns(p); err != nil {
		note := fmt.Sprintf("transaction %s: %v", p.TransactionID, err)
		return o.anomaly(p, EventMismatch, note, now), Mismatched, err
	}
	switch p.TradeState {
	case TradeSuccess, TradeRefund:
		return o.pay(p, now)
	case TradeClosed, TradeRevoked, TradePayError:
		if o.PayStatus == Unpaid {
			return o.close(p, now), BecameClosed, nil
		}
	}
	if o.PayStatus != Unpaid || o.TradeState == p.TradeState {
		return o, Unchanged, nil
	}
	o.TradeState = p.TradeState
	o.UpdatedAt = now
	return o, Noted, nil
}

// pay is the one place where an order becomes paid.
func (o Order) pay(p Payment, now time.Time) (Order, Outcome, error) {
	if o.PayStatus == Paid {
		switch {
		case o.TransactionID != p.TransactionID:
			note := fmt.Sprintf("transaction %s of %v beside %s", p.TransactionID, p.Total, o.TransactionID)
			return o.anomaly(p, EventSecondPayment, note, now), SecondPayment, nil
		case o.TradeState == p.TradeState || p.TradeState == TradeSuccess:
			return o, Unchanged, nil
		}
		o.TradeState = p.TradeState
		o.UpdatedAt = now
		return o, Noted, nil
	}
	outcome, kind := BecamePaid, EventPaid
	if o.PayStatus == Closed {
		outcome, kind = BecamePaidLate, EventPaidLate
	}
	o.PayStatus = Paid
	o.TradeState = p.TradeState
	o.TransactionID = p.TransactionID
	o.PayerTotal = p.PayerTotal
	o.PaidAt = p.PaidAt
	if o.PaidAt.IsZero() {
		o.PaidAt = now
	}
	o.HandOverAt = now
	return o.appointed().with(p.event(kind, now, "transaction "+p.TransactionID)), outcome, nil
}

// owns checks what law 2 demands. WeChat leaves the amount out while an order
// is unpaid, so it is compared only where money is said to have moved.
func (o Order) owns(p Payment) error {
	money := p.TradeState == TradeSuccess || p.TradeState == TradeRefund
	checks := []MismatchError{
		{"out_trade_no", o.OutTradeNo, p.OutTradeNo},
		{"mchid", o.MchID, p.MchID},
		{"appid", o.AppID, p.AppID},
	}
	if money {
		checks = append(checks,
			MismatchError{"amount.total", fmt.Sprint(int64(o.Total)), fmt.Sprint(int64(p.Total))},
			MismatchError{"amount.currency", o.Currency, p.Currency})
	}
	for _, c := range checks {
		if c.Want != c.Got {
			return &c
		}
	}
	if money && p.TransactionID == "" {
		return &MismatchError{Field: "transaction_id", Want: "a number"}
	}
	return nil
}

// anomaly records a claim that does not fit, once.
func (o Order) anomaly(p Payment, kind EventKind, note string, now time.Time) Order {
	claims := strings.FieldsFunc(o.Anomaly, func(r rune) bool { return r == '\n' })
	if slices.Contains(claims, note) {
		return o
	}
	o.Anomaly = strings.Join(append(claims, note), "\n")
	return o.with(p.event(kind, now, note))
}

func (p Payment) event(kind EventKind, now time.Time, note string) Event {
	return Event{At: now, Kind: kind, Source: p.Source, ID: p.ID, Serial: p.Serial, Note: note}
}
