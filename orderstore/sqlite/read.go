package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	var o orderstore.Order
	err := s.sql.getOrder.QueryRowContext(ctx, outTradeNo).Scan(places(orderColumns(&o))...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return orderstore.Order{}, orderstore.ErrNotFound
	case err != nil:
		return orderstore.Order{}, cause(ctx, "get order", err)
	}
	return o, nil
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	// To SQLite, a negative limit is none.
	return all(ctx, "due orders", s.sql.dueOrders, orderColumns, micros{&now}, max(limit, 0))
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return all(ctx, "find orders", s.sql.findOrders, orderColumns, ref)
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	// The zero time is a time like any other here, long ago.
	return all(ctx, "paid orders", s.sql.paidOrders, orderColumns, from.UnixMicro(), after, to.UnixMicro(), max(limit, 0))
}

// Events returns the order's history; see [orderstore.Store]. That of an
// unknown number is empty.
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	return all(ctx, "list events", s.sql.listEvents, eventColumns, outTradeNo)
}

// Quote prices goods by their GoodsID, from the table goods_info; it returns
// [orderstore.ErrNoGoods]. It fits Options.Quote of the kit.
func (s *Store) Quote(ctx context.Context, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	var g orderstore.Goods
	err := s.sql.getGoods.QueryRowContext(ctx, r.GoodsID).Scan(places(goodsColumns(&g))...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return orderstore.Quote{}, orderstore.ErrNoGoods
	case err != nil:
		return orderstore.Quote{}, cause(ctx, "get goods", err)
	}
	return orderstore.Quote{Total: g.Total, Description: g.Description}, nil
}

// all runs a query and returns its rows, each with the given columns.
func all[T any](ctx context.Context, step string, query *sql.Stmt, columns func(*T) []column, args ...any) ([]T, error) {
	rows, err := query.QueryContext(ctx, args...)
	if err != nil {
		return nil, cause(ctx, step, err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var row T
		if err := rows.Scan(places(columns(&row))...); err != nil {
			return nil, cause(ctx, step, err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, cause(ctx, step, err)
	}
	return list, nil
}
