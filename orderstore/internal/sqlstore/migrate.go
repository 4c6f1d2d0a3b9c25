package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Migrations are the steps of a schema.
type Migrations struct {
	// Files has them: 0001_….sql, 0002_….sql and so on. Each step ends by
	// inserting its number into pay_order_schema.
	Files fs.FS
	// Exists counts the tables of a name.
	Exists string
	// Lock keeps other processes from migrating until the transaction ends; it
	// is empty where no transaction spans statements that make tables. Then each
	// statement can be run again.
	Lock string
}

// Migrate brings the tables whose names begin with prefix to this package's
// version. Several processes may do it at once.
func (e Engine) Migrate(ctx context.Context, db *sql.DB, prefix string) error {
	if err := CheckPrefix(prefix); err != nil {
		return err
	}
	version, err := e.version(ctx, db, prefix)
	if err != nil {
		return err
	}
	steps, err := e.steps()
	if err != nil {
		return err
	}
	if version == 0 {
		// Some are there when a migration was interrupted, or when they belong to
		// somebody else, such as a tutorial.
		for name, trial := range e.Statements(prefix).trials() {
			if err := e.ours(ctx, db, name, trial); err != nil {
				return err
			}
		}
	}
	for n := version + 1; n <= len(steps); n++ {
		if err := e.step(ctx, db, prefix, n, steps[n-1]); err != nil {
			return fmt.Errorf("step %d of the schema: %w", n, err)
		}
	}
	return e.Statements(prefix).try(ctx, db)
}

// step runs the statements of one step, unless another process has done it.
// Whoever waited for the lock must see what was done meanwhile, so each
// statement has to read what is committed by then, whatever the connection's own
// isolation is.
func (e Engine) step(ctx context.Context, db *sql.DB, prefix string, n int, text string) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if e.Migrations.Lock != "" {
		if _, err := tx.ExecContext(ctx, e.Migrations.Lock); err != nil {
			return fmt.Errorf("lock the schema: %w", err)
		}
		if now, err := e.version(ctx, tx, prefix); err != nil || now >= n {
			return err
		}
	}
	for statement := range strings.SplitSeq(Prefixed(text, prefix), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// steps are the texts of all steps.
func (e Engine) steps() ([]string, error) {
	files, err := fs.Glob(e.Migrations.Files, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	texts := make([]string, len(files))
	for i, file := range files {
		if !strings.HasPrefix(file, fmt.Sprintf("schema/%04d_", i+1)) {
			return nil, fmt.Errorf("file %s is not step %d", file, i+1)
		}
		text, err := fs.ReadFile(e.Migrations.Files, file)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return texts, nil
}

// queryer reads a row: a *sql.DB or a *sql.Tx.
type queryer interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// version reads which step the tables have, 0 when there are none. It refuses
// one that this package does not know.
func (e Engine) version(ctx context.Context, db queryer, prefix string) (int, error) {
	const table = "pay_order_schema"
	there, err := e.exists(ctx, db, Prefixed(table, prefix))
	if err != nil || !there {
		return 0, err
	}
	var version int
	err = db.QueryRowContext(ctx, Prefixed("SELECT coalesce(max(version), 0) FROM "+table, prefix)).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the schema version: %w", err)
	}
	steps, err := e.steps()
	if err == nil && version > len(steps) {
		err = fmt.Errorf("the tables have schema version %d, this program knows %d: use a newer program", version, len(steps))
	}
	return version, err
}

func (e Engine) exists(ctx context.Context, db queryer, table string) (bool, error) {
	var n int
	if err := db.QueryRowContext(ctx, e.Migrations.Exists, table).Scan(&n); err != nil {
		return false, fmt.Errorf("look for the table %s: %w", table, err)
	}
	return n > 0, nil
}

// ours reports an error if there is a table of that name, but not this
// package's.
func (e Engine) ours(ctx context.Context, db *sql.DB, name, trial string) error {
	there, err := e.exists(ctx, db, name)
	if err != nil || !there {
		return err
	}
	if _, err := db.ExecContext(ctx, trial); err != nil {
		return fmt.Errorf("there is a table %s already that is not this package's: choose a table prefix: %w", name, err)
	}
	return nil
}
