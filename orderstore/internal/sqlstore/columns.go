package sqlstore

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// column ties a column of a table to the place of its value in Go. What a
// database is given to write and to read is the same pointer.
type column[T any] struct {
	name  string
	field func(*T) any
}

// derived is the value of a column that is written for people and never read.
type derived struct{ value any }

type order = orderstore.Order

// The columns of pay_order_record, and where they are in an order: the only
// place that names them.
var (
	orderColumns = slices.Concat(numberColumn, progressColumns, purchaseColumns)
	allButNumber = slices.Concat(progressColumns, purchaseColumns)
	numberColumn = []column[order]{{"out_trade_no", func(o *order) any { return &o.OutTradeNo }}}
)

// purchaseColumns are what was bought, by whom, and how it is to be paid.
var purchaseColumns = []column[order]{
	{"ref", func(o *order) any { return &o.Ref }},
	{"user_id", func(o *order) any { return &o.UserID }},
	{"goods_id", func(o *order) any { return &o.GoodsID }},
	{"description", func(o *order) any { return &o.Description }},
	{"total", func(o *order) any { return &o.Total }},
	{"amount", func(o *order) any { return derived{o.Total.String()} }},
	{"currency", func(o *order) any { return &o.Currency }},
	{"product", func(o *order) any { return &o.Product }},
	{"pay_type", func(o *order) any { return derived{0} }}, // the tutorials' 0 for WeChat Pay
	{"mchid", func(o *order) any { return &o.MchID }},
	{"appid", func(o *order) any { return &o.AppID }},
	{"openid", func(o *order) any { return &o.OpenID }},
	{"attach", func(o *order) any { return &o.Attach }},
	{"app_name", func(o *order) any { return &o.AppName }},
	{"app_channel", func(o *order) any { return &o.AppChannel }},
	{"device", func(o *order) any { return &o.Device }},
	{"device_ip", func(o *order) any { return &o.DeviceIP }},
	{"platform", func(o *order) any { return &o.Platform }},
	{"order_number", func(o *order) any { return &o.OrderNumber }},
	{"trace_id", func(o *order) any { return &o.TraceID }},
	{"prepay_request", func(o *order) any { return &o.PrepayRequest }},
	{"expires_at", func(o *order) any { return micros{&o.ExpiresAt} }},
	{"created_at", func(o *order) any { return micros{&o.CreatedAt} }},
}

// progressColumns are what happened to the order since, beginning with the count
// of its writes.
var progressColumns = []column[order]{
	{"version", func(o *order) any { return &o.Version }},
	{"prepay_id", func(o *order) any { return &o.PrepayID }},
	{"code_url", func(o *order) any { return &o.CodeURL }},
	{"h5_url", func(o *order) any { return &o.H5URL }},
	{"prepaid_at", func(o *order) any { return micros{&o.PrepaidAt} }},
	{"placing_until", func(o *order) any { return micros{&o.PlacingUntil} }},
	{"on_its_way_until", func(o *order) any { return micros{&o.OnItsWayUntil} }},
	{"pay_status", func(o *order) any { return &o.PayStatus }},
	{"pay_status_des", func(o *order) any { return derived{o.PayStatus.String()} }},
	{"trade_state", func(o *order) any { return &o.TradeState }},
	{"trade_no", func(o *order) any { return &o.TransactionID }},
	{"payer_total", func(o *order) any { return &o.PayerTotal }},
	{"pay_time", func(o *order) any { return micros{&o.PaidAt} }},
	{"closed_at", func(o *order) any { return micros{&o.ClosedAt} }},
	{"refunds", func(o *order) any { return &o.Refunds }},
	{"refund_status", func(o *order) any { return &o.RefundStatus }},
	{"refunded", func(o *order) any { return &o.Refunded }},
	{"given_back", func(o *order) any { return &o.GivenBack }},
	{"ref_paid_by", func(o *order) any { return &o.RefPaidBy }},
	{"anomaly", func(o *order) any { return &o.Anomaly }},
	{"next_action_at", func(o *order) any { return micros{&o.NextActionAt} }},
	{"asked_at", func(o *order) any { return micros{&o.AskedAt} }},
	{"hand_over_at", func(o *order) any { return micros{&o.HandOverAt} }},
	{"hand_over_tries", func(o *order) any { return &o.HandOverTries }},
	{"handed_over_at", func(o *order) any { return micros{&o.HandedOverAt} }},
	{"updated_at", func(o *order) any { return micros{&o.UpdatedAt} }},
}

// eventColumns are the columns of pay_order_event that are in an event; beside
// them the table has out_trade_no and seq.
var eventColumns = []column[orderstore.Event]{
	{"at", func(e *orderstore.Event) any { return micros{&e.At} }},
	{"kind", func(e *orderstore.Event) any { return &e.Kind }},
	{"source", func(e *orderstore.Event) any { return &e.Source }},
	{"id", func(e *orderstore.Event) any { return &e.ID }},
	{"serial", func(e *orderstore.Event) any { return &e.Serial }},
	{"note", func(e *orderstore.Event) any { return note{&e.Note} }},
}

// goodsColumns are the columns of goods_info.
var goodsColumns = []column[orderstore.Goods]{
	{"goods_id", func(g *orderstore.Goods) any { return &g.GoodsID }},
	{"description", func(g *orderstore.Goods) any { return &g.Description }},
	{"total", func(g *orderstore.Goods) any { return &g.Total }},
}

// samePurchase reports whether two orders have the same purchase columns.
func samePurchase(a, b *order) bool {
	for _, c := range purchaseColumns {
		if !same(c.field(a), c.field(b)) {
			return false
		}
	}
	return true
}

func same(a, b any) bool {
	switch a := a.(type) {
	case *string:
		return *a == *b.(*string)
	case micros:
		return a.at.Equal(*b.(micros).at)
	case derived:
		return true // from what is compared
	}
	return value(a) == value(b)
}

// appendValues appends the arguments that write the columns: values of the
// driver's own types and driver.Valuers, for drivers differ in what they make of
// the others. One that prints an orderstore.Fen where it does not know the
// column's type would write 1.00元.
func appendValues[T any](args []any, columns []column[T], row *T) []any {
	for _, c := range columns {
		args = append(args, value(c.field(row)))
	}
	return args
}

// value is what stands in a field. The kinds of fields that an order has most of
// come first.
func value(field any) any {
	switch f := field.(type) {
	case *string:
		return *f
	case micros:
		return f.value()
	case derived:
		return f.value
	case *int64:
		return *f
	case *orderstore.Fen:
		return int64(*f)
	case driver.Valuer:
		return f
	}
	v := reflect.ValueOf(field).Elem()
	if v.CanInt() {
		return v.Int()
	}
	return v.String()
}

// readable are the columns that a SELECT reads.
func readable[T any](columns []column[T]) []column[T] {
	return slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool {
		_, ok := c.field(new(T)).(derived)
		return ok
	})
}

// readableOrder are those of an order.
var readableOrder = readable(orderColumns)

// places are where a row of the columns goes.
func places[T any](columns []column[T], row *T) []any {
	fields := make([]any, len(columns))
	for i, c := range columns {
		fields[i] = c.field(row)
	}
	return fields
}

// namesOf are those of the columns.
func namesOf[T any](columns []column[T]) []string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.name
	}
	return all
}

// list joins names, each in the given format; %s stands for it.
func list(names []string, format string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = strings.ReplaceAll(format, "%s", name)
	}
	return strings.Join(parts, ", ")
}

// micros keeps a time as microseconds UTC, and the zero time as NULL.
type micros struct{ at *time.Time }

func (m micros) value() any {
	if m.at.IsZero() {
		return nil
	}
	return m.at.UnixMicro()
}

// Scan is called to read the time. Some drivers return an integer as they
// received it, as text.
func (m micros) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m.at = time.Time{}
	case int64:
		*m.at = time.UnixMicro(v).UTC()
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return fmt.Errorf("a time: %w", err)
		}
		*m.at = time.UnixMicro(n).UTC()
	default:
		return fmt.Errorf("a time is stored as %T, not as an integer", src)
	}
	return nil
}

// note is text for people that may hold anything, such as an error of the
// application that quotes bytes it received. What is no text to a database is
// replaced: it must not keep the order from being written.
type note struct{ text *string }

// Value is called to write the note.
func (n note) Value() (driver.Value, error) {
	return strings.ReplaceAll(strings.ToValidUTF8(*n.text, "\uFFFD"), "\x00", "\uFFFD"), nil
}

// Scan is called to read the note.
func (n note) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*n.text = v
	case []byte:
		*n.text = string(v)
	default:
		return fmt.Errorf("a note is stored as %T, not as text", src)
	}
	return nil
}
