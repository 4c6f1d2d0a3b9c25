package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
)

// statements are all the SQL of a store, prepared when it is opened: a file
// whose tables are not the ones expected is found out then, not at the first
// payment.
type statements struct {
	insertOrder, updateOrder, getStatus         *sql.Stmt // on the writer
	insertEvent, upsertGoods                    *sql.Stmt // on the writer too
	getOrder, dueOrders, findOrders, paidOrders *sql.Stmt // on the readers
	listEvents, getGoods                        *sql.Stmt // on the readers too
}

func (s *statements) prepare(ctx context.Context, writer, readers *sql.DB) error {
	for _, p := range []struct {
		db   *sql.DB
		stmt **sql.Stmt
		text string
	}{
		{writer, &s.insertOrder, insertOrderSQL()},
		{writer, &s.updateOrder, updateOrderSQL()},
		{writer, &s.getStatus, getStatusSQL()},
		{writer, &s.insertEvent, insertEventSQL()},
		{writer, &s.upsertGoods, upsertGoodsSQL()},
		{readers, &s.getOrder, getOrderSQL()},
		{readers, &s.dueOrders, dueOrdersSQL()},
		{readers, &s.findOrders, findOrdersSQL()},
		{readers, &s.paidOrders, paidOrdersSQL()},
		{readers, &s.listEvents, listEventsSQL()},
		{readers, &s.getGoods, getGoodsSQL()},
	} {
		var err error
		if *p.stmt, err = p.db.PrepareContext(ctx, p.text); err != nil {
			return fmt.Errorf("the tables are not this package's: %w", err)
		}
	}
	return nil
}

func insertOrderSQL() string {
	columns := orderColumns(new(orderstore.Order))
	return fmt.Sprintf("INSERT INTO pay_order_record (%s) VALUES (%s) ON CONFLICT (out_trade_no) DO NOTHING",
		list(columns, "%s"), list(columns, "?"))
}

// updateOrderSQL is the one conditional statement that Save is made of. It
// writes every column but the number, which finds the row.
func updateOrderSQL() string {
	columns := orderColumns(new(orderstore.Order))[1:]
	return fmt.Sprintf("UPDATE pay_order_record SET %s WHERE out_trade_no = ? AND version = ?",
		list(columns, "%s = ?"))
}

func getStatusSQL() string {
	return "SELECT pay_status FROM pay_order_record WHERE out_trade_no = ?"
}

func getOrderSQL() string { return selectOrderSQL("WHERE out_trade_no = ?") }

// dueOrdersSQL, findOrdersSQL and paidOrdersSQL have the conditions of a partial
// index each.
func dueOrdersSQL() string {
	return selectOrderSQL("WHERE next_action_at <= ? ORDER BY next_action_at LIMIT ?")
}

func findOrdersSQL() string {
	return selectOrderSQL("WHERE ref = ? AND ref <> '' ORDER BY created_at DESC, rowid DESC")
}

// paidOrdersSQL compares row values, which the index on both serves.
func paidOrdersSQL() string {
	return selectOrderSQL("WHERE (pay_time, out_trade_no) > (?, ?) AND pay_time < ? ORDER BY pay_time, out_trade_no LIMIT ?")
}

func selectOrderSQL(which string) string {
	return fmt.Sprintf("SELECT %s FROM pay_order_record %s",
		list(readable(orderColumns(new(orderstore.Order))), "%s"), which)
}

// insertEventSQL continues the order's own count. It runs under the write
// lock, so nobody else counts at the same time.
func insertEventSQL() string {
	columns := eventColumns(new(orderstore.Event))
	return fmt.Sprintf(`INSERT INTO pay_order_event (out_trade_no, seq, %s)
		SELECT ?1, coalesce(max(seq), 0) + 1, %s FROM pay_order_event WHERE out_trade_no = ?1`,
		list(columns, "%s"), list(columns, "?"))
}

func listEventsSQL() string {
	return fmt.Sprintf("SELECT %s FROM pay_order_event WHERE out_trade_no = ? ORDER BY seq",
		list(eventColumns(new(orderstore.Event)), "%s"))
}

func upsertGoodsSQL() string {
	columns := goodsColumns(new(orderstore.Goods))
	return fmt.Sprintf("INSERT INTO goods_info (%s) VALUES (%s) ON CONFLICT (goods_id) DO UPDATE SET %s",
		list(columns, "%s"), list(columns, "?"), list(columns[1:], "%s = excluded.%s"))
}

func getGoodsSQL() string {
	return fmt.Sprintf("SELECT %s FROM goods_info WHERE goods_id = ?",
		list(goodsColumns(new(orderstore.Goods)), "%s"))
}
