package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// While one writes, others read: nobody reads what is older than the last
// write that had returned when the read began.
func raceVisible(ctx context.Context, p pair) error {
	const writes, readers = 40, 4
	o := plain("tzxz_race_visible")
	if err := create(ctx, p[0], o); err != nil {
		return err
	}
	for _, s := range p { // whoever keeps what it read has something to keep now
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
	}
	var written atomic.Int64
	written.Store(1)
	errs := parallel(1+readers, func(i int) error {
		if i == 0 {
			defer written.Store(writes + 1)
			return raceWrite(ctx, p[0], o, writes, &written)
		}
		for {
			least := written.Load()
			got, err := p.of(i).Get(ctx, o.OutTradeNo)
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
	return first(errs)
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

// What a write returned nil for is in the answer of every read that begins
// afterwards, whoever asks.
func raceReads(ctx context.Context, p pair) error {
	const rounds, readers = 12, 2
	o := plain("tzxz_race_reads")
	o.Ref = "ref-1"
	if err := create(ctx, p[1], o); err != nil {
		return err
	}
	var notes []orderstore.Event
	for round := range rounds {
		at := epoch.Add(time.Duration(round) * time.Second)
		o = o.Saved()
		o.Ref, o.NextActionAt, o.PayStatus, o.PaidAt = fmt.Sprint("ref-", round), at, orderstore.Paid, at
		o.Events = []orderstore.Event{noted(fmt.Sprint("round ", round))}
		notes = append(notes, o.Events...)
		if err := must("Save", p.of(round).Save(ctx, o)); err != nil {
			return err
		}
		reads := []func(s orderstore.Store) error{
			func(s orderstore.Store) error { return holds(ctx, s, o.Saved()) },
			func(s orderstore.Store) error { return isDue(ctx, s, at, 1, o.OutTradeNo) },
			func(s orderstore.Store) error { return isDue(ctx, s, at.Add(-time.Microsecond), 1) },
			func(s orderstore.Store) error { return finds(ctx, s, o.Ref, o.OutTradeNo) },
			func(s orderstore.Store) error { return isPaid(ctx, s, at, at.Add(time.Second), 1, o.OutTradeNo) },
			func(s orderstore.Store) error { return isPaid(ctx, s, epoch.Add(-time.Hour), at, 1) },
			func(s orderstore.Store) error { return history(ctx, s, o.OutTradeNo, notes...) },
		}
		errs := parallel(readers*len(reads), func(i int) error { return reads[i/readers](p.of(i)) })
		if err := first(errs); err != nil {
			return fmt.Errorf("after the write of version %d: %w", o.Version+1, err)
		}
	}
	return nil
}
