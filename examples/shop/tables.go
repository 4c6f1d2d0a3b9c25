package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// dialect is what databases say differently. The rest of the shop's SQL is the
// same on all of them.
type dialect struct {
	numbered bool   // placeholders are $1, $2, …
	before   string // what keeps other processes from making tables, until the transaction ends
	older    func(context.Context, *sql.Tx) error
	tables   []string

	// hold makes the row of a member, if there is none, and keeps others from
	// changing what they have until the transaction ends. It counts on, so that
	// two nodes of a cluster that know of no lock of the other find that both
	// changed the row, and give one of the transactions up.
	hold string
}

// Columns are named as the tutorials name them; user is a word of SQL's own.
// Times are microseconds in UTC. A granted_at of 0 is never: the money went
// back first. A revoked_at of NULL is never, too.
var (
	sqliteDialect = dialect{
		older: olderFile,
		tables: []string{
			`CREATE TABLE IF NOT EXISTS grants (
				out_trade_no TEXT    NOT NULL PRIMARY KEY,
				user_id      TEXT    NOT NULL,
				goods        TEXT    NOT NULL,
				granted_at   INTEGER NOT NULL,
				revoked_at   INTEGER
			) STRICT`,
			`CREATE INDEX IF NOT EXISTS grants_user ON grants (user_id, granted_at)`,
			`CREATE TABLE IF NOT EXISTS members (
				user_id      TEXT    NOT NULL PRIMARY KEY,
				vip_until    INTEGER NOT NULL,
				changes      INTEGER NOT NULL DEFAULT 0
			) STRICT`,
		},
		hold: `INSERT INTO members (user_id, vip_until, changes) VALUES (?, 0, 1)
			ON CONFLICT (user_id) DO UPDATE SET changes = members.changes + 1`,
	}
	postgresDialect = dialect{
		numbered: true,
		before:   `SELECT pg_advisory_xact_lock(7716021108)`, // any number that nobody else takes
		tables: []string{
			`CREATE TABLE IF NOT EXISTS grants (
				out_trade_no TEXT   NOT NULL PRIMARY KEY,
				user_id      TEXT   NOT NULL,
				goods        TEXT   NOT NULL,
				granted_at   BIGINT NOT NULL,
				revoked_at   BIGINT
			)`,
			`CREATE INDEX IF NOT EXISTS grants_user ON grants (user_id, granted_at)`,
			`CREATE TABLE IF NOT EXISTS members (
				user_id      TEXT   NOT NULL PRIMARY KEY,
				vip_until    BIGINT NOT NULL,
				changes      BIGINT NOT NULL
			)`,
		},
		hold: sqliteDialect.hold,
	}
	mysqlDialect = dialect{
		tables: []string{
			`CREATE TABLE IF NOT EXISTS grants (
				out_trade_no VARCHAR(32)  NOT NULL PRIMARY KEY,
				user_id      VARCHAR(255) NOT NULL,
				goods        VARCHAR(32)  NOT NULL,
				granted_at   BIGINT       NOT NULL,
				revoked_at   BIGINT,
				KEY grants_user (user_id, granted_at)
			) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
			`CREATE TABLE IF NOT EXISTS members (
				user_id      VARCHAR(255) NOT NULL PRIMARY KEY,
				vip_until    BIGINT       NOT NULL,
				changes      BIGINT       NOT NULL
			) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
		},
		hold: `INSERT INTO members (user_id, vip_until, changes) VALUES (?, 0, 1)
			ON DUPLICATE KEY UPDATE changes = members.changes + 1`,
	}
)

// sql writes the placeholders of a statement as the database has them.
func (d dialect) sql(statement string) string {
	for i := 1; d.numbered && strings.Contains(statement, "?"); i++ {
		statement = strings.Replace(statement, "?", fmt.Sprint("$", i), 1)
	}
	return statement
}

// migrate makes the tables, or brings those of an older shop up to date.
func (m *members) migrate(ctx context.Context) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	if m.before != "" {
		if _, err := tx.ExecContext(ctx, m.before); err != nil {
			return err
		}
	}
	if m.older != nil {
		if err := m.older(ctx, tx); err != nil {
			return err
		}
	}
	for _, table := range m.tables {
		if _, err := tx.ExecContext(ctx, table); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// gaveUp reports whether a database gave a transaction up for another's sake:
// a deadlock, a lock that was waited for too long, or another that came first.
func gaveUp(err error) bool {
	var pg *pgconn.PgError
	var my *mysqldriver.MySQLError
	switch {
	case errors.As(err, &pg):
		return slices.Contains([]string{"40001", "40P01", "55P03"}, pg.Code)
	case errors.As(err, &my):
		return slices.Contains([]uint16{1020, 1205, 1213}, my.Number)
	}
	return false
}

// openFile opens a handle of the shop's own on a file of SQLite. A transaction
// takes the write lock when it begins and waits for it, so none fails half-way;
// a commit is on the disk when it returns.
func openFile(path string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	settings := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: settings.Encode()}
	return sql.Open("sqlite3", file.String())
}

// olderFile adds to the tables of a shop that knew no refunds, or only SQLite.
func olderFile(ctx context.Context, tx *sql.Tx) error {
	for _, c := range []struct{ table, column, change string }{
		{"grants", "revoked_at", `ALTER TABLE grants ADD COLUMN revoked_at INTEGER`},
		{"grants", "user_id", `ALTER TABLE grants RENAME COLUMN user TO user_id`},
		{"members", "user_id", `ALTER TABLE members RENAME COLUMN user TO user_id`},
		{"members", "changes", `ALTER TABLE members ADD COLUMN changes INTEGER NOT NULL DEFAULT 0`},
	} {
		var columns, there int
		err := tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = ?) FROM pragma_table_info(?)`, c.column, c.table).
			Scan(&columns, &there)
		if err != nil {
			return err
		}
		if columns == 0 || there > 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, c.change); err != nil {
			return err
		}
	}
	return nil
}
