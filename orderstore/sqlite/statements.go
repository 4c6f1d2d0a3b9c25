package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// dialect is SQL as SQLite writes it.
var dialect = sqlstore.Dialect{
	IfTaken:       "ON CONFLICT (out_trade_no) DO NOTHING",
	IfThere:       "ON CONFLICT (goods_id) DO UPDATE SET",
	IfThereColumn: "%s = excluded.%s",
	NewestFirst:   "created_at DESC, rowid DESC",
	EventsAtOnce:  1, // nothing is sent anywhere: one prepared statement serves any number
}

// prepare prepares all the SQL of a store when it is opened: a file whose
// tables are not the ones expected is found out then, not at the first payment.
func (s *Store) prepare(ctx context.Context) (err error) {
	s.sql = dialect.Statements("")
	if s.written, err = prepare(ctx, s.writer, append(s.sql.Writing(), touchNothing)); err != nil {
		return err
	}
	read, err := prepare(ctx, s.readers, slices.Collect(maps.Values(s.sql.Reading())))
	for _, stmt := range read { // each reading connection prepares its own
		err = errors.Join(err, stmt.Close())
	}
	return err
}

func prepare(ctx context.Context, db *sql.DB, texts []string) (map[string]*sql.Stmt, error) {
	prepared := make(map[string]*sql.Stmt)
	for _, text := range texts {
		stmt, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("the tables are not this package's: %w", err)
		}
		prepared[text] = stmt
	}
	return prepared, nil
}

// in runs the prepared statements in a transaction, one at a time.
func (s *Store) in(tx *sql.Tx) sqlstore.Conn {
	return sqlstore.On(conn{s.written, tx, make(map[string]*sql.Stmt)})
}

// conn runs prepared statements by their text, in a transaction.
type conn struct {
	prepared map[string]*sql.Stmt
	tx       *sql.Tx
	inTx     map[string]*sql.Stmt // those that were used in tx
}

func (c conn) stmt(ctx context.Context, text string) *sql.Stmt {
	if c.inTx[text] == nil { // nothing is prepared again, so there is nothing to cut short
		c.inTx[text] = c.tx.StmtContext(context.WithoutCancel(ctx), c.prepared[text])
	}
	return c.inTx[text]
}

// ExecContext runs a statement that writes.
func (c conn) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return c.stmt(ctx, text).ExecContext(ctx, args...)
}

// QueryContext runs one that reads rows.
func (c conn) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return c.stmt(ctx, text).QueryContext(ctx, args...)
}
