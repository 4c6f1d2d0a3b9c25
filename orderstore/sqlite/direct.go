package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/wxpaykit/wxpay/orderstore"
)

// direct runs statements on the writer's connection without package
// database/sql, which takes as long for the few small ones that a payment is as
// SQLite itself does. No context interrupts a statement; see writerConn.
type direct struct{ conn *sql.Conn }

// runner is the writer's connection. The text of a statement is prepared once.
type runner interface {
	querier
	exec(text string, args []any) (changed int64, err error)
}

// querier is any connection, which reads.
type querier interface {
	query(text string, args []any, row func([]driver.Value) error) error
}

// Exec runs a statement that writes, unless ctx is over.
func (d direct) Exec(ctx context.Context, text string, args []any) (changed int64, err error) {
	err = d.run(ctx, func(r runner) (err error) {
		changed, err = r.exec(text, args)
		return err
	})
	return changed, err
}

// Query runs a statement that reads, unless ctx is over.
func (d direct) Query(ctx context.Context, text string, args []any, next func() []any) error {
	return d.run(ctx, func(r runner) error {
		return r.query(text, args, func(row []driver.Value) error { return putAll(row, next()) })
	})
}

func (d direct) run(ctx context.Context, do func(runner) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.conn.Raw(func(raw any) error {
		r, ok := raw.(runner)
		if !ok {
			return fmt.Errorf("the writer is a %T", raw)
		}
		return do(r)
	})
}

// putAll puts what SQLite returned for a row into its places.
func putAll(row []driver.Value, places []any) error {
	for i, place := range places {
		if err := put(row[i], place); err != nil {
			return err
		}
	}
	return nil
}

// put puts what SQLite returned for a column into its place. The table is
// strict, so it is what was written. The kinds of places that an order has most of
// come first.
func put(value driver.Value, place any) error {
	switch place := place.(type) {
	case *string:
		if text, ok := value.(string); ok {
			*place = text
			return nil
		}
	case *int64:
		if n, ok := value.(int64); ok {
			*place = n
			return nil
		}
	case *orderstore.Fen:
		if n, ok := value.(int64); ok {
			*place = orderstore.Fen(n)
			return nil
		}
	case sql.Scanner:
		return place.Scan(value)
	}
	switch v := reflect.ValueOf(place).Elem(); value := value.(type) {
	case string:
		if v.Kind() == reflect.String {
			v.SetString(value)
			return nil
		}
	case int64:
		if v.CanInt() && !v.OverflowInt(value) {
			v.SetInt(value)
			return nil
		}
	}
	return fmt.Errorf("a column holds a %T that does not fit a %T", value, place)
}
