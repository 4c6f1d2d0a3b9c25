package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// fill adds the orders 1 to size, as copies of the templates, with the
// history of every nth of them.
func (d *database) fill(ctx context.Context, size, nth int64) error {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := run(ctx, conn, d.kind.beforeFill...); err != nil {
		return err
	}
	for lo := int64(0); lo < size; lo += d.kind.chunk {
		hi := min(lo+d.kind.chunk, size)
		orders := d.copying("pay_order_record", d.orderColumns, lo, hi, "1 = 1")
		events := d.copying("pay_order_event", d.eventColumns, lo, hi, fmt.Sprintf("n.i %% %d = 0", nth))
		if err := run(ctx, conn, "BEGIN", orders, events, "COMMIT"); err != nil {
			return fmt.Errorf("orders %d to %d: %w", lo+1, hi, err)
		}
	}
	return run(ctx, conn, d.kind.afterFill...)
}

// copying is the statement that adds rows lo+1 to hi to a table.
func (d *database) copying(table string, columns []string, lo, hi int64, which string) string {
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = d.value(column)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s %s scale_%s t WHERE t.out_trade_no = %s AND %s",
		table, strings.Join(columns, ", "), strings.Join(values, ", "), d.kind.numbers(lo+1, hi), d.kind.join, table,
		d.kind.concat("'0000_template_'", d.kind.text(slotSQL)), which)
}

// value is what a row of order n.i has in a column: what tells orders apart, and
// otherwise what the template t has.
func (d *database) value(column string) string {
	created := fmt.Sprintf("%d + n.i * 1000000", epoch.UnixMicro())
	digits := d.kind.text(fmt.Sprintf("%d + n.i", int64(firstNumber)))
	switch column {
	case "out_trade_no":
		return d.kind.concat(digits, "'"+suffix+"'")
	case "trade_no":
		return fmt.Sprintf("CASE WHEN t.trade_no = '' THEN '' ELSE %s END", d.kind.concat("'42000000000'", digits))
	case "ref":
		return fmt.Sprintf("CASE WHEN t.ref = '' THEN '' ELSE %s END", d.kind.concat("'ref_'", digits))
	case "created_at":
		return created
	case "pay_time":
		return fmt.Sprintf("CASE WHEN t.pay_time IS NULL THEN NULL ELSE %s + 30000000 END", created)
	}
	return "t." + column
}

// prepare sets the templates apart, so that copying reads a small table, and
// learns which columns there are.
func (d *database) prepare(ctx context.Context) (err error) {
	for _, table := range []string{"pay_order_record", "pay_order_event"} {
		err := run(ctx, d.db, fmt.Sprintf("CREATE TABLE scale_%s AS SELECT * FROM %s", table, table),
			fmt.Sprintf("CREATE INDEX scale_%s_number ON scale_%s (out_trade_no)", table, table))
		if err != nil {
			return err
		}
	}
	if d.orderColumns, err = columnsOf(ctx, d.db, "pay_order_record"); err != nil {
		return err
	}
	d.eventColumns, err = columnsOf(ctx, d.db, "pay_order_event")
	return err
}

// columnsOf are the names of a table's columns.
func columnsOf(ctx context.Context, db *sql.DB, table string) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	return columns, rows.Err()
}

// execer is a database or one connection to it.
type execer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

func run(ctx context.Context, db execer, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.200s: %w", statement, err)
		}
	}
	return nil
}
