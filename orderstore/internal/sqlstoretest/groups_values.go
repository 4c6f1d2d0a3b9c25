package sqlstoretest

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// awkward is text that means something to those who pass it on, and fits into
// the narrowest column.
const awkward = "'\"\\<&>\u2028\n\t\u001f😀%s"

// groupValues writes every field, and the ends of what they hold, through a
// group.
func groupValues(t *testing.T, s Server) bool {
	const orders = 4
	f := s.together(t, orders)
	updates := touches(t, orders)
	for i, u := range updates {
		u.change = func(o orderstore.Order) (orderstore.Order, bool) { return full(o, i), true }
	}
	if !f.run(t, updates, nothing) {
		return false
	}
	for _, u := range updates {
		if got := get(t, f.near, u.number); u.err != nil || u.order.Changed(got) {
			t.Errorf("%s: %v\n%+v, stored is\n%+v", u.number, u.err, u.order, got)
		}
		events, err := f.near.Events(t.Context(), u.number)
		if err != nil || len(events) != 3 || events[1].Note != awkward || events[2].Note != "a\uFFFDb\uFFFD" {
			t.Errorf("%s: the events are %q (%v)", u.number, events, err)
		}
	}
	return true
}

// full is the order with every field set, in its own way for each i, and two
// events.
func full(o orderstore.Order, i int) orderstore.Order {
	v := reflect.ValueOf(&o).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		field := v.FieldByIndex(f.Index)
		switch {
		case f.Anonymous || f.Name == "OutTradeNo" || f.Name == "Version" || f.Name == "PayStatus":
		case f.Type == reflect.TypeFor[time.Time]():
			field.Set(reflect.ValueOf([]time.Time{epoch, {}, epoch.AddDate(1000, 0, 0), epoch.AddDate(-1000, 0, 0)}[i]))
		case f.Type.Kind() == reflect.String:
			field.SetString([]string{awkward, "", strings.Repeat(" ", 16), "null"}[i])
		case field.CanInt():
			field.SetInt([]int64{math.MaxInt64, 0, math.MinInt64, 1<<53 + 1}[i])
		}
	}
	o.PayStatus = orderstore.Closed
	o.Anomaly = strings.Repeat("长", 100_000*i)
	o.Refunds = orderstore.Refunds{{OutRefundNo: "refund_1", Amount: 1<<53 + 1, Reason: awkward, CreatedAt: epoch}}
	o.Events = []orderstore.Event{
		{At: epoch, Kind: orderstore.EventPaid, ID: awkward, Note: awkward},
		{Kind: orderstore.EventPaid, Note: "a\xffb\x00"},
	}
	return o
}
