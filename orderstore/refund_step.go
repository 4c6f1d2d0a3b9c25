package orderstore

import (
	"slices"
	"time"
)

// RefundDue returns the refund that is to be looked at now, the longest due
// first: applied for, asked about, or handed over to the application.
func (o Order) RefundDue(now time.Time) (Refund, bool) {
	var due Refund
	for _, r := range o.Refunds {
		if r.NextActionAt.IsZero() || r.NextActionAt.After(now) {
			continue
		}
		if due.NextActionAt.IsZero() || r.NextActionAt.Before(due.NextActionAt) {
			due = r
		}
	}
	return due, !due.NextActionAt.IsZero()
}

// ToHandOver reports whether the application has still to take the refund
// over: its money is back.
func (r Refund) ToHandOver() bool { return r.Status == RefundSuccess && r.HandedOverAt.IsZero() }

// BeginRefundStep claims the refund for one step. As with
// [Order.BeginHandOver] the claim is a lease, and NextActionAt of the refund
// returned is when it ends. claim is the refund as it was claimed; a step that
// failed hands it back to [Order.RefundNotTaken] and its like, so that a holder
// whose claim was taken over by another has no say any more. AppliedAt and
// OnItsWayUntil of claim are still those of the application before.
//
// A claim to apply makes the order's other applications wait a minute.
func (o Order) BeginRefundStep(outRefundNo string, now time.Time, lease time.Duration) (_ Order, claim Refund, err error) {
	r, ok := o.Refund(outRefundNo)
	if !ok || r.NextActionAt.IsZero() || r.NextActionAt.After(now) {
		return o, r, ErrNotDue
	}
	r.NextActionAt = now.Add(lease)
	r.Claims++
	if r.ToHandOver() {
		r.HandOverTries++
	} else {
		r.Tries++
	}
	claim = r
	if r.Status == RefundApplying {
		r.AppliedAt = now
		r.OnItsWayUntil = r.NextActionAt.Add(onItsWay) // the holder may die without a word
		o = o.othersWait(r.OutRefundNo, now.Add(refundSpacing))
	}
	o.UpdatedAt = now
	return o.withRefund(r), claim, nil
}

// othersWait returns the order with no other application due before that time:
// appointments that were kept late would be kept all at once.
func (o Order) othersWait(outRefundNo string, until time.Time) Order {
	o.Refunds = slices.Clone(o.Refunds)
	for i := range o.Refunds {
		r := &o.Refunds[i]
		if r.OutRefundNo != outRefundNo && r.Status == RefundApplying && r.NextActionAt.Before(until) {
			r.NextActionAt = until
		}
	}
	return o
}

// othersSent is when WeChat was last sent another refund of the order.
func (o Order) othersSent(outRefundNo string) (last time.Time) {
	for _, r := range o.Refunds {
		if r.OutRefundNo != outRefundNo && r.AppliedAt.After(last) {
			last = r.AppliedAt
		}
	}
	return last
}

// RefundVerdict is what is known of an application that WeChat did not accept.
type RefundVerdict int

// The verdicts.
const (
	RefundUnclear RefundVerdict = iota // no answer; WeChat may have it all the same
	RefundLater                        // WeChat did not take it and may take the very same later
	RefundNever                        // WeChat never will
)

// RefundNotTaken returns the order after an application failed; problem is
// WeChat's error code. The very same is to be applied for again, after a delay
// that doubles from five seconds to one hour. Only [RefundNever] ends it, and
// only if no earlier application can still arrive.
func (o Order) RefundNotTaken(claim Refund, problem string, v RefundVerdict, now time.Time) (Order, RefundOutcome) {
	r, ok := o.Refund(claim.OutRefundNo)
	if !ok || r.Status != RefundApplying || r.Claims != claim.Claims {
		return o, RefundUnchanged // something was heard meanwhile
	}
	const first, last = 5 * time.Second, time.Hour
	news := r.Problem != problem
	r.Problem = problem
	r.NextActionAt = now.Add(doubled(first, last, r.Tries-1))
	if at := o.othersSent(r.OutRefundNo).Add(refundSpacing); at.After(r.NextActionAt) {
		r.NextActionAt = at // this one took so long that another was sent meanwhile
	}
	r.OnItsWayUntil = claim.OnItsWayUntil
	switch {
	case v == RefundUnclear:
		r.OnItsWayUntil = now.Add(onItsWay)
	case v == RefundNever && !r.OnItsWayUntil.After(now):
		r.Status, r.NextActionAt, r.OnItsWayUntil = RefundRefused, time.Time{}, time.Time{}
		return o.withRefund(r).with(r.event(EventRefundRefused, now, problem)), RefundWasRefused
	}
	next := o.withRefund(r)
	next.UpdatedAt = now
	if !news { // an outage is one line of the history, not a hundred
		return next, RefundNotYetApplied
	}
	return next.with(r.event(EventRefundFailed, now, problem)), RefundNotYetApplied
}

// RefundAskedInVain returns the order after WeChat was asked about the refund
// and nothing new was heard.
func (o Order) RefundAskedInVain(claim Refund, now time.Time) Order {
	r, ok := o.Refund(claim.OutRefundNo)
	asking := r.Status == RefundProcessing || r.Status == RefundAbnormal
	if !ok || !asking || r.Status != claim.Status || r.Claims != claim.Claims {
		return o // something was heard meanwhile, or another asks
	}
	r.NextActionAt = now.Add(r.nextQuery())
	o.UpdatedAt = now
	return o.withRefund(r)
}

// nextQuery is the pace of questions: every minute, after five of them ever
// more slowly. An abnormal refund waits for a person. Source: wire facts §6.5.
func (r Refund) nextQuery() time.Duration {
	const abnormal = 6 * time.Hour
	slower := []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute}
	switch {
	case r.Status == RefundAbnormal:
		return abnormal
	case r.Tries < 5:
		return time.Minute
	}
	return slower[min(r.Tries-5, len(slower)-1)]
}

// RefundHandedOver returns the order after the application took the refund
// over.
func (o Order) RefundHandedOver(outRefundNo string, now time.Time) Order {
	r, ok := o.Refund(outRefundNo)
	if !ok || !r.ToHandOver() {
		return o
	}
	r.HandedOverAt, r.NextActionAt = now, time.Time{}
	return o.withRefund(r).with(r.event(EventRefundHandedOver, now, ""))
}

// RefundHandOverFailed is [Order.HandOverFailed] of a refund.
func (o Order) RefundHandOverFailed(claim Refund, reason string, now time.Time) Order {
	r, ok := o.Refund(claim.OutRefundNo)
	if !ok || !r.ToHandOver() || r.Claims != claim.Claims {
		return o
	}
	r.NextActionAt = now.Add(doubled(firstRetry, lastRetry, r.HandOverTries-1))
	return o.withRefund(r).with(r.event(EventRefundHandOverFailed, now, reason))
}

// doubled is first, doubled n times, and last at most.
func doubled(first, last time.Duration, n int) time.Duration {
	if n >= 16 {
		return last
	}
	return min(first<<max(n, 0), last)
}

// appointed returns the paid order with its next appointment: the earliest of
// all that is to be done for it.
func (o Order) appointed() Order {
	if o.PayStatus != Paid {
		return o
	}
	o.NextActionAt = time.Time{}
	meet := func(at time.Time) {
		if !at.IsZero() && (o.NextActionAt.IsZero() || at.Before(o.NextActionAt)) {
			o.NextActionAt = at
		}
	}
	if o.ToHandOver() {
		meet(o.HandOverAt)
	}
	for _, r := range o.Refunds {
		meet(r.NextActionAt)
	}
	return o
}
