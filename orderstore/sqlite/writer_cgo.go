//go:build cgo

package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/mattn/go-sqlite3"
)

// writerConn is the connection that writes. It differs from the driver's in
// two ways, because several writers share a transaction on it.
//
// No context interrupts a statement: SQLite answers an interrupted INSERT or
// UPDATE by rolling the whole transaction back, with what the others wrote.
// Package database/sql still refuses to start a statement whose context is
// over.
//
// And a transaction that is begun within a group's is none: it only gives a
// member a *sql.Tx of its own, whose end closes what was opened in it. What
// becomes of the member's changes is the business of its savepoint, so that a
// hook that calls Commit or Rollback harms nobody else.
type writerConn struct{ *sqlite3.SQLiteConn }

// BeginTx takes the write lock. Within a group, which has it, it does nothing.
func (c writerConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if ctx.Value(inner{}) != nil {
		return innerTx{}, nil
	}
	return c.SQLiteConn.BeginTx(context.WithoutCancel(ctx), opts)
}

// ExecContext runs statements to their end.
func (c writerConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.SQLiteConn.ExecContext(context.WithoutCancel(ctx), query, args)
}

// QueryContext runs a query to its end.
func (c writerConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.SQLiteConn.QueryContext(context.WithoutCancel(ctx), query, args)
}

// PrepareContext prepares a statement that runs to its end.
func (c writerConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.SQLiteConn.PrepareContext(ctx, query)
	if raw, ok := stmt.(*sqlite3.SQLiteStmt); ok {
		return writerStmt{raw}, err
	}
	return stmt, err
}

// writerStmt is a prepared statement of a writerConn.
type writerStmt struct{ *sqlite3.SQLiteStmt }

// ExecContext runs the statement to its end.
func (s writerStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.SQLiteStmt.ExecContext(context.WithoutCancel(ctx), args)
}

// QueryContext runs the query to its end.
func (s writerStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.SQLiteStmt.QueryContext(context.WithoutCancel(ctx), args)
}

// innerTx is a transaction within another.
type innerTx struct{}

// Commit does nothing.
func (innerTx) Commit() error { return nil }

// Rollback does nothing.
func (innerTx) Rollback() error { return nil }
