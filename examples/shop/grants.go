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
	"github.com/wxpaykit/wxpay/orderstore"
)

// membership is what the shop sells.
type membership struct {
	orderstore.Goods
	Months int
}

var memberships = []membership{
	{orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100}, 1},
	{orderstore.Goods{GoodsID: "vip-season", Description: "3个月会员", Total: 270}, 3},
	{orderstore.Goods{GoodsID: "vip-year", Description: "12个月会员", Total: 960}, 12},
}

func membershipOf(goodsID string) (membership, bool) {
	for _, m := range memberships {
		if m.GoodsID == goodsID {
			return m, true
		}
	}
	return membership{}, false
}

// prices are the rows of goods_info.
func prices() []orderstore.Goods {
	var goods []orderstore.Goods
	for _, m := range memberships {
		goods = append(goods, m.Goods)
	}
	return goods
}

// members are the shop's own tables, in the same file as the orders. The row
// of a grant says that the order with this number was handed over; whatever
// comes with it is written in the same transaction. That is all it takes for
// "at least once" to become "once".
type members struct{ db *sql.DB }

const memberTables = `
CREATE TABLE IF NOT EXISTS grants (
    out_trade_no TEXT    NOT NULL PRIMARY KEY,
    user         TEXT    NOT NULL,
    goods        TEXT    NOT NULL,
    granted_at   INTEGER NOT NULL -- microseconds, UTC
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
	if _, err := db.ExecContext(ctx, memberTables); err != nil {
		return nil, errors.Join(fmt.Errorf("create the shop's tables: %w", err), db.Close())
	}
	return &members{db}, nil
}

// Close closes the handle.
func (m *members) Close() error { return m.db.Close() }

// grant is the kit's OnPaid. It may be called again for the same order, after
// a crash at any moment or by another process; the order number decides.
func (m *members) grant(ctx context.Context, o wxpay.Order) error {
	bought, ok := membershipOf(o.GoodsID)
	if !ok {
		return fmt.Errorf("grant: the shop does not know what %q is", o.GoodsID)
	}
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	now := time.Now()
	done, err := tx.ExecContext(ctx, `INSERT INTO grants (out_trade_no, user, goods, granted_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		o.OutTradeNo, o.UserID, o.GoodsID, now.UnixMicro())
	if err != nil {
		return err
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 0 {
		return err // granted before
	}
	until := now
	if old, err := vipUntil(ctx, tx, o.UserID); err != nil {
		return err
	} else if old.After(now) {
		until = old
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO members (user, vip_until) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET vip_until = excluded.vip_until`,
		o.UserID, until.AddDate(0, bought.Months, 0).UnixMicro())
	if err != nil {
		return err
	}
	return tx.Commit()
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// vipUntil is the zero time for somebody who never was a member.
func vipUntil(ctx context.Context, q querier, user string) (time.Time, error) {
	var until int64
	err := q.QueryRowContext(ctx, `SELECT vip_until FROM members WHERE user = ?`, user).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMicro(until), err
}

// grant is a membership that somebody was given.
type grant struct {
	OutTradeNo string
	Goods      membership
	At         time.Time
}

// member is what the shop knows of somebody.
type member struct {
	VIPUntil time.Time // zero: never was a member
	Grants   []grant   // latest first
}

func (m *members) of(ctx context.Context, user string) (member, error) {
	var who member
	rows, err := m.db.QueryContext(ctx, `SELECT out_trade_no, goods, granted_at FROM grants WHERE user = ? ORDER BY granted_at DESC`, user)
	if err != nil {
		return who, err
	}
	defer rows.Close()
	for rows.Next() {
		var g grant
		var goods string
		var at int64
		if err := rows.Scan(&g.OutTradeNo, &goods, &at); err != nil {
			return who, err
		}
		g.Goods, _ = membershipOf(goods)
		g.At = time.UnixMicro(at)
		who.Grants = append(who.Grants, g)
	}
	if err := rows.Err(); err != nil {
		return who, err
	}
	who.VIPUntil, err = vipUntil(ctx, m.db, user)
	return who, err
}

// granted reports whether the order was handed over.
func (w member) granted(outTradeNo string) bool {
	for _, g := range w.Grants {
		if g.OutTradeNo == outTradeNo {
			return true
		}
	}
	return false
}
