package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// Store is an [orderstore.Store] in a PostgreSQL database. Besides the methods
// of that interface it has those of the reference catalogue, the table
// goods_info: Quote, which fits Options.Quote of the kit, and PutGoods, which
// adds goods or replaces those of the same GoodsID. It is safe for concurrent
// use, and has nothing to close.
type Store struct {
	*store
	check func(context.Context) error
}

// store has the methods, which are the same on every database server.
type store = sqlstore.Store

var _ orderstore.Updater = (*Store)(nil)

// Options says where and how a store keeps orders. The zero value is good.
type Options struct {
	// TablePrefix is what the names of all tables begin with, for a database
	// that has tables of these names already: at most 32 of a-z, 0-9 and _. For
	// a schema of their own, put it first in the search_path of the connections.
	// Defaults to none.
	TablePrefix string

	// Undurable takes a server that may lose what it said was committed, when
	// the power fails: one with synchronous_commit=off or fsync=off. It is for
	// tests. Defaults to false: New refuses such a server.
	Undurable bool

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
	// for an order one is committed. So it must do nothing but run statements,
	// with tx, and return their errors: some mean that it is to be called again.
	//
	// A writing method of this store would wait for the order that OnPaidTx
	// holds; called with ctx it returns an error instead. The transaction is the
	// store's to end: if OnPaidTx calls Commit or Rollback of tx, Save fails,
	// and what was committed stays.
	//
	// Every process that writes the tables should have it. Defaults to none: the
	// kit hands paid orders over.
	OnPaidTx func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error
}

// New returns the store in the tables of the database that db is connected to.
// db stays the caller's; see the package comment for its settings. New changes
// nothing in the database. It returns an error when the tables are missing,
// older or newer than this package's ([Migrate] makes them), cannot be written,
// or when the server does not keep what it commits.
func New(ctx context.Context, db *sql.DB, opts Options) (*Store, error) {
	if err := checkServer(ctx, db, opts); err != nil {
		return nil, fmt.Errorf("open order store: %w", err)
	}
	s, err := engine.Open(ctx, db, opts.TablePrefix, opts.OnPaidTx)
	if err != nil {
		return nil, fmt.Errorf("open order store: %w", err)
	}
	check := func(ctx context.Context) error {
		return errors.Join(checkServer(ctx, db, opts), sqlstore.CheckTables(ctx, s))
	}
	return &Store{s, check}, nil
}

// Check reports whether the store can still be trusted with orders: all that
// [New] asks for holds now, too. It changes nothing. It is for a program that
// checks itself before it takes money.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("check order store: %w", err)
	}
	return nil
}

// Updater lets those who update orders at the same time share a transaction;
// see [orderstore.Updater]. A store with an OnPaidTx has no such way.
func (s *Store) Updater() (orderstore.Store, func(ctx context.Context, outTradeNo string, change orderstore.Change) (orderstore.Order, error)) {
	if update := sqlstore.Together(s.store); update != nil {
		return s, update
	}
	return nil, nil
}

// Migrate makes the tables, or brings those of an older version of this package
// to this one. What is there stays. Several processes may call it at once, each
// time they start; it does nothing when there is nothing to do. It returns an
// error and touches nothing when the tables are of a newer version, or somebody
// else's. It needs the right to create tables, which the store does not.
func Migrate(ctx context.Context, db *sql.DB, opts Options) error {
	if err := engine.Migrate(ctx, db, opts.TablePrefix); err != nil {
		return fmt.Errorf("migrate order store: %w", err)
	}
	return nil
}

//go:embed schema/*.sql
var schema embed.FS

var engine = sqlstore.Engine{
	Dialect: sqlstore.Dialect{
		Numbered:      true,
		IfTaken:       "ON CONFLICT (out_trade_no) DO NOTHING",
		IfThere:       "ON CONFLICT (goods_id) DO UPDATE SET",
		IfThereColumn: "%s = excluded.%s",
		NewestFirst:   "created_at DESC NULLS LAST, out_trade_no DESC",
		EventsAtOnce:  100,
		WriteID:       true,
		Many: sqlstore.ManyDialect{
			Lock: `SELECT {columns} FROM pay_order_record WHERE out_trade_no IN ({numbers})
				ORDER BY out_trade_no FOR NO KEY UPDATE SKIP LOCKED`,
			Save: `UPDATE pay_order_record AS o SET {set} FROM json_populate_recordset(NULL::pay_order_record, ?::json) AS v
				WHERE o.out_trade_no = v.out_trade_no AND o.version = v.version - 1`,
			Set:    "%s = v.%s",
			Append: "INSERT INTO pay_order_event ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::pay_order_event, ?::json)",
		},
	},
	Migrations: sqlstore.Migrations{
		Files: schema,
		Exists: `SELECT count(*) FROM information_schema.tables
			WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1`,
		Lock: "SELECT pg_advisory_xact_lock(7716021107)", // any number that nobody else takes
	},
	Retry:   gaveUp,
	Refused: refused,
}

// gaveUp reports whether PostgreSQL gave a transaction up for another's sake:
// to break a deadlock, to keep the isolation that was asked for, or because a
// lock_timeout was over.
func gaveUp(err error) bool {
	switch sqlstore.SQLState(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// refused reports whether the answer to a commit is an error of the
// transaction, such as a constraint that is checked at its end: then it was
// rolled back. Errors of the connection (08), of the server's end (57) and of
// the server itself (53, 58, XX) say nothing of the transaction, and one says
// that nobody knows.
func refused(err error) bool {
	state := sqlstore.SQLState(err)
	if state == "" || state == "40003" {
		return false
	}
	for _, class := range []string{"08", "53", "57", "58", "F0", "XX"} {
		if strings.HasPrefix(state, class) {
			return false
		}
	}
	return true
}

// checkServer reports an error unless the server keeps what it commits, and
// text as it is.
func checkServer(ctx context.Context, db *sql.DB, opts Options) error {
	var commit, sync, encoding string
	err := db.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync'),
		current_setting('server_encoding')`).Scan(&commit, &sync, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("ask for the settings: %w", err)
	case encoding != "UTF8":
		return fmt.Errorf("the database has the encoding %s, which cannot hold all text: UTF8 is needed", encoding)
	case opts.Undurable:
		return nil
	case commit == "off":
		return errors.New("synchronous_commit is off, so that orders can be lost when the power fails: add synchronous_commit=on to the DSN")
	case sync == "off":
		return errors.New("fsync is off on the server, so that orders can be lost when the power fails")
	}
	return nil
}
