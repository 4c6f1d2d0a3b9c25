//go:build cgo

package sqlite_test

import (
	"context"
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
