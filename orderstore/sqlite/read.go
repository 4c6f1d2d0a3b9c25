package sqlite

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	return s.sql.Get(ctx, s.reading(), outTradeNo)
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return s.sql.Due(ctx, s.reading(), now, limit)
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return s.sql.Find(ctx, s.reading(), ref)
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	return s.sql.Paid(ctx, s.reading(), from, to, after, limit)
}

// Events returns the order's history; see [orderstore.Store]. That of an
// unknown number is empty.
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	return s.sql.Events(ctx, s.reading(), outTradeNo)
}

// Quote prices goods by their GoodsID, from the table goods_info; it returns
// [orderstore.ErrNoGoods]. It fits Options.Quote of the kit.
func (s *Store) Quote(ctx context.Context, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	return s.sql.Quote(ctx, s.reading(), r)
}
