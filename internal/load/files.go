package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// The databases, each with all orders, that every turn begins with a copy of.
const (
	kitFile   = "kit.db"
	naiveFile = "naive.db"
)

// order is the i-th, whose customer has been sent to pay.
func order(i int, at time.Time) (orderstore.Order, error) {
	o := orderstore.Order{
		OutTradeNo: number(i), UserID: user(i), GoodsID: "vip-month", Description: "1个月会员",
		Total: price, Currency: orderstore.CNY, Product: orderstore.JSAPI, MchID: mchID, AppID: appID,
		OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", DeviceIP: "203.0.113.7", ExpiresAt: at.Add(time.Hour),
		PrepayRequest: fmt.Sprintf(`{"appid":"%s","mchid":"%s","description":"1个月会员","out_trade_no":"%s","time_expire":"2026-01-01T10:00:00+08:00",`+
			`"notify_url":"https://shop.example.com/pay/notify","amount":{"total":%d,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}`,
			appID, mchID, number(i), price),
	}
	return o.Opened(at, 10*time.Second).Prepaid(orderstore.Credential{PrepayID: "wx201410272009395522657a690389285100"}, at)
}

// user is who ordered the i-th.
func user(i int) string { return fmt.Sprintf("user_%07d", i) }

// fillKit creates the orders in a store, many at a time.
func fillKit(ctx context.Context, store orderstore.Store, n int, at time.Time) error {
	const writers = 64
	errs := make([]error, writers)
	var filling sync.WaitGroup
	for w := range writers {
		filling.Go(func() {
			for i := w; i < n && errs[w] == nil; i += writers {
				var o orderstore.Order
				if o, errs[w] = order(i, at); errs[w] == nil {
					errs[w] = store.Create(ctx, o)
				}
			}
		})
	}
	filling.Wait()
	return errors.Join(errs...)
}

// fillFile makes the database of the kit in dir.
func fillFile(ctx context.Context, dir string, n int, at time.Time) error {
	store, err := sqlite.Open(filepath.Join(dir, kitFile))
	if err != nil {
		return err
	}
	return errors.Join(fillKit(ctx, store, n, at), store.Close())
}

// fillFiles makes the databases in dir.
func fillFiles(ctx context.Context, dir string, n int, at time.Time) error {
	if err := fillFile(ctx, dir, n, at); err != nil {
		return err
	}
	db, err := openNaive(filepath.Join(dir, naiveFile))
	if err != nil {
		return err
	}
	return errors.Join(fillNaive(ctx, db, n), db.Close())
}

func fillNaive(ctx context.Context, db *sql.DB, n int) error {
	if _, err := db.ExecContext(ctx, naiveSchema); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO pay_order_record (user_id, goods_id, out_trade_no, total, amount, currency, pay_type, pay_status,
		pay_status_des, mchid, appid, device_ip, prepay_id, trade_no, pay_time, description)
		VALUES (?, 'vip-month', ?, ?, '1.00元', 'CNY', 0, 0, '未支付', ?, ?, '203.0.113.7', 'wx201410272009395522657a690389285100', '', '', '1个月会员')`)
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := insert.ExecContext(ctx, user(i), number(i), price, mchID, appID); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// copyFiles copies what a server is given into dir.
func copyFiles(dir, from string) error { return copyInto(dir, from, kitFile, naiveFile, accountFile) }

func copyInto(dir, from string, names ...string) error {
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
