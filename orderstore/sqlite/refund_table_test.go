//go:build cgo

package sqlite_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// What a back office asks of refunds, in plain SQL.
func TestRefundColumns(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, db := open(t, path), plain(t, path)
	create(t, s, newOrder("tzxz_none"))
	o := newOrder("tzxz_some")
	o.Total = 1 << 54
	o = paid(t, create(t, s, o))
	for i, amount := range []orderstore.Fen{60, 1 << 53} {
		var err error
		o, err = o.BeginRefund(orderstore.Refund{
			OutRefundNo: fmt.Sprint("refund_", i+1), Amount: amount, Reason: "不想要了 \"🎫\"",
		}, epoch.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
	}
	o, outcome, err := o.ApplyRefundResult(orderstore.RefundResult{
		OutTradeNo: o.OutTradeNo, OutRefundNo: "refund_1", RefundID: "5030000001", Status: orderstore.RefundSuccess, Refund: 60,
		RefundedAt: time.Date(2026, 3, 4, 13, 8, 9, 0, time.FixedZone("Beijing", 8*60*60)),
	}, epoch.Add(2*time.Minute))
	if err != nil || outcome != orderstore.RefundSucceeded {
		t.Fatalf("%q, %v", outcome, err)
	}
	o.RefPaidBy = "tzxz_some"
	save(t, s, o)
	compareRow(t, db, "tzxz_none", map[string]any{
		"refunds": "", "refund_status": "", "refunded": int64(0), "given_back": "", "ref_paid_by": "", "hand_over_at": nil,
	})
	compareRow(t, db, "tzxz_some", map[string]any{
		"refund_status": "APPLYING", "refunded": int64(60), "given_back": "", "ref_paid_by": "tzxz_some",
		"hand_over_at": int64(1772600769890123), "next_action_at": int64(1772600769890123),
		"json_valid(refunds)": int64(1), "json_array_length(refunds)": int64(2),
		"refunds ->> '$[0].refund_id'": "5030000001", "refunds ->> '$[1].reason'": "不想要了 \"🎫\"",
		"refunds ->> '$[1].refund'": int64(1 << 53), "refunds ->> '$[1].refunded_at'": nil,
		"datetime(refunds ->> '$[0].refunded_at', '+8 hours')": "2026-03-04 13:08:09",
	})
	given := save(t, s, givenBack(t, create(t, s, newOrder("tzxz_given"))))
	compareRow(t, db, given.OutTradeNo, map[string]any{"given_back": "late_payment", "hand_over_at": nil, "refund_status": "APPLYING"})

	// The query of the package comment.
	rows, err := db.Query(documented(t, "SELECT out_trade_no, r.value"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var number, refund, status string
		var amount int64
		if err := rows.Scan(&number, &refund, &amount, &status); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(number, " ", refund, " ", amount, " ", status))
	}
	const want = "tzxz_some refund_1 60 SUCCESS; tzxz_some refund_2 9007199254740992 APPLYING; tzxz_given refund_1 100 APPLYING"
	if err := rows.Err(); err != nil || strings.Join(got, "; ") != want {
		t.Errorf("the refunds are %v (%v), want %s", got, err, want)
	}
	var sum int64
	err = db.QueryRow(`SELECT sum(r.value ->> 'refund') FROM pay_order_record, json_each(nullif(refunds, '')) AS r
		WHERE r.value ->> 'status' = 'SUCCESS'`).Scan(&sum)
	if err != nil || sum != 60 {
		t.Errorf("%d fen went back, says SQL (%v)", sum, err)
	}
}

// documented returns the query of the package comment that begins so.
func documented(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, query, ok := strings.Cut(string(text), "//\t"+begins)
	query, _, end := strings.Cut(query, "//\n")
	if !ok || !end {
		t.Fatalf("the package comment has no query that begins with %q", begins)
	}
	return begins + strings.ReplaceAll(query, "//\t", "")
}
