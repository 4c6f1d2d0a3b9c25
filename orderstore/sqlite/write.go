package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// Create stores a new order; see [orderstore.Store].
func (s *Store) Create(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, func(p place) error {
		return s.sql.Create(ctx, p.db, o, new(sqlstore.Write))
	})
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store]. If that makes it a paid one, [Options].OnPaidTx runs in
// the same transaction.
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, func(p place) error {
		return s.sql.Save(ctx, p.db, o, &sqlstore.Write{TakeOver: s.takeOver(p.tx)})
	})
}

// Updater has [orderstore.Update] read the order in the transaction that writes
// it: the file has one writer at a time anyway, who has the pages at hand.
// If that makes it a paid order, [Options].OnPaidTx runs as in Save.
func (s *Store) Updater() (orderstore.Store, func(context.Context, string, orderstore.Change) (orderstore.Order, error)) {
	return s, s.update
}

func (s *Store) update(ctx context.Context, outTradeNo string, change orderstore.Change) (orderstore.Order, error) {
	var o *orderstore.Order
	err := s.write(ctx, func(p place) error {
		o = new(orderstore.Order)
		if err := s.sql.Load(ctx, p.db, outTradeNo, o); err != nil {
			return err
		}
		next, save := change(*o)
		if !save {
			return nil
		}
		saved := next.Saved()
		if err := s.sql.SaveChange(ctx, p.db, o, &next, &sqlstore.Write{TakeOver: s.takeOver(p.tx)}); err != nil {
			return err
		}
		*o = saved
		return nil
	})
	if err != nil {
		return orderstore.Order{}, err
	}
	return *o, nil
}

// PutGoods adds goods to the catalogue, or replaces those of the same GoodsID:
// all of them or none.
func (s *Store) PutGoods(ctx context.Context, goods ...orderstore.Goods) error {
	return s.write(ctx, func(p place) error { return s.sql.PutGoods(ctx, p.db, goods...) })
}

// write is where everything is written. do may run more than once, if what it
// did is undone in between; a panic in it is an error. When write
// returns an error, nothing was changed.
//
// Writers that wait at the same time are committed together, each as if it
// were alone. When ctx ends while write waits, it returns at once; while
// it runs, at its next statement; and nothing of it is written. When
// it is done by then, only the commit is pending, of others' writes too:
// write waits for it, and returns how it went.
func (s *Store) write(ctx context.Context, do change) error {
	if ctx.Value(hooked{s}) != nil {
		return errHooked
	}
	careful := func(p place) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("write: panicked: %v", r)
			}
		}()
		return sqlstore.Cause(ctx, "write", do(p))
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
		return sqlstore.Cause(ctx, "begin", err)
	}
	defer tx.Rollback() // does nothing after Commit
	if err := change(tx); err != nil {
		return sqlstore.Cause(ctx, "write", err)
	}
	return sqlstore.Cause(ctx, "commit", tx.Commit())
}
