package storetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
)

func createCases() []Case {
	return []Case{
		{"Create/KeepsEveryField", createEveryField},
		{"Create/StartsAtVersion1", createVersion},
		{"Create/KeepsTheEvents", createEvents},
		{"Create/TakenNumberIsErrExists", createTaken},
		{"Create/RepeatedChangesNothing", createRepeated},
		{"Create/FailsWhole", createFails},
		{"Get/UnknownNumberIsErrNotFound", getUnknown},
		{"Get/ComparesNumbersByCase", getByCase},
	}
}

func createEveryField(ctx context.Context, s orderstore.Store) error {
	o, err := filled("tzxz_every_field", 1)
	if err != nil {
		return err
	}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	return holds(ctx, s, o.Saved())
}

// The version is the store's; what an order brings along counts for nothing.
func createVersion(ctx context.Context, s orderstore.Store) error {
	for number, brought := range map[string]int64{"tzxz_new": 0, "tzxz_copy": 7} {
		o := plain(number)
		o.Version = brought
		if err := create(ctx, s, o); err != nil {
			return err
		}
		o.Version = 1
		if err := holds(ctx, s, o); err != nil {
			return err
		}
	}
	return nil
}

func createEvents(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_with_events")
	o.Events = []orderstore.Event{noted("one"), noted("two")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	return history(ctx, s, o.OutTradeNo, o.Events...)
}

func createTaken(ctx context.Context, s orderstore.Store) error {
	first, second := plain("tzxz_taken"), plain("tzxz_taken")
	first.Events = []orderstore.Event{noted("first")}
	second.Total, second.UserID = 1, "somebody else"
	second.Events = []orderstore.Event{noted("second")}
	if err := create(ctx, s, first); err != nil {
		return err
	}
	if err := refused("Create of a taken number", s.Create(ctx, second), orderstore.ErrExists); err != nil {
		return err
	}
	if err := holds(ctx, s, first.Saved()); err != nil {
		return err
	}
	return history(ctx, s, first.OutTradeNo, first.Events...)
}

// A click that is repeated creates the same order again. That is ErrExists too,
// and takes nothing back of what has happened to the order since.
func createRepeated(ctx context.Context, s orderstore.Store) error {
	o, err := filled("tzxz_repeated", 1)
	if err != nil {
		return err
	}
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	now, notes := o, o.Events
	for round := range 3 {
		if err := refused("Create of the same order", s.Create(ctx, o), orderstore.ErrExists); err != nil {
			return err
		}
		if err := holds(ctx, s, now.Saved()); err != nil {
			return err
		}
		if err := history(ctx, s, o.OutTradeNo, notes...); err != nil {
			return err
		}
		now = now.Saved()
		now.TradeState, now.Events = fmt.Sprint("STATE", round), []orderstore.Event{noted(fmt.Sprint("saved ", round))}
		notes = append(notes, now.Events...)
		if err := must("Save", s.Save(ctx, now)); err != nil {
			return err
		}
	}
	return nil
}

// oddNotes are notes that some databases take and some refuse.
func oddNotes() []string {
	return []string{"NUL \x00", "no UTF-8 \xff\xfe", strings.Repeat("长", 400_000)}
}

// An order of which one event cannot be written is not created at all.
func createFails(ctx context.Context, s orderstore.Store) error {
	for i, note := range oddNotes() {
		o := plain(fmt.Sprint("tzxz_fails_", i))
		o.Events = []orderstore.Event{noted("one"), noted(note), noted("three")}
		err := s.Create(ctx, o)
		if isAnswer(err) {
			return fmt.Errorf("Create with an odd note: %w", err)
		}
		if err == nil {
			if err := eventCount(ctx, s, o.OutTradeNo, len(o.Events)); err != nil {
				return err
			}
			continue
		}
		_, err = s.Get(ctx, o.OutTradeNo)
		if err := refused("Get of an order whose Create returned an error", err, orderstore.ErrNotFound); err != nil {
			return err
		}
		if err := eventCount(ctx, s, o.OutTradeNo, 0); err != nil {
			return err
		}
		o.Events = []orderstore.Event{noted("again")}
		if err := must("after an error,", create(ctx, s, o)); err != nil {
			return err
		}
		if err := history(ctx, s, o.OutTradeNo, o.Events...); err != nil {
			return err
		}
	}
	return nil
}

// eventCount reports an error unless the order has that many events.
func eventCount(ctx context.Context, s orderstore.Store, number string, want int) error {
	events, err := s.Events(ctx, number)
	if err == nil && len(events) != want {
		err = fmt.Errorf("%d events, want %d", len(events), want)
	}
	return must("Events "+number, err)
}

func getUnknown(ctx context.Context, s orderstore.Store) error {
	if err := create(ctx, s, plain("tzxzXknown")); err != nil {
		return err
	}
	for _, number := range []string{"tzxzXunknown", "tzxzXknow", "tzxz_known", "tzxz*"} {
		_, err := s.Get(ctx, number)
		if err := refused("Get of an unknown number", err, orderstore.ErrNotFound); err != nil {
			return err
		}
	}
	return nil
}

// Two numbers that differ in case are two orders. A store that takes them for
// one would give somebody's payment to somebody else.
func getByCase(ctx context.Context, s orderstore.Store) error {
	lower, upper := plain("tzxz_case"), plain("TZXZ_CASE")
	lower.Events = []orderstore.Event{noted("lower")}
	upper.Total, upper.Events = 200, []orderstore.Event{noted("upper")}
	if err := create(ctx, s, lower); err != nil {
		return err
	}
	_, err := s.Get(ctx, upper.OutTradeNo)
	if err := refused("Get of the number in other case", err, orderstore.ErrNotFound); err != nil {
		return err
	}
	if err := create(ctx, s, upper); err != nil {
		return err
	}
	for _, o := range []orderstore.Order{lower, upper} {
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
		if err := history(ctx, s, o.OutTradeNo, o.Events...); err != nil {
			return err
		}
	}
	return nil
}
