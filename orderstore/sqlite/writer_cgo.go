//go:build cgo

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"

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
type writerConn struct {
	*sqlite3.SQLiteConn
	prepared []prepared          // for exec and query
	args     []driver.NamedValue // of the last statement; the memory is used again
	row      []driver.Value      // of the last query; likewise
}

// prepared is a statement. There are few, with long texts: to compare one with
// another of the same memory takes less than to look it up.
type prepared struct {
	text string
	stmt *sqlite3.SQLiteStmt
}

func newWriter(conn *sqlite3.SQLiteConn) *writerConn {
	return &writerConn{SQLiteConn: conn}
}

// exec runs a statement that writes, and returns how many rows it changed.
func (c *writerConn) exec(text string, args []any) (int64, error) {
	stmt, err := c.stmt(text, args)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), c.args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement that reads, and shows each row, whose slice is used
// again.
func (c *writerConn) query(text string, args []any, show func([]driver.Value) error) (err error) {
	stmt, err := c.stmt(text, args)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), c.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := slices.Grow(c.row[:0], len(rows.Columns()))[:len(rows.Columns())]
	c.row = nil // for a query that show makes
	defer func() { c.row = row }()
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := show(row); err != nil {
			return err
		}
	}
}

// stmt prepares a text, once, and its arguments.
func (c *writerConn) stmt(text string, args []any) (*sqlite3.SQLiteStmt, error) {
	c.args = c.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	for _, p := range c.prepared {
		if p.text == text {
			return p.stmt, nil
		}
	}
	opened, err := c.SQLiteConn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	stmt, ok := opened.(*sqlite3.SQLiteStmt)
	if !ok {
		return nil, fmt.Errorf("prepared a %T", opened)
	}
	c.prepared = append(c.prepared, prepared{text, stmt})
	return stmt, nil
}

// Close closes the connection and what was prepared on it.
func (c *writerConn) Close() error {
	var errs []error
	for _, p := range c.prepared {
		errs = append(errs, p.stmt.Close())
	}
	return errors.Join(append(errs, c.SQLiteConn.Close())...)
}

// BeginTx takes the write lock. Within a group, which has it, it does nothing.
func (c *writerConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if ctx.Value(inner{}) != nil {
		return innerTx{}, nil
	}
	return c.SQLiteConn.BeginTx(context.WithoutCancel(ctx), opts)
}

// ExecContext runs statements to their end.
func (c *writerConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.SQLiteConn.ExecContext(context.WithoutCancel(ctx), query, args)
}

// QueryContext runs a query to its end.
func (c *writerConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.SQLiteConn.QueryContext(context.WithoutCancel(ctx), query, args)
}

// PrepareContext prepares a statement that runs to its end.
func (c *writerConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
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
