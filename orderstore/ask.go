package orderstore

import "time"

// askAfter is how long after its creation an unpaid order is asked about at
// WeChat, whose notification may never come.
// Source: 支付回调和查单实现指引, plan A.
func askAfter() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute,
		5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	}
}

// askEvery is the pace after that, until the order expires.
const askEvery = 30 * time.Minute

// firstClose and lastClose bound the growing delay between two tries to close
// an expired order.
const (
	firstClose = 30 * time.Second
	lastClose  = 10 * time.Minute
)

// Opened returns a new order with its first event, claimed for its first prepay
// as [Order.BeginPlacing] does, and with its first appointment: when WeChat is
// to be asked about it, should nobody have heard by then.
func (o Order) Opened(now time.Time, lease time.Duration) Order {
	o.CreatedAt = now
	o.NextActionAt = o.nextAsk(now)
	return o.placing(now, lease).with(Event{At: now, Kind: EventCreated})
}

// ToAsk reports whether WeChat has still to be asked what became of the order.
// One that has expired is to be closed.
func (o Order) ToAsk() bool { return o.PayStatus == Unpaid }

// BeginAsk claims an unpaid order for one question to WeChat, or, when it has
// expired, for one try to close it. The claim makes the next appointment:
// whoever dies on the way has lost nothing but this one.
func (o Order) BeginAsk(now time.Time) (Order, error) {
	if !o.ToAsk() || o.NextActionAt.IsZero() || o.NextActionAt.After(now) {
		return o, ErrNotDue
	}
	o.NextActionAt = o.nextAsk(now)
	o.AskedAt, o.UpdatedAt = now, now
	return o, nil
}

// BeginLook claims an unpaid order for one question to WeChat beside its
// appointments, because a customer looks at it. It is [ErrNotDue] while anybody,
// in whichever process, has asked within the interval: what the store holds is
// as fresh as that, or about to be.
func (o Order) BeginLook(now time.Time, interval time.Duration) (Order, error) {
	if !o.ToAsk() || now.Sub(o.AskedAt).Abs() < interval {
		return o, ErrNotDue
	}
	o.AskedAt = now
	return o, nil
}

// Hurried returns an unpaid order that is to be looked at now: something
// happened beside it.
func (o Order) Hurried(now time.Time) Order {
	if o.ToAsk() && o.NextActionAt.After(now) {
		o.NextActionAt, o.UpdatedAt = now, now
	}
	return o
}

// nextAsk is the first appointment after now. Orders keep the order in which they
// were placed, also when they have been asked about: those that are paid in one
// moment lie side by side in a store's index of appointments. How many are
// asked about in a second is not decided here, but by who asks.
func (o Order) nextAsk(now time.Time) time.Time {
	if o.Expired(now) {
		since := now.Sub(o.ExpiresAt) // the longer in vain, the longer the next wait
		return now.Add(min(max(since, firstClose), lastClose))
	}
	next := now.Add(askEvery)
	for _, d := range askAfter() {
		if at := o.CreatedAt.Add(d); at.After(now) {
			next = at
			break
		}
	}
	if !o.ExpiresAt.IsZero() && next.After(o.ExpiresAt) {
		return o.ExpiresAt
	}
	return next
}
