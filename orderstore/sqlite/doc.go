// Package sqlite keeps orders in a SQLite file: the reference store, and a
// good one for a shop on one machine.
//
// # What it promises
//
// [Open] opens its own handles with the settings that make SQLite safe for
// money, and checks that they hold: a write-ahead log with synchronous=FULL,
// so that what Create or Save returned nil for survives the loss of power;
// transactions that take the write lock when they begin, so that none fails
// half-way with "database is locked"; one writer, and readers beside it that
// wait for nobody. Several processes of one machine may use one file. A file
// on a network share is refused where SQLite can tell, and unsafe where it
// cannot.
//
// # Many writers
//
// The disk is the slowest part of a write, so those that wait for it together
// are committed together: while one writer commits, others gather, and the
// first of them commits for all. No timer makes anybody wait for company.
// Within the transaction each write has a savepoint of its own. One that
// fails, for whatever reason, is undone alone; only when the commit itself
// fails do all of its writers get the error, and nothing of theirs is there.
//
// A context that ends keeps its own write from being done, and nobody else's.
// Once the statements of a write are run and the commit is pending, it is too
// late to take back: the writer learns how the commit went, so that nil and an
// error always tell the truth.
//
// # Paid in one transaction
//
// With [Options].OnPaidTx, [OpenWith] lets the application write its own rows,
// such as those of a membership, in the transaction that marks the order paid.
//
// # The tables
//
// See schema.sql. The columns that the tutorials have carry the tutorials'
// names, so that a back office can read them with plain SQL. Money is integer
// fen. Every time, pay_time too, is an integer: microseconds since 1970 in
// UTC, NULL for "not yet". Beijing time for people is
//
//	SELECT out_trade_no, amount, pay_status_des,
//	       datetime(pay_time / 1000000, 'unixepoch', '+8 hours') AS paid
//	FROM pay_order_record
//
// The refunds of an order are one column, JSON text that is empty for none. A
// row for each is
//
//	SELECT out_trade_no, r.value ->> 'out_refund_no' AS out_refund_no,
//	       r.value ->> 'refund' AS refund, r.value ->> 'status' AS status
//	FROM pay_order_record, json_each(nullif(refunds, '')) AS r
//
// The columns amount and pay_status_des are for people as well: each write
// derives them from total and pay_status, nothing reads them back.
//
// The file may hold tables of the application beside these; PRAGMA
// user_version belongs to this package.
//
// The package needs cgo. Built without it, everything compiles and [Open]
// says what is missing.
package sqlite
