package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Options says what a store does besides keeping orders. The zero value is
// what [Open] takes.
type Options struct {
	// OnPaidTx takes an order over in the very transaction that marks it paid:
	// what it writes with tx, such as the row of a membership, is there if and
	// only if the order is paid. The Save that finds an order stored as unpaid
	// or closed and makes it paid calls it, whoever heard of the payment; no
	// other Save does, and no Create. A payment that goes back to the customer
	// ([orderstore.Order.GiveBack]) is none to take over.
	//
	// o is the order as it is stored then, without Events. It counts as handed
	// over at its UpdatedAt, which must be set, so that nobody calls the OnPaid
	// of the kit for it. As after any hand-over, the stored order is a Version
	// ahead of what was saved, and Save of what one has in memory is a
	// conflict.
	//
	// When OnPaidTx returns an error or panics, Save returns an error, which
	// wraps the one returned (but not an ErrConflict, ErrExists or ErrNotFound,
	// which would be taken for Save's own), and nothing is written: the order is not paid
	// yet, and WeChat sends its notification again. A call may be undone and
	// made again with the same order, when its transaction fails; of all calls
	// for an order one is committed. So it must do nothing but run statements.
	//
	// They must be run with tx, and be few, for all writers of the file wait.
	// A writing method of this store would wait for itself; called with ctx it
	// returns an error instead. The transaction is the store's to end: if
	// OnPaidTx calls Commit or Rollback of tx, Save fails. When a context ends,
	// a statement under way is not cut short, but the next one does not begin.
	//
	// It is an option of opening, and no method, because an order that is paid
	// before a method is called would be missed. Every process that writes the
	// file should have it. Defaults to none: the kit hands paid orders over.
	OnPaidTx func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error

	// Committed is told of every transaction of this process: how many writes
	// it held, how many others waited when it began, how long it took with the
	// wait for the file, and what became of it. The next one waits for it, so
	// it must be quick. wxprom.SQLite makes metrics of it. Defaults to nothing.
	Committed func(writes, waiting int, took time.Duration, err error)
}

// hooked marks the context of a hook of that store.
type hooked struct{ *Store }

var errHooked = errors.New("OnPaidTx called a writing method of its store, which would wait for itself: write with tx")

// takeOver calls the hook in tx; it is nil without one.
func (s *Store) takeOver(tx *sql.Tx) func(context.Context, orderstore.Order) error {
	if s.onPaidTx == nil {
		return nil
	}
	return func(ctx context.Context, o orderstore.Order) error {
		return s.onPaidTx(context.WithValue(ctx, hooked{s}, true), tx, o)
	}
}
