package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (o orderstore.Order, err error) {
	err = s.sql.Load(ctx, s.reading(), outTradeNo, &o)
	return o, err
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return s.sql.Due(ctx, s.reading(), now, limit)
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return s.sql.Find(ctx, s.reading(), ref)
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	return s.sql.Paid(ctx, s.reading(), from, to, after, limit)
}

// Events returns the order's history; see [orderstore.Store]. That of an
// unknown number is empty.
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	return s.sql.Events(ctx, s.reading(), outTradeNo)
}

// Quote prices goods by their GoodsID, from the table goods_info; it returns
// [orderstore.ErrNoGoods]. It fits Options.Quote of the kit.
func (s *Store) Quote(ctx context.Context, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	return s.sql.Quote(ctx, s.reading(), r)
}

// reading runs statements on the readers.
func (s *Store) reading() sqlstore.Reader { return reader{s.readers} }

// reader runs each statement on a connection that is free, and there as direct
// does on the writer's.
type reader struct{ db *sql.DB }

// Query runs a statement, unless ctx is over. A long list ends when ctx does.
func (r reader) Query(ctx context.Context, text string, args []any, next func() []any) error {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		q, ok := raw.(querier)
		if !ok {
			return fmt.Errorf("a reader is a %T", raw)
		}
		return q.query(text, args, func(row []driver.Value) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return putAll(row, next())
		})
	})
}
