package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Create stores a new order; see [orderstore.Store].
func (s *Store) Create(ctx context.Context, o orderstore.Order) error {
	o.Version = 1
	return s.write(ctx, func(tx *sql.Tx) error {
		created, err := changes(ctx, tx, s.sql.insertOrder, values(orderColumns(&o))...)
		if err != nil {
			return fmt.Errorf("create order: %w", err)
		}
		if !created {
			return orderstore.ErrExists
		}
		return s.appendEvents(ctx, tx, o)
	})
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store]. If that makes it a paid one, [Options].OnPaidTx runs in
// the same transaction.
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if s.onPaidTx != nil && o.PayStatus == orderstore.Paid {
			return s.savePaid(ctx, tx, o)
		}
		return s.save(ctx, tx, o, o.Version+1)
	})
}

// save is the one conditional statement, which gives the order that version,
// and the order's events.
func (s *Store) save(ctx context.Context, tx *sql.Tx, o orderstore.Order, version int64) error {
	read := o.Version
	o.Version = version
	saved, err := changes(ctx, tx, s.sql.updateOrder, append(values(orderColumns(&o)[1:]), o.OutTradeNo, read)...)
	if err != nil {
		return fmt.Errorf("save order: %w", err)
	}
	if !saved {
		return orderstore.ErrConflict
	}
	return s.appendEvents(ctx, tx, o)
}

// PutGoods adds goods to the catalogue, or replaces those of the same GoodsID:
// all of them or none.
func (s *Store) PutGoods(ctx context.Context, goods ...orderstore.Goods) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, g := range goods {
			if _, err := changes(ctx, tx, s.sql.upsertGoods, values(goodsColumns(&g))...); err != nil {
				return fmt.Errorf("put goods %q: %w", g.GoodsID, err)
			}
		}
		return nil
	})
}

func (s *Store) appendEvents(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
	for _, e := range o.Events {
		args := append([]any{o.OutTradeNo}, values(eventColumns(&e))...)
		if _, err := changes(ctx, tx, s.sql.insertEvent, args...); err != nil {
			return fmt.Errorf("append event: %w", err)
		}
	}
	return nil
}

// changes runs a statement and reports whether it changed a row.
func changes(ctx context.Context, tx *sql.Tx, stmt *sql.Stmt, args ...any) (bool, error) {
	result, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// write is where everything is written. change may run more than once, if
// what it did is undone in between; a panic in it is an error. When write
// returns an error, nothing was changed.
//
// Writers that wait at the same time are committed together, each as if it
// were alone. When ctx ends while write waits, it returns at once; while
// change runs, at its next statement; and nothing of it is written. When
// change is done by then, only the commit is pending, of others' writes too:
// write waits for it, and returns how it went.
func (s *Store) write(ctx context.Context, change func(*sql.Tx) error) error {
	if ctx.Value(hooked{s}) != nil {
		return errHooked
	}
	careful := func(tx *sql.Tx) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("write: panicked: %v", p)
			}
		}()
		return cause(ctx, "write", change(tx))
	}
	err := s.together(ctx, careful)
	if errors.Is(err, errLost) {
		err = s.alone(ctx, careful)
	}
	return err
}

// write runs change in one transaction, which has the write lock from its
// beginning. When it returns an error, nothing was changed. It is for a file
// that is being opened.
func write(ctx context.Context, db *sql.DB, change func(*sql.Tx) error) error {
	var tx *sql.Tx
	err := patiently(ctx, func() (err error) {
		tx, err = db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return cause(ctx, "begin", err)
	}
	defer tx.Rollback() // does nothing after Commit
	if err := change(tx); err != nil {
		return cause(ctx, "write", err)
	}
	return cause(ctx, "commit", tx.Commit())
}

// cause adds the context's error where the context ended a step: then the
// driver says "interrupted", and database/sql that the transaction is over.
func cause(ctx context.Context, step string, err error) error {
	switch {
	case answer(err):
		return err
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%s: %w: %w", step, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", step, err)
}

// answer reports whether err says how it stands with the order, not what went
// wrong.
func answer(err error) bool {
	return err == nil || errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrConflict)
}
