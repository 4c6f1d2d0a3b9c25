package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wxpaykit/wxpay/orderstore"
)

func raceCases() []Case {
	return []Case{
		{"Race/NoLostUpdate", raceUpdate},
		{"Race/OneCreateWins", raceCreate},
		{"Race/OneSaveWins", raceSave},
		{"Race/ManyOrders", raceMany},
		{"Race/VisibleAtOnce", raceVisible},
	}
}

// Sixty-four writers count one order up, each through orderstore.Update.
func raceUpdate(ctx context.Context, s orderstore.Store) error {
	const writers = 64
	o := plain("tzxz_race_update")
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	errs := parallel(writers, func(i int) error {
		_, err := orderstore.Update(ctx, s, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
			o.HandOverTries++
			o.Events = append(o.Events, noted(fmt.Sprint("writer ", i)))
			return o, true
		})
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	o.Version, o.HandOverTries = 1+writers, writers
	if err := holds(ctx, s, o); err != nil {
		return err
	}
	events, err := s.Events(ctx, o.OutTradeNo)
	if err != nil {
		return must("Events", err)
	}
	notes := make(map[string]bool)
	for _, e := range events {
		notes[e.Note] = true
	}
	if len(events) != 1+writers || len(notes) != 1+writers {
		return fmt.Errorf("%d events, %d different ones, after 1 create and %d updates", len(events), len(notes), writers)
	}
	return nil
}

// Two clicks are one order. The loser finds the winner's order at once.
func raceCreate(ctx context.Context, s orderstore.Store) error {
	const writers = 32
	order := func(i int) orderstore.Order {
		o := plain("tzxz_race_create")
		o.Device, o.Events = fmt.Sprint("device ", i), []orderstore.Event{noted(fmt.Sprint("writer ", i))}
		return o
	}
	var blind atomic.Int32
	errs := parallel(writers, func(i int) error {
		err := s.Create(ctx, order(i))
		if _, unseen := s.Get(ctx, order(i).OutTradeNo); unseen != nil {
			blind.Add(1)
		}
		return err
	})
	winner, err := wins(errs, orderstore.ErrExists)
	if err != nil {
		return must("Create", err)
	}
	if n := blind.Load(); n > 0 {
		return fmt.Errorf("%d of %d callers of Create could not Get the order afterwards", n, writers)
	}
	if err := holds(ctx, s, order(winner).Saved()); err != nil {
		return err
	}
	return history(ctx, s, order(winner).OutTradeNo, order(winner).Events...)
}

func raceSave(ctx context.Context, s orderstore.Store) error {
	const writers, rounds = 16, 8
	o := plain("tzxz_race_save")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	for range rounds {
		o = o.Saved()
		order := func(i int) orderstore.Order {
			o := o
			o.Device = fmt.Sprint("device ", i)
			return o
		}
		errs := parallel(writers, func(i int) error { return s.Save(ctx, order(i)) })
		winner, err := wins(errs, orderstore.ErrConflict)
		if err != nil {
			return must("Save", err)
		}
		o = order(winner)
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
	}
	return nil
}

// Writers of different orders never meet a conflict, nor each other.
func raceMany(ctx context.Context, s orderstore.Store) error {
	const writers, orders = 16, 8
	errs := parallel(writers, func(i int) error {
		for j := range orders {
			o := plain(fmt.Sprintf("tzxz_race_%d_%d", i, j))
			o.Total, o.Events = orderstore.Fen(100*i+j+1), []orderstore.Event{noted("created")}
			if err := create(ctx, s, o); err != nil {
				return err
			}
			o = o.Saved()
			o.PayStatus, o.Events = orderstore.Paid, []orderstore.Event{noted("paid")}
			if err := must("Save", s.Save(ctx, o)); err != nil {
				return err
			}
			if err := holds(ctx, s, o.Saved()); err != nil {
				return err
			}
			if err := history(ctx, s, o.OutTradeNo, noted("created"), noted("paid")); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

// While one writes, others read: nobody reads what is older than the last
// write that had returned when the read began.
func raceVisible(ctx context.Context, s orderstore.Store) error {
	const writes, readers = 40, 4
	o := plain("tzxz_race_visible")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	var written atomic.Int64
	written.Store(1)
	errs := parallel(1+readers, func(i int) error {
		if i == 0 {
			defer written.Store(writes + 1)
			return raceWrite(ctx, s, o, writes, &written)
		}
		for {
			least := written.Load()
			got, err := s.Get(ctx, o.OutTradeNo)
			switch {
			case err != nil:
				return must("Get", err)
			case got.Version < least:
				return fmt.Errorf("Get returned version %d after the write of version %d", got.Version, least)
			case least > writes:
				return nil
			}
		}
	})
	return errors.Join(errs...)
}

func raceWrite(ctx context.Context, s orderstore.Store, o orderstore.Order, writes int, written *atomic.Int64) error {
	for range writes {
		o = o.Saved()
		if err := must("Save", s.Save(ctx, o)); err != nil {
			return err
		}
		written.Store(o.Version + 1)
	}
	return nil
}
