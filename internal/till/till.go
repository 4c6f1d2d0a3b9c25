// Package till is where facts from WeChat Pay and wishes of customers become
// writes on orders. Endpoints and workers call it; it calls WeChat and the
// store, and leaves every rule to package orderstore.
package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/orderstore"
)

// The troubles that a caller tells apart, besides orderstore.ErrPaid,
// ErrClosed, ErrExpired and *MismatchError. Each comes wrapped with its cause.
var (
	ErrStore       = errors.New("till: the store failed")
	ErrWeChat      = errors.New("till: WeChat did not do it")
	ErrNotAtWeChat = errors.New("till: WeChat does not know the order")
	ErrForeign     = errors.New("till: another user's order")
	ErrFreeze      = errors.New("till: the order cannot be sent to WeChat")
)

// deadline bounds all that is done for one order in one go. Every try of one
// call to WeChat takes 15 s at most.
const deadline = 20 * time.Second

// storePatience bounds a write whose caller's own time is over.
const storePatience = 5 * time.Second

// Config says what a [Till] works with. All fields but RefundLate,
// AskFailed and Placed are required.
type Config struct {
	Store     orderstore.Store
	API       API
	NotifyURL string // of payments and refunds
	Now       func() time.Time
	// AskFailed, if set, is told of a question about an order that had no
	// answer, before anybody who waits for it.
	AskFailed func(outTradeNo string)
	// RefundLate gives money that arrives after closing back to the customer.
	RefundLate bool
	// Settled is told of every change that WeChat made to an order, and of
	// every claim that did not fit one, once. SettledRefund is the same of
	// refunds.
	Settled       func(context.Context, Settlement)
	SettledRefund func(context.Context, RefundSettlement)
	// Placed, if set, is told of every order that was stored, before WeChat
	// hears of it.
	Placed func(context.Context, orderstore.Order)
}

// Settlement is what a fact did to an order.
type Settlement struct {
	Order   orderstore.Order
	Source  orderstore.Source
	Outcome orderstore.Outcome
	Err     error // of a mismatch
}

// Till is safe for concurrent use.
type Till struct {
	cfg     Config
	placing flight.Group[orderstore.Order] // one prepay per order number at a time
	refs    flight.Queue                   // one attempt per order of the app at a time
	asking  flight.Group[orderstore.Order]
}

// New returns a Till. It starts nothing.
func New(cfg Config) *Till {
	if cfg.Placed == nil {
		cfg.Placed = func(context.Context, orderstore.Order) {}
	}
	return &Till{cfg: cfg}
}

func storeError(err error) error {
	if errors.Is(err, orderstore.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStore, err)
}

func weChatError(err error) error { return fmt.Errorf("%w: %w", ErrWeChat, err) }
