package storetest

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func contextCases() []Case {
	return []Case{
		{"Context/CancelledWritesNothing", cancelledWrites},
		{"Context/CancelledReadsNothing", cancelledReads},
		{"Context/CancelledMidwayIsAllOrNothing", cancelledMidway},
	}
}

func cancelledWrites(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_cancelled")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	next := o.Saved()
	next.PayStatus, next.Events = orderstore.Paid, []orderstore.Event{noted("lost")}
	if err := refused("Save with a cancelled context", s.Save(cancelled, next), context.Canceled); err != nil {
		return err
	}
	other := plain("tzxz_cancelled_2")
	if err := refused("Create with a cancelled context", s.Create(cancelled, other), context.Canceled); err != nil {
		return err
	}
	if err := holds(ctx, s, o.Saved()); err != nil {
		return err
	}
	if err := history(ctx, s, o.OutTradeNo); err != nil {
		return err
	}
	_, err := s.Get(ctx, other.OutTradeNo)
	return refused("Get of an order whose Create was cancelled", err, orderstore.ErrNotFound)
}

func cancelledReads(ctx context.Context, s orderstore.Store) error {
	o := paidAt("tzxz_cancelled", epoch)
	o.Ref, o.NextActionAt = "ref-1", epoch
	if err := create(ctx, s, o); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, got := s.Get(cancelled, o.OutTradeNo)
	_, due := s.Due(cancelled, epoch, 1)
	_, found := s.Find(cancelled, o.Ref)
	_, paid := s.Paid(cancelled, epoch, epoch.Add(time.Second), "", 1)
	_, events := s.Events(cancelled, o.OutTradeNo)
	for name, err := range map[string]error{"Get": got, "Due": due, "Find": found, "Paid": paid, "Events": events} {
		if err := refused(name+" with a cancelled context", err, context.Canceled); err != nil {
			return err
		}
	}
	return nil
}

// A context ends at any moment of a write. Whoever is told nil finds it done,
// whoever is told an error finds the order and its events either as before or
// both written.
func cancelledMidway(ctx context.Context, s orderstore.Store) error {
	const rounds, least = 60, 50 * time.Microsecond
	t := newTrail("tzxz_midway")
	began := time.Now()
	if err := must("Create", t.create(ctx, s)); err != nil {
		return err
	}
	takes := max(time.Since(began), least)
	for round := range rounds {
		o, err := s.Get(ctx, t.number)
		if err != nil {
			return must("Get after a write that was cut short", err)
		}
		short, cancel := context.WithTimeout(ctx, takes*time.Duration(2*round)/rounds)
		_ = t.save(short, s, o)
		cancel()
		if err := t.verify(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
