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
// [orderstore.Store].
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	read := o.Version
	o.Version++
	args := append(values(orderColumns(&o)[1:]), o.OutTradeNo, read)
	return s.write(ctx, func(tx *sql.Tx) error {
		saved, err := changes(ctx, tx, s.sql.updateOrder, args...)
		if err != nil {
			return fmt.Errorf("save order: %w", err)
		}
		if !saved {
			return orderstore.ErrConflict
		}
		return s.appendEvents(ctx, tx, o)
	})
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

// write is where everything is written.
func (s *Store) write(ctx context.Context, change func(*sql.Tx) error) error {
	return write(ctx, s.writer, change)
}

// write runs change in one transaction, which has the write lock from its
// beginning. When it returns an error, nothing was changed.
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
	case err == nil, errors.Is(err, orderstore.ErrExists), errors.Is(err, orderstore.ErrConflict):
		return err
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%s: %w: %w", step, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", step, err)
}
