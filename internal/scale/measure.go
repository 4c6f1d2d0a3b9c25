package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// How many orders a call of Due and of Paid returns at most, how long Paid
// looks ahead, and how many of the newest orders count as recent.
const (
	dueLimit  = 64
	paidLimit = 100
	paidSpan  = 24 * time.Hour
	recent    = 5000
)

// cost is what one kind of call takes.
type cost struct {
	call        string
	median, p99 time.Duration
}

// gauge measures a store with orders 1 to last.
type gauge struct {
	store orderstore.Store
	last  int64
	calls int
	rand  *rand.Rand
}

// call is one kind of call.
type call struct {
	name  string
	share int // one of so many calls is made
	once  func(context.Context) (time.Duration, error)
}

// kindsOfCalls are what is measured; the orders that are created follow the
// last.
func (g *gauge) kindsOfCalls() []call {
	anywhere := func() int64 { return 1 + g.rand.Int64N(g.last) }
	newest := func() int64 { return g.last - g.rand.Int64N(min(recent, g.last)) }
	return []call{
		{"Create", 1, g.create},
		{"Create, number derived", 1, g.createDerived},
		{"Get, any", 1, g.get(anywhere)},
		{"Get, recent", 1, g.get(newest)},
		{"Save, any", 1, g.save(anywhere)},
		{"Save, recent", 1, g.save(newest)},
		{"Due", 5, g.due},
		{"Paid", 5, g.paid},
	}
}

// measure runs every kind of call on every store, and adds what it took to the
// results. The stores take turns, call by call, so that whatever else the
// machine does slows all of them down alike.
func measure(ctx context.Context, gauges []*gauge, results []result) error {
	for kind, c := range gauges[0].kindsOfCalls() {
		took := make([][]time.Duration, len(gauges))
		for range gauges[0].calls / c.share {
			for i, g := range gauges {
				d, err := g.kindsOfCalls()[kind].once(ctx)
				if err != nil {
					return fmt.Errorf("%s at %d: %w", c.name, g.last, err)
				}
				took[i] = append(took[i], d)
			}
		}
		for i := range results {
			slices.Sort(took[i])
			n := len(took[i])
			results[i].costs = append(results[i].costs, cost{c.name, took[i][n/2], took[i][n*99/100]})
		}
	}
	return nil
}

func (g *gauge) create(ctx context.Context) (time.Duration, error) {
	g.last++
	return g.createAs(ctx, number(g.last), g.last)
}

func (g *gauge) createDerived(ctx context.Context) (time.Duration, error) {
	i := 1 + g.rand.Int64N(g.last)
	return g.createAs(ctx, derivedNumber(i, g.rand.IntN(1_000_000)), g.last)
}

// createAs stores an order as the kit does when a customer asks to pay.
func (g *gauge) createAs(ctx context.Context, number string, i int64) (time.Duration, error) {
	o, err := prepaid(number, int(i%slots), createdAt(i))
	if err != nil {
		return 0, err
	}
	if o.Ref != "" {
		o.Ref = "ref_" + number
	}
	o.NextActionAt = never
	begin := time.Now()
	err = g.store.Create(ctx, o)
	return time.Since(begin), err
}

// never is when the created orders are due: they keep out of the way of Due,
// which finds as many orders in every store.
var never = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func (g *gauge) get(which func() int64) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		wanted := number(which())
		begin := time.Now()
		_, err := g.store.Get(ctx, wanted)
		return time.Since(begin), err
	}
}

// save writes a line into the history of an order; only Save is timed.
func (g *gauge) save(which func() int64) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		o, err := g.store.Get(ctx, number(which()))
		if err != nil {
			return 0, err
		}
		o.UpdatedAt = o.UpdatedAt.Add(time.Second)
		o.Events = []orderstore.Event{{At: o.UpdatedAt, Kind: orderstore.EventHandOverFailed, Note: "the application is busy"}}
		begin := time.Now()
		err = g.store.Save(ctx, o)
		return time.Since(begin), err
	}
}

func (g *gauge) due(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	found, err := g.store.Due(ctx, never.Add(-time.Second), dueLimit)
	took := time.Since(begin)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("nothing is due")
	}
	return took, err
}

func (g *gauge) paid(ctx context.Context) (time.Duration, error) {
	from := createdAt(g.rand.Int64N(max(g.last-2*paidLimit, 1)))
	begin := time.Now()
	_, err := g.store.Paid(ctx, from, from.Add(paidSpan), "", paidLimit)
	return time.Since(begin), err
}
