package sqlstore

import (
	"context"
	"database/sql"
)

// Reader runs statements that read, each by its text.
type Reader interface {
	// Query runs one, and calls next for the places of each row.
	Query(ctx context.Context, text string, args []any, next func() (places []any)) error
}

// Conn runs statements, also those that write.
type Conn interface {
	Reader
	// Exec runs one that writes, and returns how many rows it changed.
	Exec(ctx context.Context, text string, args []any) (changed int64, err error)
}

// DB runs statements by way of package database/sql: a *sql.DB or a *sql.Tx.
type DB interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// On is a Conn that runs its statements on db.
func On(db DB) Conn { return onDB{db} }

type onDB struct{ DB }

// Exec runs a statement that writes.
func (d onDB) Exec(ctx context.Context, text string, args []any) (int64, error) {
	result, err := d.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query runs a statement that reads.
func (d onDB) Query(ctx context.Context, text string, args []any, next func() []any) error {
	rows, err := d.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(next()...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one reads the only row there can be, if there is one.
func one(ctx context.Context, db Reader, text string, args []any, places ...any) (found bool, err error) {
	err = db.Query(ctx, text, args, func() []any {
		found = true
		return places
	})
	return found && err == nil, err
}
