package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wxpaykit/wxpay"
)

// members are the shop's own tables, in the database that has the orders. The
// row of a grant says that the order with this number was handed over, or taken
// back, or both; whatever comes with it is written in the same transaction.
// That is all it takes for "at least once" to become "once".
type members struct {
	db *sql.DB
	dialect
	close func() error // what else was opened with db; nil for nothing
}

// Close closes the database.
func (m *members) Close() error {
	err := m.db.Close()
	if m.close != nil {
		err = errors.Join(err, m.close())
	}
	return err
}

// given says when a membership was given and taken back, in microseconds; 0 is
// never.
type given struct{ grantedAt, revokedAt int64 }

// grant is the kit's OnPaid. It may be called again for the same order, after
// a crash at any moment or by another process; the order number decides. An
// order whose money went back before it got here has its row already.
func (m *members) grant(ctx context.Context, o wxpay.Order) error {
	if _, ok := membershipOf(o.GoodsID); !ok {
		return fmt.Errorf("grant: the shop does not know what %q is", o.GoodsID)
	}
	return m.once(ctx, o, func(g given, now int64) given {
		if g == (given{}) {
			g.grantedAt = now
		}
		return g
	})
}

// revoke is the kit's OnRefunded, with the same promise as grant. A membership
// goes when all of its price is back; for a part of it nothing is taken. The
// refund may get here before the order does, or while grant is at it: then
// its row is what grant finds, and nothing is given any more.
func (m *members) revoke(ctx context.Context, o wxpay.Order, _ wxpay.Refund) error {
	if o.Refunded < o.Total {
		return nil
	}
	return m.once(ctx, o, func(g given, now int64) given {
		if g.revokedAt == 0 {
			g.revokedAt = now
		}
		return g
	})
}

// mostTries is how often a change is tried that the database gives up for
// another one's sake. The kit would call again, but later.
const mostTries = 20

// once changes what was given for an order. What changes nothing was done
// before.
func (m *members) once(ctx context.Context, o wxpay.Order, change func(g given, now int64) given) error {
	for try := 1; ; try++ {
		err := m.try(ctx, o, change)
		if err == nil || !gaveUp(err) || try == mostTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(time.Duration(try) * 10 * time.Millisecond)):
		}
	}
}

func (m *members) try(ctx context.Context, o wxpay.Order, change func(g given, now int64) given) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	if _, err := tx.ExecContext(ctx, m.sql(m.hold), o.UserID); err != nil {
		return err
	}
	var was given
	err = tx.QueryRowContext(ctx, m.sql(`SELECT granted_at, coalesce(revoked_at, 0) FROM grants WHERE out_trade_no = ?`), o.OutTradeNo).
		Scan(&was.grantedAt, &was.revokedAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	is := change(was, time.Now().UnixMicro())
	if is == was {
		return nil
	}
	if err := m.write(ctx, tx, o, was, is); err != nil {
		return err
	}
	if err := m.addUp(ctx, tx, o.UserID); err != nil {
		return err
	}
	return tx.Commit()
}

func (m *members) write(ctx context.Context, tx *sql.Tx, o wxpay.Order, was, is given) error {
	revoked := sql.NullInt64{Int64: is.revokedAt, Valid: is.revokedAt > 0}
	if was != (given{}) {
		_, err := tx.ExecContext(ctx, m.sql(`UPDATE grants SET revoked_at = ? WHERE out_trade_no = ?`), revoked, o.OutTradeNo)
		return err
	}
	_, err := tx.ExecContext(ctx, m.sql(`INSERT INTO grants (out_trade_no, user_id, goods, granted_at, revoked_at) VALUES (?, ?, ?, ?, ?)`),
		o.OutTradeNo, o.UserID, o.GoodsID, is.grantedAt, revoked)
	return err
}

// addUp writes how long somebody is a member. One membership follows the other,
// and one that was taken back counts as if it had never been bought: the months
// that other orders paid for stay, whichever order is refunded.
func (m *members) addUp(ctx context.Context, tx *sql.Tx, user string) error {
	grants, err := m.grantsOf(ctx, tx, user)
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
	_, err = tx.ExecContext(ctx, m.sql(`UPDATE members SET vip_until = ? WHERE user_id = ?`), until.UnixMicro(), user)
	return err
}
