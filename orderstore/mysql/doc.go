// Package mysql keeps orders in a MySQL or MariaDB database, beside the tables
// of the application and for any number of processes. It takes a *sql.DB of
// the application's, with the driver the application has; it is tested with
// github.com/go-sql-driver/mysql.
//
//	db, err := sql.Open("mysql", "app@tcp(db.internal)/shop?interpolateParams=true&timeout=5s&readTimeout=30s&writeTimeout=30s")
//	err = mysql.Migrate(ctx, db, mysql.Options{})
//	store, err := mysql.New(ctx, db, mysql.Options{})
//
// # What it promises
//
// What Create or Save returned nil for is committed, and survives the loss of
// power: [New] refuses a server without innodb_flush_log_at_trx_commit=1, or
// with a binary log and without sync_binlog=1. It also refuses an sql_mode that
// is not strict, and a connection that is not in utf8mb4, for both change text
// without a word.
//
// Save is one UPDATE of the version that was read. It is right at every
// isolation a connection may have; what MySQL gives up for another's sake (a
// deadlock, a failed certification in a Galera cluster, a lock that was waited
// for too long) is tried again for ten seconds. When the connection is lost
// during a commit, the write is done again under the same name, which finds out
// whether it was done before; where nobody can tell any more, for others have
// written since, Save returns an error that is not ErrConflict.
//
// A context that ends before the commit keeps the write from being done. Once
// the commit is asked for it is too late: the writer learns how it went. Nobody
// waits more than 30 seconds for one answer of a server that has vanished.
//
// Through [orderstore.Update], more than sixteen orders of one process at a time
// share transactions: one statement reads them, one writes them, and one commit
// makes them last. Each caller hears of its own order only, and what goes wrong
// with such a transaction is done again, one by one. A store with an OnPaidTx
// does without. It takes MySQL 8 or MariaDB 10.6; older ones have it done one by one.
//
// # Connections
//
// The database must be the primary: a replica may not have yet what Save has
// just returned nil for. The nodes of a Galera cluster may all be written to,
// if wsrep_sync_wait is 7, so that each has seen what another said is committed
// (internal/replicas tests it so).
//
// In the DSN, interpolateParams=true halves the round trips, readTimeout ends
// the waiting for a server that vanished during a commit, and
// rejectReadOnly=true leaves connections to a primary that became a replica.
// Others, such as parseTime, loc and clientFoundRows, do not matter. Give the
// pool a bound, and an end to connections before the server's wait_timeout:
//
//	db.SetMaxOpenConns(20)
//	db.SetMaxIdleConns(20)
//	db.SetConnMaxLifetime(3 * time.Minute)
//
// A client that vanishes leaves its locks until the server notices: let it, by
// TCP keepalive or wait_timeout, within minutes.
//
// One write needs one connection, and gives it back before it returns; a hook
// that reads with db instead of tx needs a second one.
//
// # The tables
//
// See schema/: plain SQL files, numbered, each of which records itself in
// pay_order_schema. [Migrate] runs them; goose, Flyway, Atlas or the mysql
// client may do it instead, for [New] only looks at what is recorded. With
// [Options].TablePrefix, replace the names of the tables and indexes first: all
// begin with pay_order_ or are goods_info.
//
// The columns that the tutorials have carry the tutorials' names, so that a
// back office can read them with plain SQL. Money is integer fen. Every time,
// pay_time too, is an integer: microseconds since 1970 in UTC, NULL for "not
// yet". Beijing time for people is
//
//	SELECT out_trade_no, amount, pay_status_des,
//	       TIMESTAMP '1970-01-01 08:00:00' + INTERVAL pay_time DIV 1000000 SECOND AS paid
//	FROM pay_order_record
//
// The refunds of an order are one column, JSON text that is empty for none. A
// row for each is, in MySQL 8 and MariaDB 10.6,
//
//	SELECT out_trade_no, r.out_refund_no, r.refund, r.status
//	FROM pay_order_record, JSON_TABLE(nullif(refunds, ''), '$[*]' COLUMNS (
//	     out_refund_no VARCHAR(64) PATH '$.out_refund_no',
//	     refund BIGINT PATH '$.refund', status VARCHAR(32) PATH '$.status')) AS r
//	ORDER BY out_trade_no, out_refund_no
//
// The columns amount and pay_status_des are for people as well: each write
// derives them from total and pay_status, nothing reads them back.
package mysql
