package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // for schema.sql
	"fmt"
)

// schemaVersion is what PRAGMA user_version says of a file with schemaSQL.
const schemaVersion = 2

// upgrades lead from version 1 to the next, and so on. Each begins with a look
// whether the table is this package's. What one adds stands in schema.sql too.
var upgrades = [schemaVersion - 1]string{
	`SELECT version, prepay_request, next_action_at FROM pay_order_record WHERE 1 = 0;
	ALTER TABLE pay_order_record ADD COLUMN asked_at INTEGER;
	ALTER TABLE pay_order_record ADD COLUMN trace_id TEXT NOT NULL DEFAULT ''`,
}

//go:embed schema.sql
var schemaSQL string

// migrate brings the file to the write-ahead log and to the tables of this
// version. Several processes may do it at once: each step is done by one of
// them and found done by the others. The version is written even when it is
// there: SQLite opens a file that it may not write without a word, and the
// first payment would find out.
func migrate(ctx context.Context, db *sql.DB) error {
	if _, err := fileVersion(ctx, db); err != nil {
		return err // before anything is changed
	}
	// Turning the log on needs the file for itself for a moment, and SQLite
	// does not wait for that.
	err := patiently(ctx, func() error {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		return err
	})
	if err != nil {
		return fmt.Errorf("turn the write-ahead log on: %w", err)
	}
	return write(ctx, db, func(tx *sql.Tx) error {
		version, err := fileVersion(ctx, tx)
		if err != nil {
			return err
		}
		if err := upgrade(ctx, tx, version); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
		return err
	})
}

// upgrade brings the tables of that version to this one.
func upgrade(ctx context.Context, tx *sql.Tx, version int) error {
	if version == 0 {
		if _, err := tx.ExecContext(ctx, schemaSQL); err != nil {
			return fmt.Errorf("create the tables: %w", err)
		}
		return nil
	}
	for _, step := range upgrades[version-1:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("the tables are not this package's: %w", err)
		}
	}
	return nil
}

// fileVersion reads the version of the tables in the file, 0 of a new one. It
// refuses a version this package does not know.
func fileVersion(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (int, error) {
	var version int
	err := patiently(ctx, func() error {
		return db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the schema version: %w", err)
	case version < 0 || version > schemaVersion:
		return 0, fmt.Errorf("the file has schema version %d, this program knows %d: use a newer program", version, schemaVersion)
	}
	return version, nil
}
