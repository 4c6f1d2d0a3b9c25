//go:build cluster

package replicas

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// survive lets customers pay through the stores while disaster strikes, with
// replicas at work that the caller has started. Afterwards witness, which is
// one that has seen it, must have every payment that was acknowledged, and each
// must be handed over, once.
func (s *server) survive(stores []orderstore.Store, witness orderstore.Store, disaster func()) {
	t := s.t
	const customers, long = 6, 40 * time.Second
	told := make([][]string, customers) // orders whose payment was acknowledged
	var failed atomic.Int64
	over, end := context.WithTimeout(t.Context(), long)
	defer end()
	var all sync.WaitGroup
	for c := range customers {
		all.Go(func() {
			for i := 0; over.Err() == nil; i++ {
				number := fmt.Sprintf("tzxz_%d_%05d", c, i)
				if payAnywhere(t, stores, number, &failed) {
					told[c] = append(told[c], number)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	time.Sleep(long / 5)
	disaster()
	all.Wait()
	acknowledged := 0
	for _, numbers := range told {
		acknowledged += len(numbers)
		for _, number := range numbers {
			if o, err := witness.Get(t.Context(), number); err != nil || o.PayStatus != orderstore.Paid {
				t.Errorf("%s was acknowledged as paid, and afterwards is %v, %v", number, o.PayStatus, err)
			}
		}
	}
	s.eventually("every paid order is handed over", 90*time.Second, func() bool {
		return s.count("SELECT count(*) FROM pay_order_record WHERE pay_status = 1 AND handed_over_at IS NULL") == 0
	})
	paid := s.count("SELECT count(*) FROM pay_order_record WHERE pay_status = 1")
	t.Logf("%d payments acknowledged, %d orders paid, %d tries failed", acknowledged, paid, failed.Load())
	if paid < int64(acknowledged) || acknowledged < 500 || failed.Load() == 0 {
		t.Error("that is too few payments, or no failure at all")
	}
	if n := s.count(`SELECT count(*) FROM (SELECT out_trade_no FROM pay_order_event WHERE kind IN ('paid', 'handed_over')
		GROUP BY out_trade_no, kind HAVING count(*) > 1) twice`); n != 0 {
		t.Errorf("%d orders were paid or handed over twice", n)
	}
}

// payAnywhere places an order and pays it through stores drawn at random, as
// WeChat repeats a notification: until one of them takes it, thirty times at
// most.
func payAnywhere(t *testing.T, stores []orderstore.Store, number string, failed *atomic.Int64) bool {
	for range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		store := stores[rand.N(len(stores))]
		err := store.Create(ctx, newOrder(number))
		if err == nil || errors.Is(err, orderstore.ErrExists) {
			_, err = orderstore.Update(ctx, store, number, func(o orderstore.Order) (orderstore.Order, bool) {
				next := pay(o)
				return next, next.Changed(o)
			})
		}
		cancel()
		if err == nil {
			return true
		}
		if errors.Is(err, orderstore.ErrNotFound) {
			t.Errorf("%s was created, and then: %v", number, err)
		}
		failed.Add(1)
		time.Sleep(200 * time.Millisecond)
	}
	return false
}
