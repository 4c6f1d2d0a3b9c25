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
	"github.com/wxpaykit/wxpay/wxapi"
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

// Config says what a [Till] works with. All fields are required.
type Config struct {
	Store     orderstore.Store
	API       *wxapi.Client
	NotifyURL string
	Now       func() time.Time
	// Settled is told of every change that WeChat made to an order, and of
	// every claim that did not fit one, once.
	Settled func(context.Context, Settlement)
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
func New(cfg Config) *Till { return &Till{cfg: cfg} }

// Settle applies what WeChat said to the order it speaks of and stores the
// result. It is the only way from a fact to an order, whoever told the fact.
// The error is orderstore.ErrNotFound, a *orderstore.MismatchError (the
// anomaly is stored then), or [ErrStore].
func (t *Till) Settle(ctx context.Context, p orderstore.Payment) (orderstore.Order, error) {
	s := Settlement{Source: p.Source}
	var changed bool
	var err error
	s.Order, err = orderstore.Update(ctx, t.cfg.Store, p.OutTradeNo, func(o orderstore.Order) (next orderstore.Order, _ bool) {
		next, s.Outcome, s.Err = o.Apply(p, t.cfg.Now())
		changed = next.Changed(o)
		return next, changed
	})
	if err != nil {
		return orderstore.Order{}, storeError(err)
	}
	if changed && s.Outcome != orderstore.Noted { // a claim heard again is no news
		t.cfg.Settled(ctx, s)
	}
	return s.Order, s.Err
}

// PaymentOf translates WeChat's transaction into the order's terms.
func PaymentOf(tx wxapi.Transaction, source orderstore.Source) orderstore.Payment {
	return orderstore.Payment{
		Source:        source,
		OutTradeNo:    tx.OutTradeNo,
		MchID:         tx.MchID,
		AppID:         tx.AppID,
		TradeState:    tx.TradeState,
		TransactionID: tx.TransactionID,
		PaidAt:        tx.SuccessTime,
		Total:         orderstore.Fen(tx.Amount.Total),
		PayerTotal:    orderstore.Fen(tx.Amount.PayerTotal),
		Currency:      tx.Amount.Currency,
	}
}

func storeError(err error) error {
	if errors.Is(err, orderstore.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStore, err)
}

func weChatError(err error) error { return fmt.Errorf("%w: %w", ErrWeChat, err) }
