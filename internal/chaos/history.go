package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// describe prints an order's full row and its history.
func (b *books) describe(ctx context.Context, w io.Writer, no string) error {
	rows, err := b.db.QueryContext(ctx, b.db.sql(`SELECT * FROM pay_order_record WHERE out_trade_no = ?`), no)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		fmt.Fprint(w, "    row  ")
		for i, c := range columns {
			if text, ok := values[i].([]byte); ok {
				values[i] = string(text)
			}
			fmt.Fprintf(w, " %s=%v", c, values[i])
		}
		fmt.Fprintln(w)
	}
	return errors.Join(rows.Err(), b.history(ctx, w, no))
}

func (b *books) history(ctx context.Context, w io.Writer, no string) error {
	return each(ctx, b.db, b.db.sql(`SELECT seq, at, kind, source, id, note FROM pay_order_event WHERE out_trade_no = ? ORDER BY seq`),
		func(scan func(...any) error) error {
			var seq, at int64
			var kind, source, id, note string
			err := scan(&seq, &at, &kind, &source, &id, &note)
			fmt.Fprintf(w, "    %4d  %s %s %s %s %s\n", seq, time.UnixMicro(at).Format("15:04:05.000000"), kind, source, id, note)
			return err
		}, no)
}
