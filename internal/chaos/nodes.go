package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// compare reads the books through each of the nodes, which must all have the
// same: also the one that was away. The shops go on working meanwhile, so what
// differs is looked at again.
func (b *books) compare(ctx context.Context) []audit.Violation {
	var sums []string
	for range 10 {
		sums = nil
		for _, dsn := range b.db.names {
			sums = append(sums, sumOf(ctx, dsn))
		}
		if agreed(sums) {
			return nil
		}
		pause(ctx, time.Second)
	}
	return []audit.Violation{{Rule: audit.NodesDisagree, Detail: strings.Join(sums, "; ")}}
}

func agreed(sums []string) bool {
	for _, s := range sums {
		if s != sums[0] || strings.HasPrefix(s, "unread") {
			return false
		}
	}
	return true
}

// sumOf is short for all that a node holds.
func sumOf(ctx context.Context, dsn string) string {
	db, err := openServer(dsn)
	if err != nil {
		return "unread: " + err.Error()
	}
	defer db.Close()
	var orders, paid, versions, refunded, events, grants, members string
	err = errors.Join(
		db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(pay_status), 0), coalesce(sum(version), 0), coalesce(sum(refunded), 0) FROM pay_order_record`).
			Scan(&orders, &paid, &versions, &refunded),
		db.QueryRowContext(ctx, `SELECT count(*) FROM pay_order_event`).Scan(&events),
		db.QueryRowContext(ctx, `SELECT count(*) FROM grants`).Scan(&grants),
		db.QueryRowContext(ctx, `SELECT coalesce(sum(vip_until), 0) FROM members`).Scan(&members))
	if err != nil {
		return "unread: " + err.Error()
	}
	return fmt.Sprintf("%s orders of status %s, version %s, refunded %s, %s events, %s grants until %s", orders, paid, versions, refunded, events, grants, members)
}
