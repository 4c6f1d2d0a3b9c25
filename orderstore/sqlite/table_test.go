//go:build cgo

package sqlite_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// What a back office reads: the tutorials' columns by the tutorials' names,
// through plain SQL.
func TestTutorialColumns(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, db := open(t, path), plain(t, path)
	o := newOrder("tzxz_3cca32f4bb_1623846752103")
	o.AppName, o.AppChannel, o.Device, o.DeviceIP = "Bmob 后端云 App", "master", "小米 18 pro", "203.0.113.7"
	o.Platform, o.OrderNumber = 1, 3
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"out_trade_no": "tzxz_3cca32f4bb_1623846752103", "user_id": "3cca32f4bb", "goods_id": "vip-month",
		"total": int64(100), "amount": "1.00元", "pay_type": int64(0), "pay_status": int64(0),
		"pay_status_des": "已下单,未支付", "appid": "wxd678efh567hg6787", "device_ip": "203.0.113.7",
		"prepay_id": "", "trade_no": "", "pay_time": nil, "app_name": "Bmob 后端云 App", "app_channel": "master",
		"device": "小米 18 pro", "platform": int64(1), "order_number": int64(3), "description": "1个月会员",
	}
	compareRow(t, db, o.OutTradeNo, want)

	o = o.Saved()
	o, err := o.Prepaid(orderstore.Credential{PrepayID: "wx201410272009395522657a640800"}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err = o.Apply(orderstore.Payment{
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: "1217752501201407033233368018", Total: 100, PayerTotal: 90, Currency: orderstore.CNY,
		PaidAt: time.Date(2026, 1, 1, 0, 0, 5, 0, time.FixedZone("Beijing", 8*60*60)),
	}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want["pay_status"], want["pay_status_des"] = int64(1), "支付成功"
	want["prepay_id"], want["trade_no"] = "wx201410272009395522657a640800", "1217752501201407033233368018"
	want["pay_time"] = int64(1767196805000000)
	compareRow(t, db, o.OutTradeNo, want)

	o = o.Saved()
	o.Total, o.PayStatus = 12345, orderstore.Closed
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	compareRow(t, db, o.OutTradeNo, map[string]any{"amount": "123.45元", "pay_status_des": "订单已关闭"})
}

func compareRow(t *testing.T, db *sql.DB, number string, want map[string]any) {
	t.Helper()
	for column, value := range want {
		var got any
		if err := db.QueryRow("SELECT "+column+" FROM pay_order_record WHERE out_trade_no = ?", number).Scan(&got); err != nil {
			t.Errorf("column %s: %v", column, err)
		} else if got != value {
			t.Errorf("column %s has %#v, want %#v", column, got, value)
		}
	}
}

// The expression of the package comment prints pay_time as the tutorials do.
func TestPayTimePrintsInBeijing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, db := open(t, path), plain(t, path)
	o := newOrder("tzxz_1")
	o.PaidAt = time.Date(2025, 12, 31, 16, 0, 5, 999_999_000, time.UTC)
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var paid string
	err := db.QueryRow("SELECT datetime(pay_time / 1000000, 'unixepoch', '+8 hours') FROM pay_order_record").Scan(&paid)
	if want := "2026-01-01 00:00:05"; err != nil || paid != want {
		t.Errorf("pay_time prints as %q (%v), want %q", paid, err, want)
	}
}

func TestEventTable(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, db := open(t, path), plain(t, path)
	for _, number := range []string{"tzxz_a", "tzxz_b"} {
		if err := s.Create(t.Context(), newOrder(number)); err != nil {
			t.Fatal(err)
		}
		o := newOrder(number).Saved()
		o.Events = []orderstore.Event{
			{At: epoch, Kind: orderstore.EventPaid, Source: orderstore.FromNotification, ID: "EV-1", Serial: "5157F09E", Note: "one"},
			{At: epoch, Kind: orderstore.EventHandedOver, Note: "two"},
		}
		if err := s.Save(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.Query("SELECT seq, at, kind, source, id, serial, note FROM pay_order_event WHERE out_trade_no = 'tzxz_b' ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got string
	for rows.Next() {
		var seq, at int64
		var kind, source, id, serial, note string
		if err := rows.Scan(&seq, &at, &kind, &source, &id, &serial, &note); err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintf("%d %d %s|%s|%s|%s|%s\n", seq, at, kind, source, id, serial, note)
	}
	const want = "1001 1772600767890123 created||||\n" +
		"2001 1772600767890123 paid|notification|EV-1|5157F09E|one\n" +
		"2002 1772600767890123 handed_over||||two\n"
	if got != want {
		t.Errorf("the table has\n%swant\n%s", got, want)
	}
}
