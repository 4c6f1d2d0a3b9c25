package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// writers is how many write at once.
const writers = 64

func pairCases() []pairCase {
	return []pairCase{
		{"NoLostUpdate", raceUpdate},
		{"OneCreateWins", raceCreate},
		{"OneSaveWins", raceSave},
		{"OneClaimWins", raceClaim},
		{"EverySuccessCounts", raceCount},
		{"ManyOrders", raceMany},
		{"VisibleAtOnce", raceVisible},
		{"VisibleToEveryRead", raceReads},
	}
}

// Sixty-four writers count one order up, each through orderstore.Update.
func raceUpdate(ctx context.Context, p pair) error {
	o := plain("tzxz_race_update")
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, p[0], o); err != nil {
		return err
	}
	errs := parallel(writers, func(i int) error {
		_, err := orderstore.Update(ctx, p.of(i), o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
			o.HandOverTries++
			o.Events = append(o.Events, noted(fmt.Sprint("writer ", i)))
			return o, true
		})
		return err
	})
	if err := first(errs); err != nil {
		return err
	}
	o.Version, o.HandOverTries = 1+writers, writers
	if err := holds(ctx, p[1], o); err != nil {
		return err
	}
	events, err := p[1].Events(ctx, o.OutTradeNo)
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

// Two clicks are one order, whether they ask for the same or not. The loser
// finds the winner's order at once.
func raceCreate(ctx context.Context, p pair) error {
	order := func(i int) orderstore.Order {
		o := plain("tzxz_race_create")
		o.Device, o.Events = fmt.Sprint("device ", i%4), []orderstore.Event{noted(fmt.Sprint("click ", i%4))}
		return o
	}
	var blind atomic.Int32
	errs := parallel(writers, func(i int) error {
		err := p.of(i).Create(ctx, order(i))
		if _, unseen := p.of(i+1).Get(ctx, order(i).OutTradeNo); unseen != nil {
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
	if err := holds(ctx, p.of(winner+1), order(winner).Saved()); err != nil {
		return err
	}
	return history(ctx, p.of(winner+1), order(winner).OutTradeNo, order(winner).Events...)
}

func raceSave(ctx context.Context, p pair) error {
	const rounds = 4
	o := plain("tzxz_race_save")
	if err := create(ctx, p[0], o); err != nil {
		return err
	}
	for range rounds {
		o = o.Saved()
		order := func(i int) orderstore.Order {
			o := o
			o.Device = fmt.Sprint("device ", i)
			return o
		}
		errs := parallel(writers, func(i int) error { return p.of(i).Save(ctx, order(i)) })
		winner, err := wins(errs, orderstore.ErrConflict)
		if err != nil {
			return must("Save", err)
		}
		o = order(winner)
		if err := holds(ctx, p.of(winner+1), o.Saved()); err != nil {
			return err
		}
	}
	return nil
}

// Workers of several processes ask what is due and claim it by saving it. What
// is due is the same for all of them, so they meet on every order, and each
// order goes to one of them.
func raceClaim(ctx context.Context, p pair) error {
	const orders, workers, limit = 24, 8, 5
	for i := range orders {
		if err := create(ctx, p[0], dueAt(fmt.Sprintf("tzxz_claim_%02d", i), epoch)); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	claims := make(map[string]int)
	errs := parallel(workers, func(i int) error {
		for range orders * writers { // far more than it takes
			due, err := p.of(i).Due(ctx, epoch, limit)
			if err != nil || len(due) == 0 {
				return must("Due", err)
			}
			for _, o := range due {
				o.NextActionAt = epoch.Add(time.Hour)
				switch err := p.of(i).Save(ctx, o); {
				case err == nil:
					mu.Lock()
					claims[o.OutTradeNo]++
					mu.Unlock()
				case !errors.Is(err, orderstore.ErrConflict):
					return must("Save of a claim", err)
				}
			}
		}
		return errors.New("what is due does not become less by being claimed")
	})
	if err := first(errs); err != nil {
		return err
	}
	for number, n := range claims {
		if n != 1 {
			return fmt.Errorf("%s was claimed by %d workers at once", number, n)
		}
	}
	if len(claims) != orders {
		return fmt.Errorf("%d of %d due orders were claimed: %v", len(claims), orders, claims)
	}
	return nil
}

// Many write a few orders, each once for what it read, and nobody tries again.
// Each version has one winner, and as many were made as writers were told nil.
func raceCount(ctx context.Context, p pair) error {
	const orders, rounds = 4, 6
	trails := make([]*trail, orders)
	for i := range trails {
		trails[i] = newTrail(fmt.Sprint("tzxz_race_count_", i))
		if err := must("Create", trails[i].create(ctx, p[0])); err != nil {
			return err
		}
	}
	errs := parallel(writers, func(i int) error {
		for round := range rounds {
			t := trails[(i+round)%orders]
			o, err := p.of(i).Get(ctx, t.number)
			if err != nil {
				return must("Get", err)
			}
			if err := t.save(ctx, p.of(i), o); err != nil && !errors.Is(err, orderstore.ErrConflict) {
				return must("Save", err)
			}
		}
		return nil
	})
	for i, t := range trails {
		errs = append(errs, t.verify(ctx, p.of(i)))
	}
	return first(errs)
}

// Writers of different orders never meet a conflict, nor each other.
func raceMany(ctx context.Context, p pair) error {
	const orders = 4
	errs := parallel(writers, func(i int) error {
		s, other := p.of(i), p.of(i+1)
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
			if err := holds(ctx, other, o.Saved()); err != nil {
				return err
			}
			if err := history(ctx, other, o.OutTradeNo, noted("created"), noted("paid")); err != nil {
				return err
			}
		}
		return nil
	})
	return first(errs)
}
