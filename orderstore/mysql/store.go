package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// Store is an [orderstore.Store] in a MySQL or MariaDB database. Besides the methods
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
	// that has tables of these names already: at most 32 of a-z, 0-9 and _.
	// Defaults to none.
	TablePrefix string

	// Undurable takes a server that may lose what it said was committed, when
	// the power fails: one that does not have innodb_flush_log_at_trx_commit=1,
	// or that writes a binary log without sync_binlog=1. It is for tests, and for
	// a hosted server on which you cannot change that and take the risk.
	// Defaults to false: New refuses such a server.
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
	// with tx, and return their errors: after a deadlock MySQL has rolled the
	// transaction back, and would run what follows outside of any.
	//
	// A writing method of this store would wait for the order that OnPaidTx
	// holds; called with ctx it returns an error instead. The transaction is the
	// store's to end: if OnPaidTx calls Commit or Rollback of tx, or runs a
	// statement that commits by itself, such as CREATE TABLE, what was written
	// so far stays, whatever Save returns.
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
		IfThere:       "ON DUPLICATE KEY UPDATE",
		IfThereColumn: "%s = VALUES(%s)",
		NewestFirst:   "created_at DESC, out_trade_no DESC",
		EventsAtOnce:  100,
		Padded:        true,
		WriteID:       true,
		Many: sqlstore.ManyDialect{
			// The hints keep it from reading, and locking, a small table as a whole.
			Lock: `SELECT {columns} FROM pay_order_record FORCE INDEX (PRIMARY) WHERE out_trade_no IN ({numbers})
				ORDER BY out_trade_no FOR UPDATE SKIP LOCKED`,
			Save: `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
					out_trade_no VARCHAR(32) CHARACTER SET utf8mb4 PATH '$.out_trade_no' ERROR ON ERROR, {columns})) AS v
				STRAIGHT_JOIN pay_order_record AS o FORCE INDEX (PRIMARY)
				ON o.out_trade_no = v.out_trade_no AND o.version = v.version - 1 SET {set}`,
			Set:     "o.%s = v.%s",
			Integer: "%s BIGINT PATH '$.%s' ERROR ON ERROR",
			Text:    "%s LONGTEXT CHARACTER SET utf8mb4 PATH '$.%s' ERROR ON ERROR",
		},
	},
	Migrations: sqlstore.Migrations{
		Files:  schema,
		Exists: "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
	},
	Retry:   gaveUp,
	Refused: func(error) bool { return false },
}

// givenUp are the errors with which MySQL gives a transaction up for another's
// sake: 1213, a deadlock, or a certification that failed in a Galera cluster;
// 1205, a lock that was waited for too long; 1020, MariaDB's word for a row
// that another transaction has changed. The driver has the number in a field of
// a type of its own, so it is read from the text, which begins with it. A
// driver that prints something else has its errors returned to the caller,
// instead of tried again: nothing else follows from them.
var givenUp = regexp.MustCompile(`(^|: )Error (1020|1205|1213)\b`)

func gaveUp(err error) bool {
	return err != nil && (sqlstore.SQLState(err) == "40001" || givenUp.MatchString(err.Error()))
}

// checkServer reports an error unless the server keeps what it commits, and
// text as it is.
func checkServer(ctx context.Context, db *sql.DB, opts Options) error {
	var mode, client, result string
	var database sql.NullString
	var flush, binlog, sync int
	err := db.QueryRowContext(ctx, `SELECT DATABASE(), @@sql_mode, @@character_set_client, @@character_set_results,
		@@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog`).Scan(&database, &mode, &client, &result, &flush, &binlog, &sync)
	switch {
	case err != nil:
		return fmt.Errorf("ask for the settings: %w", err)
	case !database.Valid:
		return errors.New("the DSN names no database")
	case !strings.Contains(mode, "STRICT_"):
		return fmt.Errorf("sql_mode is %q, with which text is cut without a word: STRICT_TRANS_TABLES is needed", mode)
	case client != "utf8mb4" || result != "utf8mb4":
		return fmt.Errorf("the connection has the character set %s, which cannot hold all text: add charset=utf8mb4 to the DSN", client)
	case opts.Undurable:
		return nil
	case flush != 1 && flush != 3: // 3 is MariaDB's
		return fmt.Errorf("innodb_flush_log_at_trx_commit is %d, so that orders can be lost when the power fails: 1 is needed", flush)
	case binlog == 1 && sync != 1:
		return fmt.Errorf("sync_binlog is %d, so that orders can be lost when the power fails: 1 is needed", sync)
	}
	return nil
}
