package orderstore

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refund is one refund of an order: one out_refund_no, which WeChat Pay
// refunds once, however often it is asked. It is part of its [Order] and
// changes only through the methods of it. Times are UTC, zero for "not yet".
type Refund struct {
	OutRefundNo string       `json:"out_refund_no"`
	RefundID    string       `json:"refund_id,omitempty"` // WeChat's number
	Amount      Fen          `json:"refund"`
	Reason      string       `json:"reason,omitempty"` // shown to the customer
	AskedBy     string       `json:"asked_by,omitempty"`
	Status      RefundStatus `json:"status"`
	// Request is the body sent to WeChat, byte for byte. It is frozen like
	// [Order.PrepayRequest]: a number may only be sent with its parameters.
	Request string `json:"request,omitempty"`
	// Problem is why WeChat did not take it, or not yet: WeChat's error code.
	Problem string `json:"problem,omitempty"`

	CreatedAt  time.Time `json:"created_at,omitzero"`
	AppliedAt  time.Time `json:"applied_at,omitzero"`  // when WeChat was last sent it
	AcceptedAt time.Time `json:"accepted_at,omitzero"` // when WeChat was first heard to have it
	RefundedAt time.Time `json:"refunded_at,omitzero"` // success_time
	// OnItsWayUntil is set while an application may still reach WeChat although
	// nobody waits for it.
	OnItsWayUntil time.Time `json:"on_its_way_until,omitzero"`

	// NextActionAt is when somebody must look at it again; see
	// [Order.NextActionAt]. Tries counts the looks since the last news, Claims
	// all there ever were: it tells a holder from the one after it.
	NextActionAt  time.Time `json:"next_action_at,omitzero"`
	Tries         int       `json:"tries,omitempty"`
	Claims        int       `json:"claims,omitempty"`
	HandOverTries int       `json:"hand_over_tries,omitempty"`
	HandedOverAt  time.Time `json:"handed_over_at,omitzero"` // when the application took the refund over
}

// RefundStatus says how far a refund is. Source: 查询退款, status; the first
// and the last are this package's own.
type RefundStatus string

// The states of a refund.
const (
	RefundApplying   RefundStatus = "APPLYING"   // stored; WeChat is not known to have it yet
	RefundProcessing RefundStatus = "PROCESSING" // WeChat has accepted it
	RefundSuccess    RefundStatus = "SUCCESS"    // the money is back
	RefundClosed     RefundStatus = "CLOSED"     // failed for good; to refund again takes a new number
	RefundAbnormal   RefundStatus = "ABNORMAL"   // the customer's account takes no money: somebody must act
	RefundRefused    RefundStatus = "REFUSED"    // WeChat will not do it, and nothing was moved
)

// Final reports whether no money moves for this refund any more.
func (s RefundStatus) Final() bool {
	return s == RefundSuccess || s == RefundClosed || s == RefundRefused
}

// String is the text for people.
func (s RefundStatus) String() string {
	switch s {
	case RefundApplying:
		return "退款申请中"
	case RefundProcessing:
		return "退款处理中"
	case RefundSuccess:
		return "退款成功"
	case RefundClosed:
		return "退款关闭"
	case RefundAbnormal:
		return "退款异常"
	case RefundRefused:
		return "退款被拒绝"
	}
	return "未知状态"
}

// holds reports whether the refund's money counts as given back, now or soon.
func (r Refund) holds() bool { return r.Status != RefundClosed && r.Status != RefundRefused }

// What WeChat allows. Source: 申请退款, 接口规则; wire facts §6.4.
const (
	MaxRefunds    = 50
	refundAge     = 365 * 24 * time.Hour
	refundSpacing = time.Minute + time.Second // a minute, and a second for the way
)

// Why an order takes no such refund.
var (
	ErrRefundNumber   = errors.New("orderstore: out_refund_no is 1 to 64 of 0-9 A-Z a-z _ - | * @")
	ErrNotPaid        = errors.New("orderstore: the order is not paid")
	ErrRefundAmount   = errors.New("orderstore: a refund is 1 fen at least")
	ErrRefundTooMuch  = errors.New("orderstore: that is more than is left of the payment")
	ErrTooManyRefunds = errors.New("orderstore: the order has 50 refunds already")
	ErrRefundTooLate  = errors.New("orderstore: the payment is more than a year old")
	ErrRefundReused   = errors.New("orderstore: the refund number belongs to another refund")
)

// Refund returns the refund with that number.
func (o Order) Refund(outRefundNo string) (Refund, bool) {
	for _, r := range o.Refunds {
		if r.OutRefundNo == outRefundNo {
			return r, true
		}
	}
	return Refund{}, false
}

// Refundable is what is left to refund: the total without every refund that
// is done or may still be.
func (o Order) Refundable() Fen {
	if o.PayStatus != Paid {
		return 0
	}
	left := o.Total
	for _, r := range o.Refunds {
		if r.holds() {
			left -= r.Amount
		}
	}
	return left
}

// BeginRefund returns the order with a new refund to be applied for at WeChat.
// r has OutRefundNo, Amount, Request, and if wanted Reason and AskedBy. It is
// due at once, or in the first minute that no other refund of this order has
// for itself.
//
// A number that the order has is the same refund: nothing changes, unless
// WeChat had refused it; then it is tried again. With another amount it is
// [ErrRefundReused]. Otherwise the errors are ErrRefundNumber, ErrNotPaid,
// ErrRefundAmount, ErrRefundTooMuch, ErrTooManyRefunds and ErrRefundTooLate.
func (o Order) BeginRefund(r Refund, now time.Time) (Order, error) {
	old, known := o.Refund(r.OutRefundNo)
	if known && old.Amount != r.Amount {
		return o, ErrRefundReused
	}
	if known && old.Status != RefundRefused {
		return o, nil
	}
	if err := o.refundable(r, known, now); err != nil {
		return o, err
	}
	if known {
		r = old
	} else {
		r.CreatedAt = now
	}
	r.Status, r.Problem, r.Tries = RefundApplying, "", 0
	r.NextActionAt = o.nextApplication(r.OutRefundNo, now)
	return o.withRefund(r).with(r.event(EventRefundAsked, now, r.AskedBy)), nil
}

func (o Order) refundable(r Refund, known bool, now time.Time) error {
	switch {
	case !ValidRefundNumber(r.OutRefundNo):
		return ErrRefundNumber
	case o.PayStatus != Paid:
		return ErrNotPaid
	case r.Amount < 1:
		return ErrRefundAmount
	case r.Amount > o.Refundable():
		return ErrRefundTooMuch
	case !known && len(o.Refunds) >= MaxRefunds:
		return ErrTooManyRefunds
	case now.Sub(o.PaidAt) > refundAge:
		return ErrRefundTooLate
	}
	return nil
}

// nextApplication is the first moment from now on at which WeChat may be sent
// one more refund of this order: a minute away from all that were sent and
// from all that are to be. One that waits for an hour is not waited for.
func (o Order) nextApplication(outRefundNo string, now time.Time) time.Time {
	var taken []time.Time
	for _, r := range o.Refunds {
		if r.OutRefundNo == outRefundNo {
			continue // the same refund sent again is one
		}
		taken = append(taken, r.AppliedAt)
		if r.Status == RefundApplying {
			taken = append(taken, r.NextActionAt)
		}
	}
	slices.SortFunc(taken, time.Time.Compare)
	next := now
	for _, at := range taken {
		if at.Add(refundSpacing).After(next) && next.Add(refundSpacing).After(at) {
			next = at.Add(refundSpacing)
		}
	}
	return next
}

// withRefund returns the order with r in the place of the refund with its
// number, or behind the others, and with what follows from all refunds. It
// shares no memory with the order it came from.
func (o Order) withRefund(r Refund) Order {
	refunds := make(Refunds, 0, len(o.Refunds)+1)
	found := false
	for _, old := range o.Refunds {
		if old.OutRefundNo == r.OutRefundNo {
			old, found = r, true
		}
		refunds = append(refunds, old)
	}
	if !found {
		refunds = append(refunds, r)
	}
	o.Refunds = refunds
	o.Refunded, o.RefundStatus = refunds.sum()
	return o.appointed()
}

// event is a line of the history about this refund.
func (r Refund) event(kind EventKind, now time.Time, note string) Event {
	e := Event{At: now, Kind: kind, Note: fmt.Sprintf("refund %s of %v", r.OutRefundNo, r.Amount)}
	if note != "" {
		e.Note += ": " + note
	}
	return e
}
