package sqlstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dialect is what databases write differently.
type Dialect struct {
	// Numbered placeholders are $1, $2 and so on; others are question marks.
	Numbered bool
	// IfTaken ends the statement that inserts an order: do nothing if the
	// number is taken. It may be empty; the statement then fails.
	IfTaken string
	// IfThere ends the statement that inserts goods: replace those that are
	// there by %s. IfThereColumn is what is done to each column.
	IfThere, IfThereColumn string
	// NewestFirst is an order of the attempts for one ref.
	NewestFirst string
	// EventsAtOnce is how many events one statement inserts at most.
	EventsAtOnce int
	// Padded says that the database ignores spaces at the end of a text when it
	// compares.
	Padded bool
	// WriteID says that the orders have a column write_id, which names the last
	// write of each.
	WriteID bool
	// Many is how several orders are written at once.
	Many ManyDialect
}

// Statements are all the SQL of a store, for tables whose names begin with a
// prefix.
type Statements struct {
	dialect Dialect
	prefix  string

	insertOrder, getStatus, getWrite            string
	wholeOrder, progress                        update
	getOrder, dueOrders, findOrders, paidOrders string
	listEvents, insertEvent                     string
	putGoods, getGoods                          string
}

// Statements returns the statements in that dialect.
func (d Dialect) Statements(prefix string) Statements {
	s := Statements{dialect: d, prefix: prefix}
	s.writing()
	s.reading()
	return s
}

// writing makes the statements of a transaction that writes.
func (s *Statements) writing() {
	columns := s.written(orderColumns)
	s.insertOrder = s.text("INSERT INTO pay_order_record (%s) VALUES (%s) %s",
		list(columns, "%s"), list(columns, "?"), s.dialect.IfTaken)
	s.wholeOrder, s.progress = s.update(allButNumber), s.update(progressColumns)
	s.getStatus = s.text("SELECT version, pay_status FROM pay_order_record WHERE out_trade_no = ?")
	s.getWrite = s.text("SELECT version, write_id FROM pay_order_record WHERE out_trade_no = ?")
	s.insertEvent = s.insertEvents(1)
	goods := namesOf(goodsColumns)
	s.putGoods = s.text("INSERT INTO goods_info (%s) VALUES (%s) %s %s",
		list(goods, "%s"), list(goods, "?"), s.dialect.IfThere, list(goods[1:], s.dialect.IfThereColumn))
}

// reading makes the statements that read. Due, find and paid have the
// conditions of an index each.
func (s *Statements) reading() {
	order := func(which string) string {
		return s.text("SELECT %s FROM pay_order_record %s", list(namesOf(readableOrder), "%s"), which)
	}
	s.getOrder = order("WHERE out_trade_no = ?")
	s.dueOrders = order("WHERE next_action_at <= ? ORDER BY next_action_at LIMIT ?")
	s.findOrders = order("WHERE ref = ? AND ref <> '' ORDER BY " + s.dialect.NewestFirst)
	// As (pay_time, out_trade_no) > (?, ?), for which MySQL uses no index.
	s.paidOrders = order("WHERE pay_time >= ? AND pay_time < ? AND (pay_time > ? OR out_trade_no > ?) ORDER BY pay_time, out_trade_no LIMIT ?")
	s.listEvents = s.text("SELECT %s FROM pay_order_event WHERE out_trade_no = ? ORDER BY seq",
		list(namesOf(eventColumns), "%s"))
	s.getGoods = s.text("SELECT %s FROM goods_info WHERE goods_id = ?", list(namesOf(goodsColumns), "%s"))
}

// insertEvents is the statement for n events. Nearly always there is one, whose
// statement is made beforehand.
func (s *Statements) insertEvents(n int) string {
	if n == 1 && s.insertEvent != "" {
		return s.insertEvent
	}
	columns := namesOf(eventColumns)
	row := fmt.Sprintf("(?, ?, %s)", list(columns, "?"))
	return s.text("INSERT INTO pay_order_event (out_trade_no, seq, %s) VALUES %s",
		list(columns, "%s"), strings.Join(slices.Repeat([]string{row}, n), ", "))
}

// update is the one conditional statement that Save is made of, for some columns
// of an order.
type update struct {
	text    string
	columns []column[order]
}

func (s *Statements) update(columns []column[order]) update {
	return update{s.text("UPDATE pay_order_record SET %s WHERE out_trade_no = ? AND version = ?", list(s.written(columns), "%s = ?")), columns}
}

// written are the names of the columns, and of the one that names the write.
func (s *Statements) written(columns []column[order]) []string {
	if s.dialect.WriteID {
		return append(namesOf(columns), "write_id")
	}
	return namesOf(columns)
}

// text puts a statement together: with the names of this store's tables, and
// the placeholders of its dialect.
func (s *Statements) text(format string, parts ...any) string {
	text := Prefixed(fmt.Sprintf(format, parts...), s.prefix)
	if !s.dialect.Numbered {
		return text
	}
	pieces := strings.Split(text, "?")
	var b strings.Builder
	for i, piece := range pieces {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(piece)
	}
	return b.String()
}

// Writing are the texts of the statements a transaction runs.
func (s *Statements) Writing() []string {
	return []string{s.getOrder, s.insertOrder, s.wholeOrder.text, s.progress.text, s.getStatus, s.insertEvents(1), s.putGoods}
}

// Reading are the texts of the statements that are run alone, by method.
func (s *Statements) Reading() map[string]string {
	return map[string]string{
		"Get": s.getOrder, "Due": s.dueOrders, "Find": s.findOrders, "Paid": s.paidOrders,
		"Events": s.listEvents, "Quote": s.getGoods,
	}
}
