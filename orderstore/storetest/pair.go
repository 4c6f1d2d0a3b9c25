package storetest

import (
	"context"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// RunPair tests two stores that keep their orders in one database, as two
// processes of one application do: what one of them wrote, the other sees, and
// of two that write the same, one wins. open is called once for each law and
// returns two stores, opened separately on one empty database; it cleans up
// with t.Cleanup.
//
// A store that only [Run] was run with is for a single process, and an
// application that is replaced without a pause is two for a moment.
func RunPair(t *testing.T, open func(t *testing.T) (a, b orderstore.Store)) {
	t.Helper()
	for _, c := range pairCases() {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			a, b := open(t)
			if err := c.run(ctx, pair{a, b}); err != nil {
				t.Error(err)
			}
		})
	}
}

// pair is two stores in one database, or one store twice.
type pair [2]orderstore.Store

// of is the store of the writer with that number.
func (p pair) of(writer int) orderstore.Store { return p[writer%len(p)] }

// pairCase is one law of a pair.
type pairCase struct {
	name string
	run  func(ctx context.Context, p pair) error
}

// raceCases are the laws of a pair, for one store used by many at once.
func raceCases() []Case {
	var list []Case
	for _, c := range pairCases() {
		list = append(list, Case{"Race/" + c.name, func(ctx context.Context, s orderstore.Store) error {
			return c.run(ctx, pair{s, s})
		}})
	}
	return list
}
