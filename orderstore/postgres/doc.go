// Package postgres keeps orders in a PostgreSQL database, beside the tables of
// the application and for any number of processes. It takes a *sql.DB of the
// application's, with the driver the application has; it is tested with
// github.com/jackc/pgx/v5/stdlib.
//
//	db, err := sql.Open("pgx", "postgres://app@db.internal/shop")
//	err = postgres.Migrate(ctx, db, postgres.Options{})
//	store, err := postgres.New(ctx, db, postgres.Options{})
//
// # What it promises
//
// What Create or Save returned nil for is committed, and survives the loss of
// power: [New] refuses a connection with synchronous_commit=off and a server
// with fsync=off. Where a standby has to have it too, that is
// synchronous_standby_names and synchronous_commit=on or remote_apply, on the
// server.
//
// Save is one UPDATE of the version that was read. It is right at every
// isolation a connection may have; what PostgreSQL gives up for another's sake
// (a deadlock, a transaction that cannot be serialized, a lock_timeout) is
// tried again for ten seconds. When the connection is lost during a commit,
// the write is done again under the same name, which finds out whether it was
// done before; where nobody can tell any more, for others have written since,
// Save returns an error that is not ErrConflict.
//
// A context that ends before the commit keeps the write from being done. Once
// the commit is asked for it is too late: the writer learns how it went. Nobody
// waits more than 30 seconds for one answer of a server that has vanished.
//
// Through [orderstore.Update], more than sixteen orders of one process at a time
// share transactions: one statement reads them, one writes them, and one commit
// makes them last. Each caller hears of its own order only, and what goes wrong
// with such a transaction is done again, one by one. A store with an OnPaidTx
// does without.
//
// # Connections
//
// The database must be the primary: a standby may not have yet what Save has
// just returned nil for. Its encoding must be UTF8. Give the pool a bound, and
// an end to connections, so that it follows a failover:
//
//	db.SetMaxOpenConns(20)
//	db.SetMaxIdleConns(20)
//	db.SetConnMaxLifetime(30 * time.Minute)
//
// A client that vanishes leaves its locks until the server notices: let it, by
// tcp_keepalives_idle or idle_in_transaction_session_timeout, within minutes.
//
// One write needs one connection, and gives it back before it returns; a hook
// that reads with db instead of tx needs a second one. With PgBouncer in
// transaction mode, add default_query_exec_mode=exec to pgx's DSN.
//
// # The tables
//
// See schema/: plain SQL files, numbered, each of which records itself in
// pay_order_schema. [Migrate] runs them; goose, Flyway, Atlas or psql may do it
// instead, for [New] only looks at what is recorded. With
// [Options].TablePrefix, replace the names of the tables and indexes first: all
// begin with pay_order_ or are goods_info.
//
// The columns that the tutorials have carry the tutorials' names, so that a
// back office can read them with plain SQL. Money is integer fen. Every time,
// pay_time too, is an integer: microseconds since 1970 in UTC, NULL for "not
// yet". Beijing time for people is
//
//	SELECT out_trade_no, amount, pay_status_des,
//	       to_timestamp(pay_time / 1000000) AT TIME ZONE 'Asia/Shanghai' AS paid
//	FROM pay_order_record
//
// The refunds of an order are one column, JSON text that is empty for none. A
// row for each is
//
//	SELECT out_trade_no, r ->> 'out_refund_no' AS out_refund_no,
//	       (r ->> 'refund')::bigint AS refund, r ->> 'status' AS status
//	FROM pay_order_record, json_array_elements(nullif(refunds, '')::json) AS r
//	ORDER BY out_trade_no, out_refund_no
//
// The columns amount and pay_status_des are for people as well: each write
// derives them from total and pay_status, nothing reads them back.
package postgres
