// Package sqlstore is what the stores on SQL databases have in common: the
// table of columns, the statements made of it, what a write does in its
// transaction, and a [Store] on a *sql.DB that a network lies before.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Engine is a kind of database server.
type Engine struct {
	Dialect
	// Migrations has the steps of the schema, 0001_….sql and so on.
	Migrations Migrations
	// Retry reports whether err says that the database gave one of several
	// transactions up for the others' sake, and kept nothing of it.
	Retry func(err error) bool
	// Refused reports whether err, from a commit, is the server's own word that
	// nothing was committed.
	Refused func(err error) bool
}

// OnPaidTx is an application's hook.
type OnPaidTx func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error

// Store is an [orderstore.Store] on a database server. It is safe for
// concurrent use.
type Store struct {
	db       *sql.DB
	sql      Statements
	engine   Engine
	prefix   string
	onPaidTx OnPaidTx
	queue    queue
}

var _ orderstore.Store = (*Store)(nil)

// Create stores a new order; see [orderstore.Store].
func (s *Store) Create(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, o.OutTradeNo, orderstore.ErrExists, func(ctx context.Context, tx *sql.Tx, w *Write) error {
		return s.sql.Create(ctx, On(tx), o, w)
	})
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store]. If that makes it a paid one, the hook runs in the same
// transaction.
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, o.OutTradeNo, orderstore.ErrConflict, func(ctx context.Context, tx *sql.Tx, w *Write) error {
		w.TakeOver = s.takeOver(tx, w)
		return s.sql.Save(ctx, On(tx), o, w)
	})
}

// PutGoods adds goods to the catalogue, or replaces those of the same GoodsID:
// all of them or none.
func (s *Store) PutGoods(ctx context.Context, goods ...orderstore.Goods) error {
	return s.write(ctx, "", nil, func(ctx context.Context, tx *sql.Tx, _ *Write) error { return s.sql.PutGoods(ctx, On(tx), goods...) })
}

// read reads, and again when the database gave that up for another's sake: with
// transactions that are serialized it happens to those who only read, too.
func read[T any](ctx context.Context, s *Store, once func(context.Context) (T, error)) (T, error) {
	for try := 1; ; try++ {
		found, err := within(ctx, once)
		if err == nil || !s.engine.Retry(err) || try >= maxTries || pause(ctx, try) != nil {
			return found, err
		}
	}
}

// within bounds how long a server may take to answer.
func within[T any](ctx context.Context, once func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, maxAnswer)
	defer cancel()
	return once(ctx)
}

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	return read(ctx, s, func(ctx context.Context) (orderstore.Order, error) { return s.sql.Get(ctx, On(s.db), outTradeNo) })
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return read(ctx, s, func(ctx context.Context) ([]orderstore.Order, error) { return s.sql.Due(ctx, On(s.db), now, limit) })
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return read(ctx, s, func(ctx context.Context) ([]orderstore.Order, error) { return s.sql.Find(ctx, On(s.db), ref) })
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	return read(ctx, s, func(ctx context.Context) ([]orderstore.Order, error) {
		return s.sql.Paid(ctx, On(s.db), from, to, after, limit)
	})
}

// Events returns the order's history; see [orderstore.Store]. That of an
// unknown number is empty.
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	return read(ctx, s, func(ctx context.Context) ([]orderstore.Event, error) { return s.sql.Events(ctx, On(s.db), outTradeNo) })
}

// Quote prices goods by their GoodsID, from the table goods_info; it returns
// [orderstore.ErrNoGoods]. It fits Options.Quote of the kit.
func (s *Store) Quote(ctx context.Context, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	return read(ctx, s, func(ctx context.Context) (orderstore.Quote, error) { return s.sql.Quote(ctx, On(s.db), r) })
}

// hooked marks the context of a hook of that store.
type hooked struct{ *Store }

var errHooked = errors.New("OnPaidTx called a writing method of its store, which would wait for itself: write with tx")

// errGone says that the hook came back with a transaction that is over or
// broken, and with it all that was written: it did not pass on the error of a
// statement. MySQL breaks a deadlock like that, and would run what follows
// outside of any transaction.
var errGone = errors.New("the transaction was undone while the hook ran, which must return the errors of its statements")

// takeOver calls the hook in tx; it is nil without one.
func (s *Store) takeOver(tx *sql.Tx, w *Write) func(context.Context, orderstore.Order) error {
	if s.onPaidTx == nil {
		return nil
	}
	return func(ctx context.Context, o orderstore.Order) error {
		if err := s.onPaidTx(context.WithValue(ctx, hooked{s}, true), tx, o); err != nil {
			return err
		}
		switch id, _, err := s.lastWrite(ctx, tx, o.OutTradeNo); {
		case errors.Is(err, sql.ErrTxDone):
			return fmt.Errorf("the transaction is the store's to end, and the hook ended it: %w", err)
		case err != nil:
			return fmt.Errorf("%w: %w", errGone, err)
		case id != w.ID:
			return errGone
		}
		return nil
	}
}
