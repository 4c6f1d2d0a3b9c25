package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Store keeps the kit's orders in the team's own table; see schema.sql.
type Store struct{ db *sql.DB }

var _ orderstore.Store = (*Store)(nil)

// New returns the store in a database that has the tables.
func New(db *sql.DB) *Store { return &Store{db} }

// columns are the table's; fields says where each is in an order.
const columns = "wxpay, order_sn, buyer_id, title, amount_fen, state, paid_at, created_at, pays_for, version, next_action_at"

// The SQL is SQLite's and, but for this, everybody's: PostgreSQL writes the
// places $1, $2, …; MySQL has no ON CONFLICT, there a plain INSERT fails with
// error 1062 when the number is taken.
var (
	insertOrder = "INSERT INTO orders (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_sn) DO NOTHING"
	updateOrder = "UPDATE orders SET " + strings.ReplaceAll(columns, ",", " = ?,") + " = ? WHERE order_sn = ? AND version = ?"
	insertEvent = "INSERT INTO order_events (order_sn, version, place, event) VALUES (?, ?, ?, ?)"
	selectOrder = "SELECT " + columns + " FROM orders WHERE wxpay IS NOT NULL AND "
	getOrder    = selectOrder + "order_sn = ?"
	dueOrders   = selectOrder + "next_action_at <= ? ORDER BY next_action_at LIMIT ?"
	findOrders  = selectOrder + "pays_for = ? AND pays_for <> '' ORDER BY created_at DESC, order_sn DESC"
	paidOrders  = selectOrder + "paid_at >= ? AND paid_at < ? AND (paid_at > ? OR order_sn > ?) ORDER BY paid_at, order_sn LIMIT ?"
	listEvents  = "SELECT event FROM order_events WHERE order_sn = ? ORDER BY version, place"
)

// fields are what the columns are written from and read into. The JSON comes
// first and has the whole order; what has a column of its own is read from
// there and overwrites it, so nothing is true twice.
func fields(o *orderstore.Order) []any {
	return []any{
		document{o}, &o.OutTradeNo, &o.UserID, &o.Description, &o.Total, state{&o.PayStatus},
		micros{&o.PaidAt}, micros{&o.CreatedAt}, &o.Ref, &o.Version, micros{&o.NextActionAt},
	}
}

// Create stores a new order; see [orderstore.Store].
func (s *Store) Create(ctx context.Context, o orderstore.Order) error {
	o.Version = 1
	return s.write(ctx, o, orderstore.ErrExists, insertOrder, fields(&o)...)
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store].
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	read := o.Version
	o.Version++
	return s.write(ctx, o, orderstore.ErrConflict, updateOrder, append(fields(&o), o.OutTradeNo, read)...)
}

// write runs the one statement that decides, and appends the order's events:
// both or neither. If the statement finds nothing to do, somebody else was
// faster, and the answer is lost.
func (s *Store) write(ctx context.Context, o orderstore.Order, lost error, decide string, args ...any) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // does nothing after Commit
	result, err := tx.ExecContext(ctx, decide, args...)
	if err != nil {
		return fmt.Errorf("write order: %w", err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("write order: %w", err)
	}
	if rows == 0 {
		return lost
	}
	for place, e := range o.Events {
		if _, err := tx.ExecContext(ctx, insertEvent, o.OutTradeNo, o.Version, place, eventDocument{&e}); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err) // it may have happened; the kit reads again
	}
	return nil
}

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	var o orderstore.Order
	err := s.db.QueryRowContext(ctx, getOrder, outTradeNo).Scan(fields(&o)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return orderstore.Order{}, orderstore.ErrNotFound
	case err != nil:
		return orderstore.Order{}, fmt.Errorf("get order: %w", err)
	}
	return o, nil
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return all(ctx, s.db, fields, dueOrders, now.UnixMicro(), max(limit, 0))
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return all(ctx, s.db, fields, findOrders, ref)
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	begin, end := from.UnixMicro(), to.UnixMicro()
	return all(ctx, s.db, fields, paidOrders, begin, end, begin, after, max(limit, 0))
}

// Events returns the order's history; see [orderstore.Store].
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	places := func(e *orderstore.Event) []any { return []any{eventDocument{e}} }
	return all(ctx, s.db, places, listEvents, outTradeNo)
}

// all runs a query and returns its rows, or an error if it did not get them
// all: a connection lost half-way ends the loop like the last row does.
func all[T any](ctx context.Context, db *sql.DB, places func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var row T
		if err := rows.Scan(places(&row)...); err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return list, nil
}
