package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// epoch is where the times of the test orders begin.
var epoch = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// plain returns an order as the kit creates one.
func plain(number string) orderstore.Order {
	return orderstore.Order{
		OutTradeNo: number, UserID: "3cca32f4bb", GoodsID: "vip-month",
		Description: "1个月会员", Total: 100, Currency: orderstore.CNY,
		Product: orderstore.MiniProgram, MchID: "1900000001", AppID: "wxd678efh567hg6787",
		CreatedAt: epoch, UpdatedAt: epoch,
	}
}

// filled returns an order in which every field but Events has a value of its
// own; no field has the same value in two generations. It goes through the
// fields by reflection, so that it knows those of tomorrow too.
func filled(number string, generation int) (orderstore.Order, error) {
	var o orderstore.Order
	err := fill(&o, generation)
	o.OutTradeNo, o.Version, o.Currency = number, 0, [...]string{"CNY", "XTS"}[generation%2]
	o.Product = [...]orderstore.Product{orderstore.H5, orderstore.Native}[generation%2]
	o.PayStatus = [...]orderstore.PayStatus{orderstore.Paid, orderstore.Closed}[generation%2]
	return o, err
}

// fill sets the fields of the struct that p points to.
func fill(p any, generation int) error {
	v := reflect.ValueOf(p).Elem()
	for i, f := range fields(v.Type()) {
		switch field := v.FieldByIndex(f.Index); {
		case f.Type == reflect.TypeFor[time.Time]():
			at := epoch.Add(time.Duration(100*generation+i) * (time.Minute + time.Microsecond))
			field.Set(reflect.ValueOf(at))
		case f.Type == reflect.TypeFor[orderstore.Refunds]():
			refunds, err := filledRefunds(generation)
			if err != nil {
				return err
			}
			field.Set(reflect.ValueOf(refunds))
		case f.Type.Kind() == reflect.String:
			field.SetString(fmt.Sprintf("%s-%d", f.Name, generation))
		case field.CanInt():
			field.SetInt(int64(100*generation + i + 1))
		default:
			return fmt.Errorf("storetest: field %s has type %v, which this suite cannot fill", f.Name, f.Type)
		}
	}
	return nil
}

// setTimes sets every time in the struct that p points to, those of tomorrow
// too.
func setTimes(p any, at time.Time) {
	v := reflect.ValueOf(p).Elem()
	for _, f := range fields(v.Type()) {
		if f.Type == reflect.TypeFor[time.Time]() {
			v.FieldByIndex(f.Index).Set(reflect.ValueOf(at))
		}
	}
}

// filledRefunds returns two refunds in which every field has a value.
func filledRefunds(generation int) (orderstore.Refunds, error) {
	list := make(orderstore.Refunds, 2)
	for i := range list {
		if err := fill(&list[i], 10*generation+i); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// fields lists the fields of a struct, those of embedded structs among them,
// without Events.
func fields(t reflect.Type) []reflect.StructField {
	var list []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous && f.Type != reflect.TypeFor[[]orderstore.Event]() {
			list = append(list, f)
		}
	}
	return list
}

// same reports every field in which got is not want as a store keeps it.
func same[T any](got, want T) error {
	var errs []error
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for _, f := range fields(g.Type()) {
		have, should := g.FieldByIndex(f.Index).Interface(), w.FieldByIndex(f.Index).Interface()
		switch should := should.(type) {
		case time.Time:
			errs = append(errs, sameTime(f.Name, have.(time.Time), should))
			continue
		case orderstore.Refunds:
			errs = append(errs, must(f.Name, sameList(have.(orderstore.Refunds), should)))
			continue
		}
		if have != should {
			errs = append(errs, fmt.Errorf("%s is %s, stored was %s", f.Name, short(have), short(should)))
		}
	}
	return errors.Join(errs...)
}

func sameTime(name string, got, want time.Time) error {
	want = want.UTC().Truncate(time.Microsecond)
	if !got.Equal(want) {
		return fmt.Errorf("%s is %v, stored was %v", name, got, want)
	}
	if _, offset := got.Zone(); offset != 0 || got.Location() == time.Local {
		return fmt.Errorf("%s is in %v, not in UTC", name, got.Location())
	}
	return nil
}

// sameList compares got and want one by one.
func sameList[T any](got, want []T) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d came back, stored were %d", len(got), len(want))
	}
	for i := range got {
		if err := same(got[i], want[i]); err != nil {
			return fmt.Errorf("number %d: %w", i, err)
		}
	}
	return nil
}

// short prints a value for a message, cut before it floods the screen.
func short(v any) string {
	const most = 200
	s := fmt.Sprintf("%#v", v)
	if len(s) > most {
		return fmt.Sprintf("%.*s… (%d bytes)", most, s, len(s))
	}
	return s
}
