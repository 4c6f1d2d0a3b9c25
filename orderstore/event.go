package orderstore

import "time"

// Event is one line of an order's history: the answer to "did WeChat call
// us, and what did we do?". It holds no secret and no openid.
type Event struct {
	At     time.Time
	Kind   EventKind
	Source Source // where the fact came from, when it came from outside
	// ID names the fact at its source: a notification's id, a Request-ID.
	ID string
	// Serial names the key of WeChat Pay that signed a notification.
	Serial string
	// Note is for people.
	Note string
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventCreated        EventKind = "created"
	EventPrepaid        EventKind = "prepaid"
	EventPrepayFailed   EventKind = "prepay_failed"
	EventPaid           EventKind = "paid"
	EventPaidLate       EventKind = "paid_late"      // after the order was closed
	EventSecondPayment  EventKind = "second_payment" // anomaly: another transaction on a paid order
	EventMismatch       EventKind = "mismatch"       // anomaly: not this order's amount or identity
	EventClosed         EventKind = "closed"
	EventHandOverFailed EventKind = "hand_over_failed"
	EventHandedOver     EventKind = "handed_over"

	EventPaidAgain            EventKind = "paid_again"      // anomaly: another attempt has paid for the same Ref
	EventGivenBack            EventKind = "given_back"      // the payment is refunded, not handed over
	EventRefundAsked          EventKind = "refund_asked"    // and stored, before WeChat hears of it
	EventRefundFailed         EventKind = "refund_failed"   // not taken this time; tried again
	EventRefundAccepted       EventKind = "refund_accepted" // WeChat is at it
	EventRefunded             EventKind = "refunded"        // the money is back
	EventRefundClosed         EventKind = "refund_closed"   // failed for good
	EventRefundRefused        EventKind = "refund_refused"
	EventRefundAbnormal       EventKind = "refund_abnormal" // somebody must act
	EventRefundHandOverFailed EventKind = "refund_hand_over_failed"
	EventRefundHandedOver     EventKind = "refund_handed_over"
)

// Source says who told us.
type Source string

// The sources of a fact.
const (
	FromNotification Source = "notification"
	FromQuery        Source = "query"
	FromClose        Source = "close"
	FromPrepay       Source = "prepay"
	FromRefund       Source = "refund" // the answer to an application for a refund
	FromBill         Source = "bill"
)
