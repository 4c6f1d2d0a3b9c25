package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// TestEldest keeps the oldest, each once, and not more than it needs.
func TestEldest(t *testing.T) {
	t.Parallel()
	var e eldest
	at := time.Unix(1_800_000_000, 0)
	for range 2 {
		for i := range 3 * maxEldest {
			n := i * 7 % (3 * maxEldest) // in no order
			e.add(fmt.Sprint("order-", n), at.Add(time.Duration(n)*time.Second))
		}
	}
	all := e.all()
	if len(all) != maxEldest {
		t.Fatalf("%d are kept, want %d", len(all), maxEldest)
	}
	for i, s := range all {
		if want := fmt.Sprint("order-", i); s.outTradeNo != want {
			t.Errorf("%d. is %s, want %s", i, s.outTradeNo, want)
		}
	}
}

// emptied is a store whose orders somebody has deleted.
type emptied struct{ orderstore.Store }

func (emptied) Get(context.Context, string) (orderstore.Order, error) {
	return orderstore.Order{}, orderstore.ErrNotFound
}

// TestEldestDeleted: an order that is no more waits for nothing.
func TestEldestDeleted(t *testing.T) {
	t.Parallel()
	var e eldest
	e.add("order-1", time.Unix(1_800_000_000, 0))
	at, err := e.first(t.Context(), emptied{}, orderstore.Order.ToHandOver)
	if !at.IsZero() || err != nil || len(e.all()) != 0 {
		t.Errorf("%v, %v, %v", at, err, e.all())
	}
}
