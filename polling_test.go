package wxpay_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// countingGets is a store that counts how often an order is read.
type countingGets struct {
	orderstore.Store
	gets atomic.Int64
}

func (c *countingGets) Get(ctx context.Context, no string) (orderstore.Order, error) {
	c.gets.Add(1)
	return c.Store.Get(ctx, no)
}

// TestPollingReads: an answer costs the store one read, and one more where
// WeChat's answer is applied to the order.
func TestPollingReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(s *shop, no string)
		reads  int64
		stale  bool
	}{
		{"asked now", func(*shop, string) {}, 2, false},
		{"asked just now", func(s *shop, no string) { s.status(no) }, 1, false},
		{"asked just now, in vain", func(s *shop, no string) {
			s.sim.Fault(wxsim.Fault{Target: "query", Fault: "status_500", Count: 3})
			s.status(no)
		}, 1, true},
		{"the budget is used up", func(s *shop, _ string) {
			s.status(s.buy("native", "u1").OutTradeNo)
			s.status(s.buy("native", "u1").OutTradeNo)
		}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := new(countingGets)
			s := open(t, newFrozen().use, func(o *wxpay.Options) { store.Store, o.Store, o.AskRate = o.Store, store, 2 })
			no := s.buy("native", "u1").OutTradeNo
			c.before(s, no)
			store.gets.Store(0)
			if o := s.status(no); o.Stale != c.stale {
				t.Errorf("status: %+v", o)
			}
			if n := store.gets.Load(); n != c.reads {
				t.Errorf("%d reads, want %d", n, c.reads)
			}
		})
	}
}

// TestPollingBudget: 5,000 pages, each with an order of its own, cost WeChat the
// budget however often they poll, and the store a read for each answer.
func TestPollingBudget(t *testing.T) {
	t.Parallel()
	const pages, rate = 5000, 50 // the default of Options.AskRate
	now := newFrozen()
	store := new(countingGets)
	s := open(t, now.use, func(o *wxpay.Options) { store.Store, o.Store = o.Store, store })
	number := func(i int) string { return fmt.Sprintf("polled%08d", i) }
	for i := range pages {
		o := orderstore.Order{OutTradeNo: number(i), UserID: "u1", Total: 100, Currency: orderstore.CNY, Product: orderstore.Native, ExpiresAt: now.now().Add(time.Hour)}
		if err := s.store.Create(t.Context(), o.Opened(now.now(), 0)); err != nil {
			t.Fatal(err)
		}
	}
	store.gets.Store(0)
	const rounds = 3
	for round := 1; round <= rounds; round++ {
		together(pages, func(i int) {
			r := httptest.NewRequest("GET", "/pay/orders/"+number(i), nil)
			r.Header.Set("X-User", "u1")
			w := httptest.NewRecorder()
			if s.kit.ServeHTTP(w, r); w.Code != 200 {
				t.Errorf("answer %d %s", w.Code, w.Body)
			}
		})
		if n := s.sim.Requests("query"); n != round*rate {
			t.Errorf("%d queries after %d seconds, want %d", n, round-1, round*rate)
		}
		now.advance(time.Second)
	}
	if n := store.gets.Load(); n != rounds*pages {
		t.Errorf("%d reads for %d answers", n, rounds*pages)
	}
}
