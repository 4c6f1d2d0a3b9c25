package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

func TestRunPairWithHonestStore(t *testing.T) {
	t.Parallel()
	storetest.RunPair(t, func(*testing.T) (a, b orderstore.Store) {
		s := memory.New()
		return s, s
	})
}

// pairLies are faults that one process alone does not have.
func pairLies() []lie {
	const pause = time.Millisecond
	var file sync.Mutex // that both processes have open
	return []lie{
		{"each process has a cache of orders", func(l *liar) {
			var cache sync.Map
			l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
				if o, ok := cache.Load(number); ok {
					return o.(orderstore.Order), nil
				}
				o, err := l.honest.Get(ctx, number)
				if err == nil {
					cache.Store(number, o)
				}
				return o, err
			}
			l.save = func(ctx context.Context, o orderstore.Order) error {
				cache.Delete(o.OutTradeNo)
				return l.honest.Save(ctx, o)
			}
		}, []string{"VisibleAtOnce", "VisibleToEveryRead"}},
		{"the lock of Save is the process's own", func(l *liar) {
			var mu sync.Mutex
			l.save = func(ctx context.Context, o orderstore.Order) error {
				mu.Lock()
				defer mu.Unlock()
				if now, err := l.honest.Get(ctx, o.OutTradeNo); err != nil || now.Version != o.Version {
					return orderstore.ErrConflict
				}
				time.Sleep(pause)
				return l.overwrite(ctx, o)
			}
		}, []string{"NoLostUpdate", "OneSaveWins", "OneClaimWins", "EverySuccessCounts"}},
		{"the lock of Create is the process's own", func(l *liar) {
			var mu sync.Mutex
			l.create = func(ctx context.Context, o orderstore.Order) error {
				mu.Lock()
				defer mu.Unlock()
				if _, err := l.honest.Get(ctx, o.OutTradeNo); err == nil {
					return orderstore.ErrExists
				}
				time.Sleep(pause)
				_ = l.honest.Create(ctx, o)
				return nil
			}
		}, []string{"OneCreateWins"}},
		{"the file is locked", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				if !file.TryLock() {
					return errors.New("database is locked")
				}
				defer file.Unlock()
				time.Sleep(pause)
				return l.honest.Save(ctx, o)
			}
		}, []string{"ManyOrders", "NoLostUpdate"}},
	}
}

func TestEveryLieOfAPairIsCaught(t *testing.T) {
	t.Parallel()
	cases, proved := storetest.PairCases(), make(map[string]bool)
	for _, lie := range pairLies() {
		for _, name := range lie.caught {
			proved[name] = true
			run, ok := cases[name]
			if !ok {
				t.Fatalf("there is no case %q", name)
			}
			database := memory.New()
			a, b := newLiarWith(database), newLiarWith(database)
			lie.tell(a)
			lie.tell(b)
			if err := run(t.Context(), a, b); err == nil {
				t.Errorf("%s was not caught by %s", lie.name, name)
			} else {
				t.Logf("%s: %s: %v", lie.name, name, err)
			}
		}
	}
	for name := range cases {
		if !proved[name] {
			t.Errorf("no lie proves that case %s can fail", name)
		}
	}
}
