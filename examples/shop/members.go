package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// member is what the shop knows of somebody.
type member struct {
	VIPUntil time.Time // zero: never was a member
	Grants   []grant   // latest first
}

// grant is a membership that somebody was given.
type grant struct {
	OutTradeNo string
	Goods      membership
	At         time.Time
	RevokedAt  time.Time // zero: it stays
}

// Revoked reports whether it was taken back, because the money was given back.
func (g grant) Revoked() bool { return !g.RevokedAt.IsZero() }

func (m *members) of(ctx context.Context, user string) (member, error) {
	grants, err := m.grantsOf(ctx, m.db, user)
	if err != nil {
		return member{}, err
	}
	until, err := m.vipUntil(ctx, user)
	return member{until, grants}, err
}

// grantOf is what the order brought, be it taken back or not.
func (w member) grantOf(outTradeNo string) (grant, bool) {
	for _, g := range w.Grants {
		if g.OutTradeNo == outTradeNo {
			return g, true
		}
	}
	return grant{}, false
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// grantsOf are all that somebody was ever given, latest first.
func (m *members) grantsOf(ctx context.Context, q querier, user string) ([]grant, error) {
	rows, err := q.QueryContext(ctx, m.sql(`SELECT out_trade_no, goods, granted_at, revoked_at FROM grants
		WHERE user_id = ? AND granted_at > 0 ORDER BY granted_at DESC, out_trade_no`), user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var grants []grant
	for rows.Next() {
		var g grant
		var goods string
		var at int64
		var revoked sql.NullInt64
		if err := rows.Scan(&g.OutTradeNo, &goods, &at, &revoked); err != nil {
			return nil, err
		}
		known := false
		if g.Goods, known = membershipOf(goods); !known {
			return nil, fmt.Errorf("order %s: the shop does not know what %q is", g.OutTradeNo, goods)
		}
		g.At = time.UnixMicro(at)
		if revoked.Valid {
			g.RevokedAt = time.UnixMicro(revoked.Int64)
		}
		grants = append(grants, g)
	}
	return grants, rows.Err()
}

// vipUntil is the zero time for somebody who never was a member.
func (m *members) vipUntil(ctx context.Context, user string) (time.Time, error) {
	var until int64
	err := m.db.QueryRowContext(ctx, m.sql(`SELECT vip_until FROM members WHERE user_id = ?`), user).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) || err == nil && until == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(until), err
}
