package sqlstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Get returns the order with that number; see [orderstore.Store].
func (s *Statements) Get(ctx context.Context, db Reader, outTradeNo string) (o orderstore.Order, err error) {
	err = s.Load(ctx, db, outTradeNo, &o)
	return o, err
}

// Load is Get to a place of the caller's: an order is large, and each function that
// it goes through by value has two of them on the stack. After an error it is as it
// was.
func (s *Statements) Load(ctx context.Context, db Reader, outTradeNo string, o *orderstore.Order) error {
	row := orderRows.Get().(*orderRow)
	defer orderRows.Put(row)
	row.order = order{} // nothing of the one before, which a failure may leave there
	found, err := one(ctx, db, s.getOrder, []any{outTradeNo}, row.places...)
	switch {
	case err != nil:
		return Cause(ctx, "get order", err)
	case !found, row.order.OutTradeNo != outTradeNo:
		return orderstore.ErrNotFound
	}
	*o = row.order
	return nil
}

// orderRow is where a row goes on its way to an order. It is used again, with the
// places, which take as much memory as the order.
type orderRow struct {
	order  order
	places []any
}

var orderRows = sync.Pool{New: func() any {
	row := new(orderRow)
	row.places = places(readableOrder, &row.order)
	return row
}}

// Due returns the orders somebody must look at now; see [orderstore.Store].
func (s *Statements) Due(ctx context.Context, db Reader, now time.Time, limit int) ([]orderstore.Order, error) {
	// A negative limit is none to SQLite, and an error to others.
	return all(ctx, "due orders", db, readableOrder, s.dueOrders, now.UnixMicro(), max(limit, 0))
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store].
func (s *Statements) Find(ctx context.Context, db Reader, ref string) ([]orderstore.Order, error) {
	found, err := all(ctx, "find orders", db, readableOrder, s.findOrders, ref)
	return slices.DeleteFunc(found, func(o orderstore.Order) bool { return o.Ref != ref }), err
}

// Paid returns the orders paid in a span of time; see [orderstore.Store].
func (s *Statements) Paid(ctx context.Context, db Reader, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	// The zero time is a time like any other here, long ago.
	begin := from.UnixMicro()
	return all(ctx, "paid orders", db, readableOrder, s.paidOrders, begin, to.UnixMicro(), begin, after, max(limit, 0))
}

// Events returns the order's history; see [orderstore.Store].
func (s *Statements) Events(ctx context.Context, db Reader, outTradeNo string) ([]orderstore.Event, error) {
	if s.padded(outTradeNo) {
		return nil, ctx.Err()
	}
	return all(ctx, "list events", db, eventColumns, s.listEvents, outTradeNo)
}

// Quote prices goods by their GoodsID.
func (s *Statements) Quote(ctx context.Context, db Reader, r orderstore.QuoteRequest) (orderstore.Quote, error) {
	var g orderstore.Goods
	found, err := one(ctx, db, s.getGoods, []any{r.GoodsID}, places(goodsColumns, &g)...)
	switch {
	case err != nil:
		return orderstore.Quote{}, Cause(ctx, "get goods", err)
	case !found, g.GoodsID != r.GoodsID:
		return orderstore.Quote{}, orderstore.ErrNoGoods
	}
	return orderstore.Quote{Total: g.Total, Description: g.Description}, nil
}

// all runs a query and returns its rows, each with the given columns.
func all[T any](ctx context.Context, step string, db Reader, columns []column[T], text string, args ...any) ([]T, error) {
	var list []T
	err := db.Query(ctx, text, args, func() []any {
		list = append(list, *new(T))
		return places(columns, &list[len(list)-1])
	})
	if err != nil {
		return nil, Cause(ctx, step, err)
	}
	return list, nil
}
