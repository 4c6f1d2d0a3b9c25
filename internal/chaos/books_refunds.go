package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// refundList is the column of an order's refunds, as far as it is looked at.
type refundList []struct {
	OutRefundNo  string `json:"out_refund_no"`
	Refund       int64  `json:"refund"`
	Status       string `json:"status"`
	HandedOverAt string `json:"handed_over_at"`
}

// Scan reads JSON text; the empty text is no refunds.
func (list *refundList) Scan(src any) error {
	switch text := src.(type) {
	case string: // SQLite and PostgreSQL
		return list.read([]byte(text))
	case []byte: // MySQL
		return list.read(text)
	}
	return fmt.Errorf("refunds are %T, not text", src)
}

func (list *refundList) read(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, list)
}

func (list refundList) of(no string) (found []audit.Refund) {
	for _, r := range list {
		found = append(found, audit.Refund{OutRefundNo: r.OutRefundNo, OutTradeNo: no, Fen: r.Refund, Status: r.Status, HandedOver: r.HandedOverAt != ""})
	}
	return found
}

// readRefundHandOvers counts what the history says of the refunds. Its notes
// begin with "refund NUMBER of".
func readRefundHandOvers(ctx context.Context, tx *sql.Tx, l *audit.Ledgers) error {
	n := map[string]int{}
	err := each(ctx, tx, `SELECT note FROM pay_order_event WHERE kind = 'refund_handed_over'`, func(scan func(...any) error) error {
		var note string
		err := scan(&note)
		if words := strings.Fields(note); len(words) > 1 {
			n[words[1]]++
		}
		return err
	})
	for i := range l.RefundsHere {
		l.RefundsHere[i].HandOvers = n[l.RefundsHere[i].OutRefundNo]
	}
	return err
}

// holds reports whether the table holds what a notification said, or what can
// come of it later.
func (b *books) holds(n notice) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var paid bool
	var list refundList
	err := b.db.QueryRowContext(ctx, b.db.sql(`SELECT pay_status = 1, refunds FROM pay_order_record WHERE out_trade_no = ?`), n.OutTradeNo).Scan(&paid, &list)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil || n.OutRefundNo == "":
		return paid, err
	}
	for _, r := range list {
		if r.OutRefundNo == n.OutRefundNo {
			return r.Status == n.RefundStatus || r.Status == "SUCCESS" || r.Status == "CLOSED" && n.RefundStatus == "ABNORMAL", nil
		}
	}
	return false, nil
}
