package orderstore

import (
	"errors"
	"time"
)

// ErrNotDue is returned by the methods that claim an order for a step when
// there is nothing of the kind to do now, or somebody else is at it.
var ErrNotDue = errors.New("orderstore: nothing to do now")

// firstRetry and lastRetry bound the growing delay between two calls of the
// application's hook.
const (
	firstRetry = time.Second
	lastRetry  = 10 * time.Minute
)

// ToHandOver reports whether the application has still to take the paid order
// over.
func (o Order) ToHandOver() bool {
	return o.PayStatus == Paid && o.HandedOverAt.IsZero() && o.GivenBack == ""
}

// HandOverDue reports whether the application is to be called now.
func (o Order) HandOverDue(now time.Time) bool { return o.ToHandOver() && !o.HandOverAt.After(now) }

// BeginHandOver claims the order for one call of the application's hook. The
// claim is a lease: saving it makes everybody else wait until now+lease, and a
// holder that dies is replaced when that time has come.
func (o Order) BeginHandOver(now time.Time, lease time.Duration) (Order, error) {
	if !o.HandOverDue(now) {
		return o, ErrNotDue
	}
	o.HandOverTries++
	o.HandOverAt = now.Add(lease)
	o.UpdatedAt = now
	return o.appointed(), nil
}

// HandedOver returns the order after the application's hook returned nil.
func (o Order) HandedOver(now time.Time) Order {
	if !o.ToHandOver() {
		return o
	}
	o.HandedOverAt = now
	o.HandOverAt = time.Time{}
	return o.appointed().with(Event{At: now, Kind: EventHandedOver})
}

// HandOverFailed returns the order after try number try of the application's
// hook (HandOverTries of the claim) failed; it is due again after a delay that
// doubles with each try, from one second to ten minutes. A holder whose claim
// ran out and was taken over by another has no say any more.
func (o Order) HandOverFailed(try int, reason string, now time.Time) Order {
	if !o.ToHandOver() || o.HandOverTries != try {
		return o
	}
	o.HandOverAt = now.Add(doubled(firstRetry, lastRetry, try-1))
	return o.appointed().with(Event{At: now, Kind: EventHandOverFailed, Note: reason})
}
