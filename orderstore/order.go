package orderstore

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Order is one attempt to be paid: one order number at WeChat Pay, and all
// that is known of it. It is a value; change it through its methods and store
// the result.
//
// Times are UTC. The zero time means "not yet". Stores keep microseconds.
type Order struct {
	// OutTradeNo is the merchant's order number: 6 to 32 of [0-9A-Za-z_\-|*],
	// compared by case.
	OutTradeNo string
	// Ref is the application's own order that this attempt pays for; empty
	// when goods are bought directly.
	Ref string
	// Version counts the writes of this order, from 1. It is the store's
	// compare-and-swap token; see [Store.Save].
	Version int64

	UserID      string
	GoodsID     string
	Description string
	Total       Fen
	Currency    string // CNY
	Product     Product
	MchID       string
	AppID       string
	OpenID      string // the payer's, for JSAPI and mini-program
	Attach      string // comes back in query, notification and bill

	// What the tutorials keep about the buyer's side.
	AppName     string
	AppChannel  string
	Device      string
	DeviceIP    string
	Platform    int
	TraceID     string // W3C trace id of the request that placed it, or empty
	OrderNumber int    // which purchase of this user it is, 0 when the app does not count

	// PrepayRequest is the body sent to WeChat, byte for byte. It is frozen:
	// the same number may only ever be sent with the same parameters.
	PrepayRequest string
	// ExpiresAt is time_expire: the last moment to pay.
	ExpiresAt time.Time

	// Credential is WeChat's answer to the prepay, PrepaidAt when it came.
	Credential
	PrepaidAt time.Time
	// PlacingUntil is set while somebody asks WeChat for a credential; nobody
	// else does before it is over. See [Order.BeginPlacing].
	PlacingUntil time.Time
	// OnItsWayUntil is set while a prepay may still reach WeChat, although
	// nobody waits for it any more: that WeChat does not know the order says
	// nothing before then.
	OnItsWayUntil time.Time

	PayStatus     PayStatus
	TradeState    string // WeChat's word, as last heard
	TransactionID string // WeChat's number of the payment; column trade_no
	PayerTotal    Fen    // what the customer paid after coupons
	PaidAt        time.Time
	ClosedAt      time.Time

	// Refunds of the order, the oldest first. RefundStatus and Refunded follow
	// from them: the state that most needs attention, and what has gone back.
	Refunds      Refunds
	RefundStatus RefundStatus
	Refunded     Fen
	// GivenBack says why the payment goes back to the customer and is not
	// handed over; empty for all others. See [Order.GiveBack].
	GivenBack string
	// RefPaidBy is, on the first attempt of a Ref, the number of the attempt
	// that pays for it. See [Order.ClaimRef].
	RefPaidBy string

	// Anomaly is WeChat's claims that do not fit this order, in words, a line
	// each; empty when there was none. A claim heard again is not recorded
	// again.
	Anomaly string

	// NextActionAt is when somebody must look at the order again; zero when
	// nothing is to be done. See [Store.Due].
	NextActionAt  time.Time
	AskedAt       time.Time // when WeChat was last asked about it; see BeginLook
	HandOverAt    time.Time // when the application is to be called; NextActionAt is not after it
	HandOverTries int       // calls of the application's hook so far
	HandedOverAt  time.Time // when the application took the paid order over

	CreatedAt time.Time
	UpdatedAt time.Time

	// Events are what happened since the order was read. Create and Save
	// append them to the order's history; Get returns none.
	Events []Event
}

// Credential is what the front end needs to start paying. One of the three is
// set, as the product has it.
type Credential struct {
	PrepayID string // App, JSAPI, mini-program
	CodeURL  string // Native
	H5URL    string // H5
}

// IsZero reports whether WeChat has not answered a prepay yet.
func (c Credential) IsZero() bool { return c == Credential{} }

// Validate reports everything that keeps a new order from being stored.
func (o Order) Validate() error {
	var errs []error
	if !ValidNumber(o.OutTradeNo) {
		errs = append(errs, fmt.Errorf("orderstore: out_trade_no %q is not 6 to 32 of 0-9 A-Z a-z _ - | *", o.OutTradeNo))
	}
	if o.UserID == "" {
		errs = append(errs, errors.New("orderstore: user_id is empty"))
	}
	if o.Total < 1 {
		errs = append(errs, fmt.Errorf("orderstore: total is %d fen, at least 1 is needed", o.Total))
	}
	if o.Currency != CNY {
		errs = append(errs, fmt.Errorf("orderstore: currency is %q, only CNY is taken", o.Currency))
	}
	if !o.Product.Valid() {
		errs = append(errs, fmt.Errorf("orderstore: unknown product %q", o.Product))
	}
	if o.MchID == "" || o.AppID == "" {
		errs = append(errs, errors.New("orderstore: mchid and appid must be set"))
	}
	return errors.Join(errs...)
}

// ValidNumber reports whether s can be an out_trade_no. Source: prepay,
// out_trade_no [6,32].
func ValidNumber(s string) bool {
	return len(s) >= 6 && len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool { return !isNumberRune(r) })
}

func isNumberRune(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z':
		return true
	}
	return r == '_' || r == '-' || r == '|' || r == '*'
}

// ValidRefundNumber reports whether s can be an out_refund_no. Source: refund,
// out_refund_no [1,64].
func ValidRefundNumber(s string) bool {
	const most = 64
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '@' && !isNumberRune(r)
	})
}

// Expired reports whether the time to pay is over. WeChat still says NOTPAY
// of such an order until it is closed.
func (o Order) Expired(now time.Time) bool {
	return !o.ExpiresAt.IsZero() && !now.Before(o.ExpiresAt)
}

// Saved is the order as the store holds it after Create or Save took it.
func (o Order) Saved() Order {
	o.Version++
	o.Events = nil
	return o
}

// Changed reports whether the order differs from before, so that there is
// something to save.
func (o Order) Changed(before Order) bool {
	events := len(o.Events) != len(before.Events)
	o.Events, before.Events = nil, nil
	return events || !reflect.DeepEqual(o, before)
}

// with returns the order with e appended to what happened, never sharing
// memory with the order it came from.
func (o Order) with(e Event) Order {
	o.Events = append(o.Events[:len(o.Events):len(o.Events)], e)
	o.UpdatedAt = e.At
	return o
}
