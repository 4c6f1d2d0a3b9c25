package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// books reads the shops' tables beside the shops, and writes nothing.
type books struct{ db *database }

// read copies the shop's tables into the ledgers, all of one moment.
func (b *books) read(ctx context.Context, l *audit.Ledgers) error {
	tx, err := b.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	return errors.Join(readOrders(ctx, tx, l), readRefundHandOvers(ctx, tx, l), readGrants(ctx, tx, l))
}

func readOrders(ctx context.Context, tx *sql.Tx, l *audit.Ledgers) error {
	index := map[string]int{}
	err := each(ctx, tx, `SELECT out_trade_no, user_id, trade_no, total, refunded, pay_status, hand_over_tries, handed_over_at IS NOT NULL, refunds
		FROM pay_order_record`, func(scan func(...any) error) error {
		var o audit.Order
		var list refundList
		err := scan(&o.OutTradeNo, &o.UserID, &o.TradeNo, &o.Total, &o.Refunded, &o.PayStatus, &o.HandOverTries, &o.HandedOver, &list)
		index[o.OutTradeNo] = len(l.Here)
		l.Here = append(l.Here, o)
		l.RefundsHere = append(l.RefundsHere, list.of(o.OutTradeNo)...)
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, `SELECT out_trade_no, sum(CASE kind WHEN 'handed_over' THEN 1 ELSE 0 END),
		sum(CASE WHEN kind IN ('paid', 'paid_late') THEN 1 ELSE 0 END)
		FROM pay_order_event GROUP BY out_trade_no`, func(scan func(...any) error) error {
		var no string
		var handed, paid int
		err := scan(&no, &handed, &paid)
		if i, known := index[no]; known {
			l.Here[i].HandedOverEvents, l.Here[i].PaidEvents = handed, paid
		}
		return err
	})
}

func readGrants(ctx context.Context, tx *sql.Tx, l *audit.Ledgers) error {
	err := each(ctx, tx, `SELECT out_trade_no, user_id, goods, granted_at, revoked_at IS NOT NULL FROM grants`, func(scan func(...any) error) error {
		var g audit.Grant
		var goods string
		var at int64
		err := scan(&g.OutTradeNo, &g.User, &goods, &at, &g.Revoked)
		g.Months = months(goods)
		if at > 0 {
			g.At = time.UnixMicro(at)
		}
		l.Grants = append(l.Grants, g)
		return err
	})
	if err != nil {
		return err
	}
	l.VIPUntil = map[string]time.Time{}
	return each(ctx, tx, `SELECT user_id, vip_until FROM members WHERE vip_until > 0`, func(scan func(...any) error) error {
		var user string
		var until int64
		err := scan(&user, &until)
		l.VIPUntil[user] = time.UnixMicro(until)
		return err
	})
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls take for each row.
func each(ctx context.Context, q querier, query string, take func(scan func(...any) error) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sources counts who told the shop of its payments, or of its refunds.
func (b *books) sources(ctx context.Context, kinds string) (map[string]int, error) {
	found := map[string]int{}
	err := each(ctx, b.db, `SELECT source, count(*) FROM pay_order_event WHERE kind IN (`+kinds+`) GROUP BY source`,
		func(scan func(...any) error) error {
			var source string
			var n int
			err := scan(&source, &n)
			found[source] = n
			return err
		})
	return found, err
}

// check lets SQLite look for damage, and compares the nodes of a cluster.
func (b *books) check(ctx context.Context) []audit.Violation {
	if b.db.driver != "sqlite3" {
		return b.compare(ctx)
	}
	var says string
	if err := b.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&says); err != nil {
		says = err.Error()
	}
	if says == "ok" {
		return nil
	}
	return []audit.Violation{{Rule: audit.FileDamaged, Detail: says}}
}
