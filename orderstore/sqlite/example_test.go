//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "pay.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	ctx := context.Background()
	order := orderstore.Order{
		OutTradeNo: "tzxz_3cca32f4bb_1", UserID: "3cca32f4bb", Total: 100, Currency: orderstore.CNY,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	fmt.Println(store.Create(ctx, order), errors.Is(store.Create(ctx, order), orderstore.ErrExists))
	order, err = store.Get(ctx, order.OutTradeNo)
	fmt.Println(order.Version, order.Total, err)
	// Output:
	// <nil> true
	// 1 1.00元 <nil>
}

// A membership is granted in the transaction that marks its order paid: there
// is no moment at which one is stored and the other is not.
func ExampleOpenWith() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pay.db")
	store, err := sqlite.OpenWith(path, sqlite.Options{
		OnPaidTx: func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO membership (user_id, months) VALUES (?, 1)
				ON CONFLICT (user_id) DO UPDATE SET months = months + 1`, o.UserID)
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	app, err := sql.Open("sqlite3", path) // the application's own handle of the file
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	if _, err := app.Exec("CREATE TABLE membership (user_id TEXT PRIMARY KEY, months INTEGER)"); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	order := orderstore.Order{
		OutTradeNo: "tzxz_3cca32f4bb_1", UserID: "3cca32f4bb", Total: 100, Currency: orderstore.CNY,
		MchID: "1900000001", AppID: "wxd678efh567hg6787", CreatedAt: now,
	}
	if err := store.Create(ctx, order); err != nil {
		log.Fatal(err)
	}
	for range 2 { // WeChat may say it more than once
		order, err = orderstore.Update(ctx, store, order.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
			next, _, err := o.Apply(orderstore.Payment{
				OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
				TransactionID: "1217752501201407033233368018", Total: 100, Currency: orderstore.CNY,
			}, now)
			return next, err == nil && next.Changed(o)
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	var months int
	err = app.QueryRow("SELECT months FROM membership WHERE user_id = ?", order.UserID).Scan(&months)
	fmt.Println(order.PayStatus, months, err)
	fmt.Println("to be handed over:", order.ToHandOver())
	// Output:
	// 支付成功 1 <nil>
	// to be handed over: false
}

func ExampleStore_Quote() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "pay.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	ctx := context.Background()
	err = store.PutGoods(ctx, orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100})
	fmt.Println(err)
	fmt.Println(store.Quote(ctx, orderstore.QuoteRequest{GoodsID: "vip-month"}))
	_, err = store.Quote(ctx, orderstore.QuoteRequest{GoodsID: "vip-day"})
	fmt.Println(errors.Is(err, orderstore.ErrNoGoods))
	// Output:
	// <nil>
	// {1.00元 1个月会员   0} <nil>
	// true
}

func ExampleStore_PutGoods() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "pay.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	fmt.Println(store.PutGoods(context.Background(),
		orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100},
		orderstore.Goods{GoodsID: "vip-year", Description: "12个月会员", Total: 1000}))
	// Output:
	// <nil>
}
