package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
)

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
	created, err := changes(ctx, tx, s.insertOrder, s.args(orderColumns, &o, w)...)
	switch {
	case err != nil && s.there(ctx, tx, o.OutTradeNo):
		return orderstore.ErrExists
	case err != nil:
		return fmt.Errorf("create order: %w", err)
	case !created:
		return orderstore.ErrExists
	}
	w.Placed = true
	return s.appendEvents(ctx, tx, &o)
}

// padded reports whether the database would take the number for another one.
func (s *Statements) padded(number string) bool {
	return s.dialect.Padded && strings.HasSuffix(number, " ")
}

// there reports whether there is an order of that number for certain.
func (s *Statements) there(ctx context.Context, tx Conn, number string) bool {
	var version, status int64
	found, _ := one(ctx, tx, s.getStatus, []any{number}, &version, &status)
	return found
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store]. If that makes it a paid one, w.TakeOver is called.
func (s *Statements) Save(ctx context.Context, tx Conn, o orderstore.Order, w *Write) error {
	if !w.takes(&o) {
		return s.save(ctx, tx, s.wholeOrder, &o, o.Version+1, w)
	}
	// A version is that of one write for ever, so the status read with it is
	// the one replaced, however the transaction is isolated.
	var version int64
	var status orderstore.PayStatus
	found, err := one(ctx, tx, s.getStatus, []any{o.OutTradeNo}, &version, &status)
	switch {
	case err != nil:
		return fmt.Errorf("read status: %w", err)
	case !found, version != o.Version:
		return orderstore.ErrConflict
	case status == orderstore.Paid:
		return s.save(ctx, tx, s.wholeOrder, &o, o.Version+1, w)
	}
	return s.becomePaid(ctx, tx, s.wholeOrder, o, w)
}

// SaveChange is Save of what became of an order that was read in the same
// transaction, and that nobody else can have written since. It writes no column
// of what was bought, which nearly never changes, and leaves in o the version that
// was written.
func (s *Statements) SaveChange(ctx context.Context, tx Conn, read, o *order, w *Write) error {
	if err := sameOrder(read, o); err != nil {
		return err
	}
	how := s.wholeOrder
	if samePurchase(read, o) {
		how = s.progress
	}
	if w.takes(o) && read.PayStatus != orderstore.Paid {
		return s.becomePaid(ctx, tx, how, *o, w)
	}
	return s.save(ctx, tx, how, o, o.Version+1, w)
}

// sameOrder reports a change that made another order of the one that was read.
func sameOrder(read, o *order) error {
	if o.OutTradeNo != read.OutTradeNo || o.Version != read.Version {
		return fmt.Errorf("save order %s: the change gave it another number or version", read.OutTradeNo)
	}
	return nil
}

// takes reports whether the order is to be taken over, if it was not paid
// before.
func (w *Write) takes(o *order) bool {
	return w.TakeOver != nil && o.PayStatus == orderstore.Paid && o.GivenBack == ""
}

// save is the one conditional statement, which gives the order that version, and
// the order's events.
func (s *Statements) save(ctx context.Context, tx Conn, how update, o *order, version int64, w *Write) error {
	if s.padded(o.OutTradeNo) {
		return orderstore.ErrConflict // there is no such order
	}
	read := o.Version
	o.Version, w.Version = version, version
	saved, err := changes(ctx, tx, how.text, append(s.args(how.columns, o, w), o.OutTradeNo, read)...)
	if err != nil {
		return fmt.Errorf("save order: %w", err)
	}
	if !saved {
		return orderstore.ErrConflict
	}
	w.Placed = true
	return s.appendEvents(ctx, tx, o)
}

// becomePaid saves an order that is paid from now on, and the hand-over. They
// are two versions in one statement, for the caller knows of the first only:
// what it saves next, if it does not read again, is a conflict, and cannot
// take the hand-over back.
func (s *Statements) becomePaid(ctx context.Context, tx Conn, how update, o orderstore.Order, w *Write) error {
	version := o.Version + 1
	if o.ToHandOver() {
		if o.UpdatedAt.IsZero() {
			return fmt.Errorf("save order %s: a paid order needs UpdatedAt to be handed over", o.OutTradeNo)
		}
		o = o.HandedOver(o.UpdatedAt)
		version++
	}
	if err := s.save(ctx, tx, how, &o, version, w); err != nil {
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

// room is how many events one write of an order has room for, less one.
const room = 1000

// appendEvents numbers the events by the write they belong to, which is the only
// one with its version, so that nobody has to be asked for the last number.
func (s *Statements) appendEvents(ctx context.Context, tx Conn, o *order) error {
	if len(o.Events) >= room {
		return fmt.Errorf("append %d events: one write has room for fewer than %d", len(o.Events), room)
	}
	seq := o.Version * room
	for some := range slices.Chunk(o.Events, s.dialect.EventsAtOnce) {
		args := make([]any, 0, len(some)*(2+len(eventColumns)))
		for i := range some {
			seq++
			args = appendValues(append(args, o.OutTradeNo, seq), eventColumns, &some[i])
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
		if _, err := changes(ctx, tx, s.putGoods, appendValues(nil, goodsColumns, &g)...); err != nil {
			return fmt.Errorf("put goods %q: %w", g.GoodsID, err)
		}
	}
	return nil
}

// args are the values of the columns, and of the one that names the write.
func (s *Statements) args(columns []column[order], o *order, w *Write) []any {
	const others = 3 // the name of the write, and what finds the row
	args := appendValues(make([]any, 0, len(columns)+others), columns, o)
	if s.dialect.WriteID {
		args = append(args, w.ID)
	}
	return args
}

// changes runs a statement and reports whether it changed a row.
func changes(ctx context.Context, tx Conn, text string, args ...any) (bool, error) {
	n, err := tx.Exec(ctx, text, args)
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
	return err == nil || errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrConflict) || errors.Is(err, orderstore.ErrNotFound)
}
