package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/wxpaykit/wxpay/orderstore"
)

// updateCases hold for [orderstore.Update], and so for the way that an
// [orderstore.Updater] has of its own.
func updateCases() []Case {
	return []Case{
		{"Update/ReplacesEveryField", updateEveryField},
		{"Update/ReplacesAnyOneField", updateOneField},
		{"Update/AppendsEvents", updateEvents},
		{"Update/SavesNothingUnlessTold", updateNothing},
		{"Update/MissingOrderIsErrNotFound", updateMissing},
		{"Update/OwnWaySurvivesItsChange", updatePanics},
	}
}

// becomes is a change that makes next of any order, but for its version.
func becomes(next orderstore.Order) orderstore.Change {
	return func(o orderstore.Order) (orderstore.Order, bool) {
		next.Version = o.Version
		return next, true
	}
}

// updates reports unless the update returns want, and the store then holds it.
func updates(ctx context.Context, s orderstore.Store, want orderstore.Order) error {
	got, err := orderstore.Update(ctx, s, want.OutTradeNo, becomes(want))
	if err != nil {
		return must("Update", err)
	}
	if err := same(got, want); err != nil {
		return must("Update returned another order", err)
	}
	return holds(ctx, s, want)
}

func updateEveryField(ctx context.Context, s orderstore.Store) error {
	const number = "tzxz_updated"
	before, err := filled(number, 1)
	if err != nil {
		return err
	}
	after, err := filled(number, 2)
	if err != nil {
		return err
	}
	if err := create(ctx, s, before); err != nil {
		return err
	}
	after.Version = 2
	return updates(ctx, s, after)
}

// A store may write less than the whole order, but no change may be left out,
// whichever it is.
func updateOneField(ctx context.Context, s orderstore.Store) error {
	const number = "tzxz_one_field"
	now, err := filled(number, 1)
	if err != nil {
		return err
	}
	other, err := filled(number, 2)
	if err != nil {
		return err
	}
	if err := create(ctx, s, now); err != nil {
		return err
	}
	now.Version = 1
	for _, f := range fields(reflect.TypeFor[orderstore.Order]()) {
		if f.Name == "OutTradeNo" || f.Name == "Version" {
			continue
		}
		reflect.ValueOf(&now).Elem().FieldByIndex(f.Index).Set(reflect.ValueOf(other).FieldByIndex(f.Index))
		now.Version++
		if err := updates(ctx, s, now); err != nil {
			return must("with another "+f.Name, err)
		}
	}
	return nil
}

// What is changed sees what was stored, and the history goes on.
func updateEvents(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_update_events")
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	want := o.Events
	for i := range 3 {
		more := []orderstore.Event{noted(fmt.Sprint("first of ", i)), noted(fmt.Sprint("second of ", i))}
		want = append(want, more...)
		var seen int
		got, err := orderstore.Update(ctx, s, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
			seen = o.HandOverTries
			o.HandOverTries++
			o.Events = append(o.Events, more...)
			return o, true
		})
		switch {
		case err != nil:
			return must("Update", err)
		case seen != i || got.HandOverTries != i+1:
			return fmt.Errorf("update %d read the count %d and returned %d", i, seen, got.HandOverTries)
		case len(got.Events) > 0:
			return fmt.Errorf("update %d returned %d events, which are in the history already", i, len(got.Events))
		}
	}
	return history(ctx, s, o.OutTradeNo, want...)
}

func updateNothing(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_update_nothing")
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	got, err := orderstore.Update(ctx, s, o.OutTradeNo, func(read orderstore.Order) (orderstore.Order, bool) {
		read.HandOverTries, read.Events = 7, []orderstore.Event{noted("not to be stored")}
		return read, false
	})
	if err != nil {
		return must("Update", err)
	}
	o.Version = 1
	if err := same(got, o); err != nil {
		return must("Update returned another order than the stored one", err)
	}
	if err := holds(ctx, s, o); err != nil {
		return err
	}
	return history(ctx, s, o.OutTradeNo, o.Events...)
}

func updateMissing(ctx context.Context, s orderstore.Store) error {
	const number = "tzxz_never_created"
	asked := false
	_, err := orderstore.Update(ctx, s, number, func(o orderstore.Order) (orderstore.Order, bool) {
		asked = true
		return plain(number), true
	})
	if asked {
		return errors.New("Update of an order that does not exist asked what is to become of it")
	}
	return refused("Update", err, orderstore.ErrNotFound)
}

// A change that panics is an error of its own update, and of no other.
func updatePanics(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_panics")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	u, ok := s.(orderstore.Updater)
	if !ok {
		return nil
	}
	itself, update := u.Updater()
	if itself != s {
		return nil // orderstore.Update does not go that way
	}
	_, err := update(ctx, o.OutTradeNo, func(orderstore.Order) (orderstore.Order, bool) { panic("of the change") })
	if err == nil {
		return errors.New("the update whose change panicked returned nil")
	}
	_, err = update(ctx, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		o.OutTradeNo = "tzxz_another"
		return o, true
	})
	if err == nil || errors.Is(err, orderstore.ErrConflict) {
		return fmt.Errorf("a change of the number is answered with %v; it is a mistake, and no conflict", err)
	}
	o.Version = 1
	if err := holds(ctx, s, o); err != nil {
		return err
	}
	o.Version, o.HandOverTries = 2, 1
	return updates(ctx, s, o)
}
