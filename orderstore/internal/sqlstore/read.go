package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Get returns the order with that number; see [orderstore.Store].
func (s *Statements) Get(ctx context.Context, db Conn, outTradeNo string) (orderstore.Order, error) {
	var o orderstore.Order
	err := db.QueryRowContext(ctx, s.getOrder, outTradeNo).Scan(places(orderColumns(&o))...)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && o.OutTradeNo != outTradeNo:
		return orderstore.Order{}, orderstore.ErrNotFound
	case err != nil:
		return orderstore.Order{}, Cause(ctx, "get order", err)
	}
	return o, nil
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Statements) Due(ctx context.Context, db Conn, now time.Time, limit int) ([]orderstore.Order, error) {
	// A negative limit is none to SQLite, and an error to others.
	return all(ctx, "due orders", db, orderColumns, s.dueOrders, now.UnixMicro(), max(limit, 0))
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Statements) Find(ctx context.Context, db Conn, ref string) ([]orderstore.Order, error) {
	found, err := all(ctx, "find orders", db, orderColumns, s.findOrders, ref)
	return slices.DeleteFunc(found, func(o orderstore.Order) bool { return o.Ref != ref }), err
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Statements) Paid(ctx context.Context, db Conn, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	// The zero time is a time like any other here, long ago.
	begin := from.UnixMicro()
	return all(ctx, "paid orders", db, orderColumns, s.paidOrders, begin, to.UnixMicro(), begin, after, max(limit, 0))
}

// Events returns the order's history; see [orderstore.Store].
func (s *Statements) Events(ctx context.Context, db Conn, outTradeNo string) ([]orderstore.Event, error) {
	if s.padded(outTradeNo) {
		return nil, ctx.Err()
	}
	return all(ctx, "list events", db, eventColumns, s.listEvents, outTradeNo)
}

// Quote prices goods by their GoodsID.
func (s *Statements) Quote(ctx context.Context, db Conn, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	var g orderstore.Goods
	err := db.QueryRowContext(ctx, s.getGoods, r.GoodsID).Scan(places(goodsColumns(&g))...)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && g.GoodsID != r.GoodsID:
		return orderstore.Quote{}, orderstore.ErrNoGoods
	case err != nil:
		return orderstore.Quote{}, Cause(ctx, "get goods", err)
	}
	return orderstore.Quote{Total: g.Total, Description: g.Description}, nil
}

// all runs a query and returns its rows, each with the given columns.
func all[T any](ctx context.Context, step string, db Conn, columns func(*T) []column, text string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, Cause(ctx, step, err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var row T
		if err := rows.Scan(places(columns(&row))...); err != nil {
			return nil, Cause(ctx, step, err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, Cause(ctx, step, err)
	}
	return list, nil
}
