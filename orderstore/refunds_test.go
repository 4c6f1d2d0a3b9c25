package orderstore_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

var (
	_ driver.Valuer = orderstore.Refunds(nil)
	_ sql.Scanner   = (*orderstore.Refunds)(nil)
)

func scan(t *testing.T, src any) orderstore.Refunds {
	t.Helper()
	list := orderstore.Refunds{{OutRefundNo: "was there before"}}
	if err := list.Scan(src); err != nil {
		t.Fatalf("Scan(%q): %v", src, err)
	}
	return list
}

func value(t *testing.T, list orderstore.Refunds) string {
	t.Helper()
	v, err := list.Value()
	text, ok := v.(string)
	if err != nil || !ok {
		t.Fatalf("Value: %T, %v", v, err)
	}
	return text
}

// What is written is read, whatever is in it.
func TestRefundsRoundTrip(t *testing.T) {
	t.Parallel()
	for _, list := range []orderstore.Refunds{
		{{}},
		{refundOf("a", 1), refundOf("b", 1<<63-1)},
		{{Reason: "O'Brien \"quoted\" \\ `back` </script>&", Request: "{\"a\": \"\u2028\u2029\"}\r\n\t", Problem: "🎫👩‍👩‍👧‍👦 𠮷野家", AskedBy: "\x00\x7f"}},
		{{Amount: 1<<53 + 1, Tries: 1 << 40, Claims: 3, HandOverTries: 2, Status: orderstore.RefundAbnormal, RefundID: "5030000001"}},
		{{CreatedAt: noon, AppliedAt: noon.Add(time.Microsecond), AcceptedAt: noon.Add(2), RefundedAt: noon.AddDate(100, 0, 0),
			OnItsWayUntil: noon, NextActionAt: noon, HandedOverAt: noon}},
	} {
		want := list.Stored()
		for _, src := range []any{value(t, list), []byte(value(t, list))} {
			if got := scan(t, src); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v came back as\n%+v", want, got)
			}
		}
	}
}

// The text is what back offices query; a time or number that is not there is
// not written.
func TestRefundsText(t *testing.T) {
	t.Parallel()
	const want = `[{"out_refund_no":"refund_1","refund":60,"status":"SUCCESS","refunded_at":"2026-01-02T12:00:00.000001Z"}]`
	list := orderstore.Refunds{{
		OutRefundNo: "refund_1", Amount: 60, Status: orderstore.RefundSuccess,
		RefundedAt: noon.Add(1999).In(time.FixedZone("Beijing", 8*60*60)),
	}}
	if got := value(t, list); got != want {
		t.Errorf("the text is\n%s, want\n%s", got, want)
	}
	if list[0].RefundedAt.Nanosecond() != 1999 {
		t.Error("writing changed the list")
	}
}

func TestNoRefunds(t *testing.T) {
	t.Parallel()
	for _, none := range []orderstore.Refunds{nil, {}} {
		if text := value(t, none); text != "" {
			t.Errorf("none is written as %q", text)
		}
		if none.Stored() != nil {
			t.Error("none is kept as something")
		}
	}
	for _, src := range []any{nil, "", []byte(nil), []byte{}, "null", "[]", " [ ] "} {
		if got := scan(t, src); got != nil {
			t.Errorf("%q is read as %#v", src, got)
		}
	}
}

func TestRefundsGarbage(t *testing.T) {
	t.Parallel()
	before := orderstore.Refunds{{OutRefundNo: "was there before"}}
	for src, says := range map[any]string{
		"garbage": "refunds: ", "{}": "refunds: ", `[{"refund":"60"}]`: "refunds: ", `[{"refund":0.5}]`: "refunds: ",
		`[{"refund":9223372036854775808}]`: "refunds: ", `[{"out_refund_no":"a"}`: "refunds: ", "[] []": "refunds: ",
		`[{"created_at":"yesterday"}]`: "refunds: ", `[{"out_refund_no":"a"},7]`: "refunds: ", " ": "refunds: ",
		int64(1): "stored as int64", 0.5: "stored as float64", true: "stored as bool", noon: "stored as time.Time",
	} {
		list := before
		if err := list.Scan(src); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Scan(%v): %v, want one that says %q", src, err, says)
		}
		if !reflect.DeepEqual(list, before) {
			t.Errorf("Scan(%v) failed and left %+v", src, list)
		}
	}
	tooFar := orderstore.Refunds{{CreatedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	if v, err := tooFar.Value(); err == nil {
		t.Errorf("a time that JSON does not have: %v", v)
	}
}

// Times come back in UTC, at microseconds, however another program wrote them.
func TestRefundsTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 2, 4, 0, 0, 123456000, time.UTC)
	for _, text := range []string{"2026-01-02T12:00:00.123456+08:00", "2026-01-02T04:00:00.123456789Z", "2026-01-02T04:00:00.123456+00:00"} {
		if got := scan(t, `[{"handed_over_at":"`+text+`"}]`)[0].HandedOverAt; got != want {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	if got := scan(t, "[{}]")[0].CreatedAt; !got.IsZero() {
		t.Errorf("a time that is not there is read as %v", got)
	}
}

// Every field has a name of its own in the text, and no time is forgotten.
func TestEveryRefundFieldIsStored(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	beijing := noon.Add(1999).In(time.FixedZone("Beijing", 8*60*60))
	for _, f := range reflect.VisibleFields(reflect.TypeFor[orderstore.Refund]()) {
		var r orderstore.Refund
		v := reflect.ValueOf(&r).Elem().FieldByIndex(f.Index)
		switch {
		case f.Type == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(beijing))
		case v.CanInt():
			v.SetInt(7)
		default:
			v.SetString("seven")
		}
		stored := orderstore.Refunds{r}.Stored()
		if at, ok := reflect.ValueOf(stored[0]).FieldByIndex(f.Index).Interface().(time.Time); ok && at != noon.Add(time.Microsecond) {
			t.Errorf("%s is stored as %v", f.Name, at)
		}
		if got := scan(t, value(t, orderstore.Refunds{r})); !reflect.DeepEqual(got, stored) {
			t.Errorf("%s came back as %+v", f.Name, got)
		}
		var object []map[string]any
		if err := json.Unmarshal([]byte(value(t, orderstore.Refunds{r})), &object); err != nil {
			t.Fatal(err)
		}
		delete(object[0], "")
		for name := range object[0] {
			names[name] = true
		}
	}
	if want := reflect.TypeFor[orderstore.Refund]().NumField(); len(names) != want {
		t.Errorf("%d fields have %d names: %v", want, len(names), names)
	}
}

// sum is seen in what every change leaves in the order.
func TestRefundStatusOfTheOrder(t *testing.T) {
	t.Parallel()
	urgency := []orderstore.RefundStatus{
		orderstore.RefundClosed, orderstore.RefundRefused, orderstore.RefundSuccess,
		orderstore.RefundProcessing, orderstore.RefundApplying, orderstore.RefundAbnormal,
	}
	for i, a := range urgency {
		for j, b := range urgency {
			o := begin(t, paidOrder(t), later).HandedOver(later)
			third := at("c", orderstore.RefundClosed, later, time.Time{})
			o.Refunds = orderstore.Refunds{at("a", a, later, later), at("b", b, later, later), third}
			o.Refunds[1].Amount = 30
			o, _, err := o.ApplyRefundResult(resultOf(o, third, orderstore.RefundSuccess), later)
			if err != nil {
				t.Fatal(err)
			}
			want, refunded := urgency[max(i, j, 2)], orderstore.Fen(1)
			if a == orderstore.RefundSuccess {
				refunded++
			}
			if b == orderstore.RefundSuccess {
				refunded += 30
			}
			if o.RefundStatus != want || o.Refunded != refunded {
				t.Errorf("%s, %s: %s, %d refunded, want %s, %d", a, b, o.RefundStatus, o.Refunded, want, refunded)
			}
		}
	}
}
