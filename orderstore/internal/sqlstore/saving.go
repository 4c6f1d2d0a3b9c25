package sqlstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay/orderstore"
)

// ManyDialect is how a database writes several orders with one statement.
type ManyDialect struct {
	// Lock reads orders that are to be written, with {columns} and {numbers}.
	// They are locked, and no others; those that another transaction has are not
	// waited for but left out.
	Lock string
	// Save updates orders from an array of JSON objects. {set} stands for the
	// columns, each as Set has it, and {columns} for the types of the objects'
	// fields, each as Integer or Text has it.
	Save, Set     string
	Integer, Text string
	// Append inserts events from an array of JSON objects, with {columns} for
	// their columns. It is for databases that keep a statement's plan under its
	// text, which then is the same for any number; empty for the others.
	Append string
}

// saving is an order that is written together with others.
type saving struct {
	read, next orderstore.Order
	write      *Write
	before     []any // the columns' values as they were read
	after      []any // and as they are to be
	events     [][]any
}

// newSaving returns nil for what is left to Save: text that JSON cannot hold as it
// is, and more events than a write has room for.
func newSaving(read, next orderstore.Order, w *Write) *saving {
	if len(next.Events) >= room {
		return nil
	}
	before, after := read, next
	after.Version = w.Version
	s := &saving{read: read, next: next, write: w, before: plain(orderColumns, &before), after: plain(orderColumns, &after)}
	all := s.after
	for i := range next.Events {
		e := plain(eventColumns, &next.Events[i])
		s.events = append(s.events, e)
		all = append(all, e...)
	}
	for _, v := range all {
		if text, ok := v.(string); ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
			return nil
		}
	}
	return s
}

// plain are the values of columns as a driver has them: integers, texts and
// nil.
func plain[T any](columns []column[T], row *T) []any {
	list := appendValues(make([]any, 0, len(columns)), columns, row)
	for i := range list {
		if v, ok := list[i].(driver.Valuer); ok {
			list[i], _ = v.Value() // none of them fails
		}
	}
	return list
}

// integer reports whether a column holds integers, or text.
func integer(c column[order]) bool {
	switch f := c.field(new(order)).(type) {
	case micros:
		return true
	case derived:
		_, text := f.value.(string)
		return !text
	default:
		_, number := value(f).(int64)
		return number
	}
}

// lock reads the orders of those numbers and locks them, as far as they are
// there and nobody else has them. It waits for nobody.
func (s *Statements) lock(ctx context.Context, tx Conn, numbers []string) (map[string]orderstore.Order, error) {
	args := padded(numbers)
	list, err := all(ctx, "lock orders", tx, readableOrder, s.lockOrders(len(args)), args...)
	if err != nil {
		return nil, err
	}
	orders := make(map[string]orderstore.Order, len(list))
	for _, o := range list {
		orders[o.OutTradeNo] = o
	}
	return orders, nil
}

// padded are the numbers as arguments, some of them twice: the fewer lengths a
// list has, the fewer statements a database has to make ready.
func padded(numbers []string) []any {
	args := make([]any, 0, 2*len(numbers))
	for _, number := range numbers {
		args = append(args, number)
	}
	for len(args)&(len(args)-1) != 0 {
		args = append(args, numbers[0])
	}
	return args
}

// marks are n placeholders.
func marks(n int) string { return strings.Join(slices.Repeat([]string{"?"}, n), ", ") }

// lockOrders is the statement for n numbers.
func (s *Statements) lockOrders(n int) string {
	fill := strings.NewReplacer("{columns}", list(namesOf(readableOrder), "%s"), "{numbers}", marks(n))
	return s.text("%s", fill.Replace(s.dialect.Many.Lock))
}

// saveAll writes the orders, which are locked, and their events.
func (s *Statements) saveAll(ctx context.Context, tx Conn, orders []*saving) error {
	if len(orders) == 0 {
		return nil
	}
	text, rows, err := s.saveMany(orders)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, text, []any{rows})
	switch {
	case err != nil:
		return fmt.Errorf("save orders: %w", err)
	case n != int64(len(orders)):
		return fmt.Errorf("save orders: %d of %d were written", n, len(orders))
	}
	return s.appendAllEvents(ctx, tx, orders)
}

// saveMany is the statement that writes those columns that are new in any of
// the orders, and the orders as JSON.
func (s *Statements) saveMany(orders []*saving) (text, rows string, err error) {
	var set, types []string
	fields := make([]map[string]any, len(orders))
	for i, o := range orders {
		fields[i] = map[string]any{"out_trade_no": o.next.OutTradeNo, "write_id": o.write.ID}
	}
	written := func(name string, integer bool) {
		types = append(types, strings.ReplaceAll(map[bool]string{true: s.dialect.Many.Integer, false: s.dialect.Many.Text}[integer], "%s", name))
		set = append(set, strings.ReplaceAll(s.dialect.Many.Set, "%s", name))
	}
	for i, c := range orderColumns {
		if slices.ContainsFunc(orders, func(o *saving) bool { return o.before[i] != o.after[i] }) {
			written(c.name, integer(c))
			for k, o := range orders {
				fields[k][c.name] = o.after[i]
			}
		}
	}
	written("write_id", false)
	array, err := json.Marshal(fields)
	if err != nil {
		return "", "", err
	}
	fill := strings.NewReplacer("{set}", strings.Join(set, ", "), "{columns}", strings.Join(types, ", "))
	return s.text("%s", fill.Replace(s.dialect.Many.Save)), string(array), nil
}

// appendAllEvents is appendEvents of all orders.
func (s *Statements) appendAllEvents(ctx context.Context, tx Conn, orders []*saving) error {
	var rows [][]any
	for _, o := range orders {
		for i, e := range o.events {
			rows = append(rows, append([]any{o.next.OutTradeNo, o.write.Version*room + int64(i) + 1}, e...))
		}
	}
	if s.dialect.Many.Append != "" && len(rows) > 0 {
		return s.appendArray(ctx, tx, rows)
	}
	for some := range slices.Chunk(rows, s.dialect.EventsAtOnce) {
		if _, err := changes(ctx, tx, s.insertEvents(len(some)), slices.Concat(some...)...); err != nil {
			return fmt.Errorf("append events: %w", err)
		}
	}
	return nil
}

// appendArray inserts the rows of events as JSON.
func (s *Statements) appendArray(ctx context.Context, tx Conn, rows [][]any) error {
	columns := s.eventColumns()
	fields := make([]map[string]any, len(rows))
	for i, row := range rows {
		fields[i] = make(map[string]any, len(columns))
		for k, c := range columns {
			fields[i][c] = row[k]
		}
	}
	array, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	text := s.text("%s", strings.ReplaceAll(s.dialect.Many.Append, "{columns}", list(columns, "%s")))
	if _, err := changes(ctx, tx, text, string(array)); err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	return nil
}
