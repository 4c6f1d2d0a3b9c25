package main

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground/playgroundtest"
	"github.com/wxpaykit/wxpay/orderstore"
)

// TestBuy goes from the order to the payment.
func TestBuy(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "own.db"))
	playgroundtest.Buy(t, "tea", 300, func(merchant wxpay.Merchant) (http.Handler, error) {
		mux, _, err := newMux(merchant, store)
		return mux, err
	})
	var buyer, state string
	var amount int64
	if err := store.db.QueryRow("SELECT buyer_id, amount_fen, state FROM orders").Scan(&buyer, &amount, &state); err != nil {
		t.Fatal(err)
	}
	if buyer != "xiaoming" || amount != 300 || state != "paid" {
		t.Errorf("the team's own columns say %s, %d, %s", buyer, amount, state)
	}
}

// Orders that were paid in cash are in the same table. The kit sees nothing of
// them: they are on no bill of WeChat Pay's, but their numbers are taken.
func TestOrdersOfOthers(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "own.db"))
	const cash = `INSERT INTO orders (order_sn, buyer_id, title, amount_fen, state, paid_at, created_at, pays_for)
		VALUES ('20260304-0001', 'xiaoming', '一杯茶', 300, 'paid', 1, 1, 'basket-1')`
	if _, err := store.db.Exec(cash); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	o := orderstore.Order{OutTradeNo: "20260304-0001", UserID: "xiaoming", Total: 300}
	if err := store.Create(ctx, o); !errors.Is(err, orderstore.ErrExists) {
		t.Errorf("Create: %v", err)
	}
	if err := store.Save(ctx, o); !errors.Is(err, orderstore.ErrConflict) {
		t.Errorf("Save: %v", err)
	}
	if _, err := store.Get(ctx, o.OutTradeNo); !errors.Is(err, orderstore.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if paid, err := store.Paid(ctx, time.Time{}, time.Now(), "", 10); err != nil || len(paid) != 0 {
		t.Errorf("Paid: %d orders, %v", len(paid), err)
	}
	if found, err := store.Find(ctx, "basket-1"); err != nil || len(found) != 0 {
		t.Errorf("Find: %d orders, %v", len(found), err)
	}
}
