package main

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// micros keeps a time as microseconds, and the zero time as NULL: to a
// database, 1970 is a time like any other.
type micros struct{ at *time.Time }

func (m micros) Value() (driver.Value, error) {
	if m.at.IsZero() {
		return nil, nil
	}
	return m.at.UnixMicro(), nil
}

func (m micros) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m.at = time.Time{}
	case int64:
		*m.at = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T, not as an integer", src)
	}
	return nil
}

// state keeps a status in the team's own words.
type state struct{ status *orderstore.PayStatus }

var words = []string{orderstore.Unpaid: "new", orderstore.Paid: "paid", orderstore.Closed: "closed"}

func (s state) Value() (driver.Value, error) {
	if i := int(*s.status); 0 <= i && i < len(words) {
		return words[i], nil
	}
	return nil, fmt.Errorf("no word for the status %d", *s.status)
}

func (s state) Scan(src any) error {
	i := slices.Index(words, fmt.Sprintf("%s", src))
	if i < 0 {
		return fmt.Errorf("no such state: %q", src)
	}
	*s.status = orderstore.PayStatus(i)
	return nil
}

// document keeps a whole order, without its events, as JSON: the fields of
// tomorrow, too.
type document struct{ o *orderstore.Order }

func (d document) Value() (driver.Value, error) {
	o := *d.o
	o.Events, o.Refunds = nil, o.Refunds.Stored()
	truncate(&o)
	return marshal(o)
}

func (d document) Scan(src any) error { return unmarshal(src, d.o) }

type eventDocument struct{ e *orderstore.Event }

func (d eventDocument) Value() (driver.Value, error) {
	e := *d.e
	truncate(&e)
	return marshal(e)
}

func (d eventDocument) Scan(src any) error { return unmarshal(src, d.e) }

// truncate brings the times in the struct that p points to to what stores
// keep: UTC, microseconds.
func truncate(p any) {
	for i, v := 0, reflect.ValueOf(p).Elem(); i < v.NumField(); i++ {
		if at, ok := v.Field(i).Addr().Interface().(*time.Time); ok {
			*at = at.UTC().Truncate(time.Microsecond)
		}
	}
}

func marshal(v any) (driver.Value, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// unmarshal takes text as some drivers give it, and bytes as others do.
func unmarshal(src, p any) error {
	switch text := src.(type) {
	case string:
		return json.Unmarshal([]byte(text), p)
	case []byte:
		return json.Unmarshal(text, p)
	}
	return fmt.Errorf("JSON is stored as %T, not as text", src)
}
