package storetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func eventCases() []Case {
	return []Case{
		{"Events/KeepEveryField", eventFields},
		{"Events/OldestFirst", eventOrder},
		{"Events/StayWithTheirOrder", eventOwner},
		{"Events/AreNoPartOfAnOrder", eventNotRead},
		{"Events/OwnTheirMemory", eventMemory},
		{"Events/Large", eventLarge},
	}
}

func eventFields(ctx context.Context, s orderstore.Store) error {
	events := make([]orderstore.Event, 4)
	for i := range events {
		if err := fill(&events[i], i); err != nil {
			return err
		}
	}
	events[1].ID, events[1].Serial, events[1].Note = "", "", ""
	events[3].Note = "mchid is \"190\", 订单 has '1900' 😀\n"
	o := plain("tzxz_event_fields")
	o.Events = events[:2]
	if err := create(ctx, s, o); err != nil {
		return err
	}
	o = o.Saved()
	o.Events = events[2:]
	if err := must("Save", s.Save(ctx, o)); err != nil {
		return err
	}
	return history(ctx, s, o.OutTradeNo, events...)
}

// The history is in the order of the writes. Clocks of several machines do
// not agree, so the times of events decide nothing.
func eventOrder(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_event_order")
	var all []orderstore.Event
	for write := range 12 {
		o.Events = nil
		for i := range write % 4 {
			e := noted(fmt.Sprintf("write %d, event %d", write, i))
			e.At = epoch.Add(-time.Duration(write*10+i) * time.Second)
			e.ID = fmt.Sprint(99 - write)
			o.Events = append(o.Events, e)
		}
		all = append(all, o.Events...)
		var err error
		if write == 0 {
			err = s.Create(ctx, o)
		} else {
			err = s.Save(ctx, o)
		}
		if err != nil {
			return fmt.Errorf("write %d: %w", write, err)
		}
		o = o.Saved()
	}
	return history(ctx, s, o.OutTradeNo, all...)
}

func eventOwner(ctx context.Context, s orderstore.Store) error {
	first, second, silent := plain("tzxz_event_a"), plain("tzxz_event_b"), plain("tzxz_event_c")
	first.Events = []orderstore.Event{noted("a1")}
	second.Events = []orderstore.Event{noted("b1")}
	if err := create(ctx, s, first, second, silent); err != nil {
		return err
	}
	more := first.Saved()
	more.Events = []orderstore.Event{noted("a2")}
	if err := must("Save", s.Save(ctx, more)); err != nil {
		return err
	}
	if err := history(ctx, s, first.OutTradeNo, noted("a1"), noted("a2")); err != nil {
		return err
	}
	if err := history(ctx, s, second.OutTradeNo, noted("b1")); err != nil {
		return err
	}
	return history(ctx, s, silent.OutTradeNo)
}

// An order that is read brings no events, or saving it would write them again.
func eventNotRead(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_event_unread")
	o.Ref, o.NextActionAt, o.Events = "ref-1", epoch, []orderstore.Event{noted("one")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	got, err := s.Get(ctx, o.OutTradeNo)
	if err != nil {
		return must("Get", err)
	}
	due, err := s.Due(ctx, epoch, 10)
	if err != nil {
		return must("Due", err)
	}
	found, err := s.Find(ctx, o.Ref)
	if err != nil {
		return must("Find", err)
	}
	for _, o := range append(append(due, found...), got) {
		if len(o.Events) != 0 {
			return fmt.Errorf("an order was read with %d events, want none", len(o.Events))
		}
	}
	return nil
}

// What the caller does to its slices, before or after, is not the store's.
func eventMemory(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_event_memory")
	o.Events = []orderstore.Event{noted("one"), noted("two")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	next := o.Saved()
	next.Events = []orderstore.Event{noted("three")}
	if err := must("Save", s.Save(ctx, next)); err != nil {
		return err
	}
	o.Events[0].Note, o.Events[1].Note, next.Events[0].Note = "changed", "changed", "changed"
	for range 2 {
		if err := history(ctx, s, o.OutTradeNo, noted("one"), noted("two"), noted("three")); err != nil {
			return err
		}
		got, err := s.Events(ctx, o.OutTradeNo)
		if err != nil {
			return must("Events", err)
		}
		got[0].Note = "changed by a reader"
		_ = append(got[:1], noted("appended by a reader"))
	}
	return nil
}

// A customer's application can return a long error, and a storm of
// notifications a long history.
func eventLarge(ctx context.Context, s orderstore.Store) error {
	const writes, each, size = 4, 100, 16 << 10
	o := plain("tzxz_event_large")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	var all []orderstore.Event
	for write := range writes {
		o = o.Saved()
		for i := range each {
			o.Events = append(o.Events, noted(fmt.Sprintf("write %d, event %d", write, i)))
		}
		o.Events[0].Note = strings.Repeat("长", size/3)
		all = append(all, o.Events...)
		if err := must("Save", s.Save(ctx, o)); err != nil {
			return err
		}
	}
	return history(ctx, s, o.OutTradeNo, all...)
}
