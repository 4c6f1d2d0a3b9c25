package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"github.com/wxpaykit/wxpay"
)

// members are the shop's own tables, in the same file as the orders. The row
// of a grant says that the order with this number was handed over, or taken
// back, or both; whatever comes with it is written in the same transaction.
// That is all it takes for "at least once" to become "once".
type members struct{ db *sql.DB }

const memberTables = `
CREATE TABLE IF NOT EXISTS grants (
    out_trade_no TEXT    NOT NULL PRIMARY KEY,
    user         TEXT    NOT NULL,
    goods        TEXT    NOT NULL,
    granted_at   INTEGER NOT NULL, -- microseconds, UTC; 0: never, the money went back first
    revoked_at   INTEGER           -- microseconds, UTC; NULL: the membership stays
) STRICT;
CREATE INDEX IF NOT EXISTS grants_user ON grants (user, granted_at);
CREATE TABLE IF NOT EXISTS members (
    user         TEXT    NOT NULL PRIMARY KEY,
    vip_until    INTEGER NOT NULL -- microseconds, UTC
) STRICT;`

// openMembers opens a handle of the shop's own. A transaction takes the write
// lock when it begins and waits for it, so none fails half-way; a commit is on
// the disk when it returns.
func openMembers(ctx context.Context, path string) (*members, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	settings := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: settings.Encode()}
	db, err := sql.Open("sqlite3", file.String())
	if err != nil {
		return nil, err
	}
	m := &members{db}
	if err := m.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("create the shop's tables: %w", err), db.Close())
	}
	return m, nil
}

// migrate makes the tables, or brings those of an older shop up to date.
func (m *members) migrate(ctx context.Context) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	if _, err := tx.ExecContext(ctx, memberTables); err != nil {
		return err
	}
	var refunds bool
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('grants') WHERE name = 'revoked_at'`).Scan(&refunds)
	if err != nil {
		return err
	}
	if !refunds {
		if _, err := tx.ExecContext(ctx, `ALTER TABLE grants ADD COLUMN revoked_at INTEGER`); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close closes the handle.
func (m *members) Close() error { return m.db.Close() }

// grant is the kit's OnPaid. It may be called again for the same order, after
// a crash at any moment or by another process; the order number decides. An
// order whose money went back before it got here has its row already.
func (m *members) grant(ctx context.Context, o wxpay.Order) error {
	if _, ok := membershipOf(o.GoodsID); !ok {
		return fmt.Errorf("grant: the shop does not know what %q is", o.GoodsID)
	}
	return m.once(ctx, o.UserID, `INSERT INTO grants (out_trade_no, user, goods, granted_at) VALUES (?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		o.OutTradeNo, o.UserID, o.GoodsID, time.Now().UnixMicro())
}

// revoke is the kit's OnRefunded, with the same promise as grant. A membership
// goes when all of its price is back; for a part of it nothing is taken. The
// refund may get here before the order does, or while grant is at it: then
// its row is what grant finds, and nothing is given any more.
func (m *members) revoke(ctx context.Context, o wxpay.Order, _ wxpay.Refund) error {
	if o.Refunded < o.Total {
		return nil
	}
	return m.once(ctx, o.UserID, `INSERT INTO grants (out_trade_no, user, goods, granted_at, revoked_at) VALUES (?, ?, ?, 0, ?)
		ON CONFLICT (out_trade_no) DO UPDATE SET revoked_at = excluded.revoked_at WHERE revoked_at IS NULL`,
		o.OutTradeNo, o.UserID, o.GoodsID, time.Now().UnixMicro())
}

// once runs the change of a grant, and writes what follows from it with it. A
// change that changes nothing was made before.
func (m *members) once(ctx context.Context, user, change string, args ...any) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	done, err := tx.ExecContext(ctx, change, args...)
	if err != nil {
		return err
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 0 {
		return err
	}
	if err := addUp(ctx, tx, user); err != nil {
		return err
	}
	return tx.Commit()
}

// addUp writes how long somebody is a member. One membership follows the other,
// and one that was taken back counts as if it had never been bought: the months
// that other orders paid for stay, whichever order is refunded.
func addUp(ctx context.Context, tx *sql.Tx, user string) error {
	grants, err := grantsOf(ctx, tx, user)
	if err != nil || len(grants) == 0 {
		return err
	}
	var until time.Time
	for i := len(grants) - 1; i >= 0; i-- { // the oldest first
		g := grants[i]
		if g.At.After(until) {
			until = g.At
		}
		if !g.Revoked() {
			until = until.AddDate(0, g.Goods.Months, 0)
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO members (user, vip_until) VALUES (?, ?)
		ON CONFLICT (user) DO UPDATE SET vip_until = excluded.vip_until`, user, until.UnixMicro())
	return err
}
