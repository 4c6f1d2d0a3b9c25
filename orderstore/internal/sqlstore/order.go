package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Conn runs statements: a *sql.DB, a *sql.Tx, or prepared statements by their
// text.
type Conn interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// Write is one write of an order in a transaction. The version it gives the
// order and its ID tell it from all others when it is looked for later.
type Write struct {
	ID string // empty where the table has no write_id
	// TakeOver is called for an order that becomes paid, in the transaction; nil
	// for none.
	TakeOver func(context.Context, orderstore.Order) error
	// Version is what the order has after the write.
	Version int64
	// Placed is set when the order was found as it was read, and locked: no
	// other write of it is under way, or was done.
	Placed bool
}

// Create inserts a new order; see [orderstore.Store].
func (s *Statements) Create(ctx context.Context, tx Conn, o orderstore.Order, w *Write) error {
	if s.padded(o.OutTradeNo) {
		return fmt.Errorf("create order: the number %q ends in a space", o.OutTradeNo)
	}
	o.Version, w.Version = 1, 1
	created, err := changes(ctx, tx, s.insertOrder, s.values(&o, w)...)
	switch {
	case err != nil && s.there(ctx, tx, o.OutTradeNo):
		return orderstore.ErrExists
	case err != nil:
		return fmt.Errorf("create order: %w", err)
	case !created:
		return orderstore.ErrExists
	}
	w.Placed = true
	return s.appendEvents(ctx, tx, o, 0)
}

// padded reports whether the database would take the number for another one.
func (s *Statements) padded(number string) bool {
	return s.dialect.Padded && strings.HasSuffix(number, " ")
}

// there reports whether there is an order of that number for certain.
func (s *Statements) there(ctx context.Context, tx Conn, number string) bool {
	var version, status int64
	return tx.QueryRowContext(ctx, s.getStatus, number).Scan(&version, &status) == nil
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store]. If that makes it a paid one, w.TakeOver is called.
func (s *Statements) Save(ctx context.Context, tx Conn, o orderstore.Order, w *Write) error {
	if w.TakeOver == nil || o.PayStatus != orderstore.Paid || o.GivenBack != "" {
		return s.save(ctx, tx, o, o.Version+1, w)
	}
	// A version is that of one write for ever, so the status read with it is
	// the one replaced, however the transaction is isolated.
	var version int64
	var status orderstore.PayStatus
	err := tx.QueryRowContext(ctx, s.getStatus, o.OutTradeNo).Scan(&version, &status)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return orderstore.ErrConflict
	case err != nil:
		return fmt.Errorf("read status: %w", err)
	case version != o.Version:
		return orderstore.ErrConflict
	case status == orderstore.Paid:
		return s.save(ctx, tx, o, o.Version+1, w)
	}
	return s.becomePaid(ctx, tx, o, w)
}

// save is the one conditional statement, which gives the order that version,
// and the order's events.
func (s *Statements) save(ctx context.Context, tx Conn, o orderstore.Order, version int64, w *Write) error {
	if s.padded(o.OutTradeNo) {
		return orderstore.ErrConflict // there is no such order
	}
	read := o.Version
	o.Version, w.Version = version, version
	args := append(s.values(&o, w)[1:], o.OutTradeNo, read)
	saved, err := changes(ctx, tx, s.updateOrder, args...)
	if err != nil {
		return fmt.Errorf("save order: %w", err)
	}
	if !saved {
		return orderstore.ErrConflict
	}
	w.Placed = true
	if len(o.Events) == 0 {
		return nil
	}
	// The update has locked the order, and with it its count of events.
	var last int64
	if err := tx.QueryRowContext(ctx, s.lastEvent, o.OutTradeNo).Scan(&last); err != nil {
		return fmt.Errorf("count events: %w", err)
	}
	return s.appendEvents(ctx, tx, o, last)
}

// becomePaid saves an order that is paid from now on, and the hand-over. They
// are two versions in one statement, for the caller knows of the first only:
// what it saves next, if it does not read again, is a conflict, and cannot
// take the hand-over back.
func (s *Statements) becomePaid(ctx context.Context, tx Conn, o orderstore.Order, w *Write) error {
	version := o.Version + 1
	if o.ToHandOver() {
		if o.UpdatedAt.IsZero() {
			return fmt.Errorf("save order %s: a paid order needs UpdatedAt to be handed over", o.OutTradeNo)
		}
		o = o.HandedOver(o.UpdatedAt)
		version++
	}
	if err := s.save(ctx, tx, o, version, w); err != nil {
		return err
	}
	o.Version, o.Events = version, nil
	err := w.TakeOver(ctx, o)
	switch {
	case err == nil:
		return nil
	case Answer(err): // of another order: Save must not say it of this one
		return fmt.Errorf("OnPaidTx: %v", err)
	}
	return fmt.Errorf("OnPaidTx: %w", err)
}

// appendEvents continues the order's own count behind last. Nobody else counts
// at the same time.
func (s *Statements) appendEvents(ctx context.Context, tx Conn, o orderstore.Order, last int64) error {
	for some := range slices.Chunk(o.Events, s.dialect.EventsAtOnce) {
		var args []any
		for _, e := range some {
			last++
			args = append(append(args, o.OutTradeNo, last), values(eventColumns(&e))...)
		}
		if _, err := changes(ctx, tx, s.insertEvents(len(some)), args...); err != nil {
			return fmt.Errorf("append event: %w", err)
		}
	}
	return nil
}

// PutGoods adds goods to the catalogue, or replaces those of the same GoodsID.
func (s *Statements) PutGoods(ctx context.Context, tx Conn, goods ...orderstore.Goods) error {
	for _, g := range goods {
		if g.GoodsID == "" {
			return errors.New("put goods: the goods_id is empty")
		}
		if _, err := changes(ctx, tx, s.putGoods, values(goodsColumns(&g))...); err != nil {
			return fmt.Errorf("put goods %q: %w", g.GoodsID, err)
		}
	}
	return nil
}

// values are those of the columns a write of an order fills.
func (s *Statements) values(o *orderstore.Order, w *Write) []any {
	args := values(orderColumns(o))
	if s.dialect.WriteID {
		args = append(args, w.ID)
	}
	return args
}

// changes runs a statement and reports whether it changed a row.
func changes(ctx context.Context, tx Conn, text string, args ...any) (bool, error) {
	result, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Cause adds the context's error where the context ended a step: then a driver
// says "interrupted", or that the connection is closed.
func Cause(ctx context.Context, step string, err error) error {
	switch {
	case Answer(err):
		return err
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%s: %w: %w", step, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", step, err)
}

// Answer reports whether err says how it stands with the order, not what went
// wrong.
func Answer(err error) bool {
	return err == nil || errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrConflict)
}
