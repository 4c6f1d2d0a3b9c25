package storetest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func errorLies() []lie {
	all := errors.Join(orderstore.ErrExists, orderstore.ErrNotFound, orderstore.ErrConflict, context.Canceled)
	sentinels := []string{
		"Create/TakenNumberIsErrExists", "Get/UnknownNumberIsErrNotFound", "Save/OldVersionIsErrConflict",
		"Save/MissingOrderIsErrConflict", "Context/CancelledWritesNothing", "Context/CancelledReadsNothing",
	}
	return []lie{
		{"errors are the driver's own", func(l *liar) {
			l.onErrors(func(err error) error { return errors.New(err.Error()) })
		}, sentinels},
		{"one error for everything", func(l *liar) {
			l.onErrors(func(error) error { return all })
		}, sentinels},
		{"ErrNotFound for ErrConflict", func(l *liar) {
			l.onErrors(func(err error) error {
				if errors.Is(err, orderstore.ErrConflict) {
					return orderstore.ErrNotFound
				}
				return err
			})
		}, []string{"Save/MissingOrderIsErrConflict", "Save/OldVersionIsErrConflict"}},
		{"ErrConflict for ErrNotFound", func(l *liar) {
			l.onErrors(func(err error) error {
				if errors.Is(err, orderstore.ErrNotFound) {
					return orderstore.ErrConflict
				}
				return err
			})
		}, []string{"Get/UnknownNumberIsErrNotFound"}},
		{"nil for an unknown number", func(l *liar) { l.onErrors(func(error) error { return nil }) },
			[]string{"Get/UnknownNumberIsErrNotFound"}},
		{"the context is ignored", func(l *liar) {
			s := l.honest
			l.create = func(ctx context.Context, o orderstore.Order) error { return s.Create(context.WithoutCancel(ctx), o) }
			l.events = func(ctx context.Context, number string) ([]orderstore.Event, error) {
				return s.Events(context.WithoutCancel(ctx), number)
			}
		}, []string{"Context/CancelledWritesNothing", "Context/CancelledReadsNothing"}},
		{"Paid ignores the context", func(l *liar) {
			l.paid = func(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
				return l.honest.Paid(context.WithoutCancel(ctx), from, to, after, limit)
			}
		}, []string{"Context/CancelledReadsNothing"}},
		{"the events are written in a transaction of their own", func(l *liar) {
			table := &eventTable{lists: make(map[string][][]orderstore.Event), key: func(number string) string { return number }}
			table.serve(l)
			write := func(honest func(context.Context, orderstore.Order) error) func(context.Context, orderstore.Order) error {
				return func(ctx context.Context, o orderstore.Order) error {
					err := honest(ctx, o)
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					if ctx.Err() == nil {
						table.add(o.OutTradeNo, o.Events)
					}
					return ctx.Err()
				}
			}
			l.create, l.save = write(l.honest.Create), write(l.honest.Save)
		}, []string{"Context/CancelledMidwayIsAllOrNothing"}},
		{"the context's error is returned, and the order is written", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				return errors.Join(l.honest.Save(context.WithoutCancel(ctx), o), ctx.Err())
			}
		}, []string{"Context/CancelledWritesNothing"}},
	}
}

func raceLies() []lie {
	const pause = 2 * time.Millisecond
	return []lie{
		{"Save looks first and writes later", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				if now, err := l.honest.Get(ctx, o.OutTradeNo); err != nil || now.Version != o.Version {
					return orderstore.ErrConflict
				}
				time.Sleep(pause)
				return l.overwrite(ctx, o)
			}
		}, []string{"Race/NoLostUpdate", "Race/OneSaveWins", "Race/OneClaimWins", "Race/EverySuccessCounts"}},
		{"Create looks first and writes later", func(l *liar) {
			l.create = func(ctx context.Context, o orderstore.Order) error {
				if _, err := l.honest.Get(ctx, o.OutTradeNo); err == nil {
					return orderstore.ErrExists
				}
				time.Sleep(pause)
				_ = l.honest.Create(ctx, o)
				return nil
			}
		}, []string{"Race/OneCreateWins"}},
		{"the database is locked", func(l *liar) {
			var mu sync.Mutex
			l.save = func(ctx context.Context, o orderstore.Order) error {
				if !mu.TryLock() {
					return errors.New("database is locked")
				}
				defer mu.Unlock()
				time.Sleep(pause)
				return l.honest.Save(ctx, o)
			}
		}, []string{"Race/ManyOrders", "Race/NoLostUpdate", "Race/OneSaveWins"}},
		{"a search lags behind", func(l *liar) {
			var mu sync.Mutex
			var before []orderstore.Order
			l.onFind(func(list []orderstore.Order) []orderstore.Order {
				mu.Lock()
				defer mu.Unlock()
				list, before = before, list
				return list
			})
		}, []string{"Race/VisibleToEveryRead"}},
		{"reads lag one write behind", lag, []string{"Race/VisibleAtOnce", "Save/CountsTheVersion"}},
	}
}

// lag is a read replica.
func lag(l *liar) {
	var mu sync.Mutex
	before := make(map[string]orderstore.Order)
	l.save = func(ctx context.Context, o orderstore.Order) error {
		mu.Lock()
		defer mu.Unlock()
		if old, err := l.honest.Get(ctx, o.OutTradeNo); err == nil {
			before[o.OutTradeNo] = old
		}
		return l.honest.Save(ctx, o)
	}
	l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
		mu.Lock()
		defer mu.Unlock()
		if old, ok := before[number]; ok {
			return old, nil
		}
		return l.honest.Get(ctx, number)
	}
}
