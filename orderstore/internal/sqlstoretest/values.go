package sqlstoretest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Values tests what storetest does not ask for.
func Values(t *testing.T, s Server) {
	for name, test := range map[string]func(*testing.T, Server){
		"notes": valueNotes, "spaces": valueSpaces, "goods": valueGoods, "columns": valueColumns, "indexes": indexes,
		"interrupted": interrupted, "limits": limits,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, s) })
	}
}

// An application's error may hold anything. It must not keep its order from
// being written.
func valueNotes(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := NewOrder("tzxz_1")
	o.Events[0].Note = "a\x00b\xff\xfec😀"
	create(t, store, o)
	events, err := store.Events(t.Context(), "tzxz_1")
	if want := "a\uFFFDb\uFFFDc😀"; err != nil || len(events) != 1 || events[0].Note != want {
		t.Errorf("the events are %q (%v), want a note %q", events, err, want)
	}
}

// To some databases, a text with spaces behind it is the same text.
func valueSpaces(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := NewOrder("tzxz_1")
	o.Ref, o.GoodsID = "ref", "vip"
	o = create(t, store, o)
	if _, err := store.Get(t.Context(), "tzxz_1 "); !errors.Is(err, orderstore.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if found, err := store.Find(t.Context(), "ref "); err != nil || len(found) != 0 {
		t.Errorf("Find: %d orders, %v", len(found), err)
	}
	if events, err := store.Events(t.Context(), "tzxz_1 "); err != nil || len(events) != 0 {
		t.Errorf("Events: %d, %v", len(events), err)
	}
	o.OutTradeNo = "tzxz_1 "
	if err := store.Save(t.Context(), touched(o)); !errors.Is(err, orderstore.ErrConflict) {
		t.Errorf("Save: %v", err)
	}
	if err := store.PutGoods(t.Context(), orderstore.Goods{GoodsID: "vip", Total: 1}); err != nil {
		t.Error(err)
	}
	if _, err := store.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: "vip "}); !errors.Is(err, orderstore.ErrNoGoods) {
		t.Errorf("Quote: %v", err)
	}
	check(t, db, store, "tzxz_1", 1, 1)
}

func valueGoods(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	month := orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100}
	year := orderstore.Goods{GoodsID: "vip-year", Description: "12个月会员 😀", Total: 1<<53 + 1}
	if err := store.PutGoods(t.Context(), month, year); err != nil {
		t.Fatal(err)
	}
	month.Total = 200
	for range 2 {
		if err := store.PutGoods(t.Context(), month); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.PutGoods(t.Context(), orderstore.Goods{GoodsID: "half", Total: 1}, orderstore.Goods{}); err == nil || !strings.Contains(err.Error(), "goods_id") {
		t.Errorf("goods without an id: %v", err)
	}
	for id, want := range map[string]orderstore.Quote{
		"vip-month": {Total: 200, Description: month.Description}, "vip-year": {Total: year.Total, Description: year.Description},
	} {
		if got, err := store.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: id}); err != nil || got != want {
			t.Errorf("Quote of %s is %+v (%v), want %+v", id, got, err, want)
		}
	}
	for _, id := range []string{"", "VIP-MONTH", "vip-", "half"} {
		if q, err := store.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: id}); !errors.Is(err, orderstore.ErrNoGoods) {
			t.Errorf("Quote of %q is %+v (%v)", id, q, err)
		}
	}
}

// A back office reads the tutorials' columns, and asks the questions of the
// package comment.
func valueColumns(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := NewOrder("tzxz_1")
	o.PayStatus, o.PaidAt, o.Total = orderstore.Paid, time.Date(2025, 12, 31, 16, 0, 5, 999_999_000, time.UTC), 12345
	o.Refunds = orderstore.Refunds{
		{OutRefundNo: "refund_1", Amount: 60, Status: orderstore.RefundSuccess}, {OutRefundNo: "refund_2", Amount: 1 << 53, Status: orderstore.RefundApplying},
	}
	create(t, store, o)
	create(t, store, NewOrder("tzxz_2"))
	for _, c := range []struct{ query, want string }{
		{"SELECT out_trade_no, total, amount, pay_type, pay_status, pay_status_des, pay_time, appid FROM pay_order_record ORDER BY 1",
			"tzxz_1|12345|123.45元|0|1|支付成功|1767196805999999|wxd678efh567hg6787; tzxz_2|100|1.00元|0|0|已下单,未支付|NULL|wxd678efh567hg6787"},
		{documented(t, "SELECT out_trade_no, amount") + " WHERE pay_time IS NOT NULL", "tzxz_1|123.45元|支付成功|2026-01-01 00:00:05"},
		{documented(t, "SELECT out_trade_no, r"), "tzxz_1|refund_1|60|SUCCESS; tzxz_1|refund_2|9007199254740992|APPLYING"},
		{"SELECT seq, at, kind, note FROM pay_order_event WHERE out_trade_no = 'tzxz_1'", "1001|1772600767890123|created|"},
	} {
		if got := rows(t, db, c.query); got != c.want {
			t.Errorf("%s\nreturned %s, want %s", c.query, got, c.want)
		}
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

// Whenever a context ends, an error means that nothing was written, and nil
// that all was.
func interrupted(t *testing.T, s Server) {
	const rounds = 150
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := create(t, store, NewOrder("tzxz_1"))
	saved := 0
	for range rounds {
		ctx, cancel := context.WithTimeout(t.Context(), rand.N(8*time.Millisecond))
		err := store.Save(ctx, touched(o))
		cancel()
		switch {
		case err == nil:
			saved++
			o = o.Saved()
			o.Events = nil
		case !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, orderstore.ErrConflict):
			t.Fatalf("an interrupted Save: %v", err)
		}
		check(t, db, store, "tzxz_1", o.Version, int(o.Version))
	}
	t.Logf("%d of %d were saved", saved, rounds)
	// Nobody waits for a connection longer than his context.
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := store.Save(ctx, touched(o)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save without a connection: %v", err)
	}
}

func limits(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := NewOrder("tzxz_1")
	o.NextActionAt, o.PaidAt = epoch, epoch
	create(t, store, o)
	if due, err := store.Due(t.Context(), epoch, -1); err != nil || len(due) != 0 {
		t.Errorf("Due with limit -1: %d orders, %v", len(due), err)
	}
	if paid, err := store.Paid(t.Context(), epoch, epoch.Add(time.Second), "", -1); err != nil || len(paid) != 0 {
		t.Errorf("Paid with limit -1: %d orders, %v", len(paid), err)
	}
	// What does not fit is an error, and is not cut.
	for i, change := range []func(*orderstore.Order){
		func(o *orderstore.Order) { o.OutTradeNo = "tzxz_" + strings.Repeat("x", 32) },
		func(o *orderstore.Order) { o.Ref = strings.Repeat("r", 300) },
		func(o *orderstore.Order) { o.UserID = strings.Repeat("u", 300) },
		func(o *orderstore.Order) { o.OutTradeNo += " " },
	} {
		o := NewOrder(fmt.Sprint("tzxz_long_", i))
		change(&o)
		err := store.Create(t.Context(), o)
		if errors.Is(err, orderstore.ErrExists) {
			t.Errorf("change %d: %v", i, err)
		}
		if err == nil && get(t, store, o.OutTradeNo).Ref != o.Ref {
			t.Errorf("change %d: the order was cut", i)
		}
	}
}
