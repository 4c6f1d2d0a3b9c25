package storetest

import (
	"context"

	"github.com/wxpaykit/wxpay/orderstore"
)

func createCases() []Case {
	return []Case{
		{"Create/KeepsEveryField", createEveryField},
		{"Create/StartsAtVersion1", createVersion},
		{"Create/KeepsTheEvents", createEvents},
		{"Create/TakenNumberIsErrExists", createTaken},
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
