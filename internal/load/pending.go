package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// pending is a file of orders that nobody has paid yet: some are due, the others
// have appointments from one to three hours after at.
type pending struct {
	size, due int
	at        time.Time
}

// fillChunk is how many orders one transaction adds.
const fillChunk = 100_000

// fill makes the database of the kit in dir. The first order goes through the
// store; the others are copies of it, for which it is too slow. They have no
// history.
func (p pending) fill(ctx context.Context, dir string) (err error) {
	path := filepath.Join(dir, kitFile)
	store, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	o, err := order(0, p.at)
	if err == nil {
		o.ExpiresAt = p.at.Add(4 * time.Hour)
		o.NextActionAt = p.appointment(0)
		err = store.Create(ctx, o)
	}
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?_synchronous=OFF&_foreign_keys=false")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for lo := 1; lo < p.size; lo += fillChunk {
		if err := p.copy(ctx, db, lo, min(lo+fillChunk, p.size)); err != nil {
			return fmt.Errorf("orders from %d on: %w", lo, err)
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// appointment is when the i-th order is to be looked at. Every one has its own.
func (p pending) appointment(i int) time.Time {
	if i < p.due {
		return p.at.Add(time.Duration(i-p.due) * time.Millisecond)
	}
	return p.at.Add(time.Hour + time.Duration(i)*2*time.Hour/time.Duration(p.size))
}

// copy adds the orders from lo to below hi.
func (p pending) copy(ctx context.Context, db *sql.DB, lo, hi int) error {
	columns, err := columnsOf(ctx, db)
	if err != nil {
		return err
	}
	appointment := fmt.Sprintf("CASE WHEN n.i < %d THEN %d + (n.i - %d) * 1000 ELSE %d + n.i * %d / %d END", p.due,
		p.at.UnixMicro(), p.due, p.at.Add(time.Hour).UnixMicro(), (2 * time.Hour).Microseconds(), p.size)
	values := make([]string, len(columns))
	for i, column := range columns {
		switch column {
		case "out_trade_no":
			values[i] = "printf('load%016d', n.i)"
		case "user_id":
			values[i] = "printf('user_%07d', n.i)"
		case "next_action_at":
			values[i] = appointment
		default:
			values[i] = "t." + column
		}
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d)
		INSERT INTO pay_order_record (%s) SELECT %s FROM n CROSS JOIN pay_order_record t WHERE t.out_trade_no = '%s'`,
		lo, hi, strings.Join(columns, ", "), strings.Join(values, ", "), number(0)))
	return err
}

func columnsOf(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM pay_order_record WHERE 1 = 0")
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
