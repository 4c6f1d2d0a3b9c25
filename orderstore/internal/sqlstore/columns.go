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

// column ties a column of a table to the place of its value in Go. What
// package database/sql is given to write and to read is the same pointer.
type column struct {
	name  string
	field any
}

// derived is the value of a column that is written for people and never read.
type derived struct{ value any }

// orderColumns lists the columns of pay_order_record and where they are in o:
// the only place that names them. out_trade_no and version come first.
func orderColumns(o *orderstore.Order) []column {
	const room = 64 // the list is made for each order that is read or written
	columns := append(make([]column, 0, room), column{"out_trade_no", &o.OutTradeNo}, column{"version", &o.Version})
	return appendProgress(appendPurchase(columns, o), o)
}

// appendPurchase appends what was bought, by whom, and how it is to be paid.
func appendPurchase(columns []column, o *orderstore.Order) []column {
	return append(columns, []column{
		{"ref", &o.Ref},
		{"user_id", &o.UserID},
		{"goods_id", &o.GoodsID},
		{"description", &o.Description},
		{"total", &o.Total},
		{"amount", derived{o.Total.String()}},
		{"currency", &o.Currency},
		{"product", &o.Product},
		{"pay_type", derived{0}}, // the tutorials' 0 for WeChat Pay
		{"mchid", &o.MchID},
		{"appid", &o.AppID},
		{"openid", &o.OpenID},
		{"attach", &o.Attach},
		{"app_name", &o.AppName},
		{"app_channel", &o.AppChannel},
		{"device", &o.Device},
		{"device_ip", &o.DeviceIP},
		{"platform", &o.Platform},
		{"order_number", &o.OrderNumber},
		{"trace_id", &o.TraceID},
		{"prepay_request", &o.PrepayRequest},
		{"expires_at", micros{&o.ExpiresAt}},
		{"created_at", micros{&o.CreatedAt}},
	}...)
}

// appendProgress appends what happened to the order since.
func appendProgress(columns []column, o *orderstore.Order) []column {
	return append(columns, []column{
		{"prepay_id", &o.PrepayID},
		{"code_url", &o.CodeURL},
		{"h5_url", &o.H5URL},
		{"prepaid_at", micros{&o.PrepaidAt}},
		{"placing_until", micros{&o.PlacingUntil}},
		{"on_its_way_until", micros{&o.OnItsWayUntil}},
		{"pay_status", &o.PayStatus},
		{"pay_status_des", derived{o.PayStatus.String()}},
		{"trade_state", &o.TradeState},
		{"trade_no", &o.TransactionID},
		{"payer_total", &o.PayerTotal},
		{"pay_time", micros{&o.PaidAt}},
		{"closed_at", micros{&o.ClosedAt}},
		{"refunds", &o.Refunds},
		{"refund_status", &o.RefundStatus},
		{"refunded", &o.Refunded},
		{"given_back", &o.GivenBack},
		{"ref_paid_by", &o.RefPaidBy},
		{"anomaly", &o.Anomaly},
		{"next_action_at", micros{&o.NextActionAt}},
		{"asked_at", micros{&o.AskedAt}},
		{"hand_over_at", micros{&o.HandOverAt}},
		{"hand_over_tries", &o.HandOverTries},
		{"handed_over_at", micros{&o.HandedOverAt}},
		{"updated_at", micros{&o.UpdatedAt}},
	}...)
}

// eventColumns lists the columns of pay_order_event that are in e; beside them
// the table has out_trade_no and seq.
func eventColumns(e *orderstore.Event) []column {
	return []column{
		{"at", micros{&e.At}},
		{"kind", &e.Kind},
		{"source", &e.Source},
		{"id", &e.ID},
		{"serial", &e.Serial},
		{"note", note{&e.Note}},
	}
}

// goodsColumns lists the columns of goods_info.
func goodsColumns(g *orderstore.Goods) []column {
	return []column{
		{"goods_id", &g.GoodsID},
		{"description", &g.Description},
		{"total", &g.Total},
	}
}

// values are the arguments that write the columns: values of the driver's own
// types and driver.Valuers, for drivers differ in what they make of the others.
// One that prints an orderstore.Fen where it does not know the column's type
// would write 1.00元.
func values(columns []column) []any {
	const room = 3 // for the arguments that find the row
	args := make([]any, 0, len(columns)+room)
	for _, c := range columns {
		args = append(args, value(c.field))
	}
	return args
}

func value(field any) any {
	switch f := field.(type) {
	case derived:
		return f.value
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
func readable(columns []column) []column {
	return slices.DeleteFunc(columns, func(c column) bool {
		_, ok := c.field.(derived)
		return ok
	})
}

// places are where a row of the readable columns goes.
func places(columns []column) []any {
	columns = readable(columns)
	fields := make([]any, len(columns))
	for i, c := range columns {
		fields[i] = c.field
	}
	return fields
}

// list joins the columns, each in the given format; %s stands for its name.
func list(columns []column, format string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = strings.ReplaceAll(format, "%s", c.name)
	}
	return strings.Join(parts, ", ")
}

// micros keeps a time as microseconds UTC, and the zero time as NULL.
type micros struct{ at *time.Time }

// Value is called to write the time.
func (m micros) Value() (driver.Value, error) {
	if m.at.IsZero() {
		return nil, nil
	}
	return m.at.UnixMicro(), nil
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
