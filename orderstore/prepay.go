package orderstore

import (
	"errors"
	"time"
)

// How long WeChat's credentials live. Sources: prepay_id and code_url two
// hours, h5_url five minutes. The margin is for the way to the customer.
const (
	credentialLife = 2 * time.Hour
	h5Life         = 5 * time.Minute
	lifeMargin     = 30 * time.Second
)

// The reasons why an order takes no further step towards payment.
var (
	ErrPaid    = errors.New("orderstore: the order is paid")
	ErrClosed  = errors.New("orderstore: the order is closed")
	ErrExpired = errors.New("orderstore: the time to pay is over")
)

// Payable returns nil while a customer may still be sent to pay: [ErrPaid],
// [ErrClosed] or [ErrExpired] otherwise.
func (o Order) Payable(now time.Time) error {
	switch {
	case o.PayStatus == Paid:
		return ErrPaid
	case o.PayStatus == Closed:
		return ErrClosed
	case o.Expired(now):
		return ErrExpired
	}
	return nil
}

// BeginPlacing claims the order for one prepay: two at the same time would get
// two credentials, and of a Native order only the later one works. The claim
// is a lease; it ends with Prepaid, PrepayFailed, or when its time is over.
// Somebody else's claim is [ErrNotDue].
func (o Order) BeginPlacing(now time.Time, lease time.Duration) (Order, error) {
	if err := o.Payable(now); err != nil {
		return o, err
	}
	if o.PlacingUntil.After(now) {
		return o, ErrNotDue
	}
	o.UpdatedAt = now
	return o.placing(now, lease), nil
}

// onItsWay is how long a request that nobody waits for may take to arrive.
const onItsWay = time.Minute

func (o Order) placing(now time.Time, lease time.Duration) Order {
	o.PlacingUntil = now.Add(lease)
	o.OnItsWayUntil = o.PlacingUntil.Add(onItsWay)
	return o
}

// Prepaid returns the order with WeChat's answer to the prepay. The answer to
// an order that was paid or closed meanwhile is refused: nobody may be sent to
// pay it.
func (o Order) Prepaid(c Credential, now time.Time) (Order, error) {
	switch o.PayStatus {
	case Paid:
		return o, ErrPaid
	case Closed:
		return o, ErrClosed
	}
	o.Credential = c
	o.PrepaidAt = now
	o.PlacingUntil, o.OnItsWayUntil = time.Time{}, time.Time{}
	return o.with(Event{At: now, Kind: EventPrepaid, Source: FromPrepay}), nil
}

// PrepayFailed returns the order with the reason why WeChat gave no
// credential. It stays unpaid: a transport error is never an end state. After
// an unclear answer the prepay may still be on its way; WeChat's clear refusal
// is the end of it.
func (o Order) PrepayFailed(reason string, unclear bool, now time.Time) Order {
	o.PlacingUntil, o.OnItsWayUntil = time.Time{}, time.Time{}
	if unclear {
		o.OnItsWayUntil = now.Add(onItsWay)
	}
	return o.with(Event{At: now, Kind: EventPrepayFailed, Source: FromPrepay, Note: reason})
}

// CredentialFresh reports whether the customer can still use the credential;
// otherwise the frozen prepay is sent again for a new one.
func (o Order) CredentialFresh(now time.Time) bool { return now.Before(o.CredentialUntil()) }

// CredentialUntil is when the credential is too old to be shown to a customer;
// the zero time without one.
func (o Order) CredentialUntil() time.Time {
	life := credentialLife
	if o.Product == H5 {
		life = h5Life
	}
	if o.Credential.IsZero() {
		return time.Time{}
	}
	return o.PrepaidAt.Add(life - lifeMargin)
}
