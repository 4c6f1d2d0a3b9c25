package storetest

import (
	"context"

	"github.com/wxpaykit/wxpay/orderstore"
)

// PairCases returns what RunPair is made of, by name.
func PairCases() map[string]func(ctx context.Context, a, b orderstore.Store) error {
	cases := make(map[string]func(ctx context.Context, a, b orderstore.Store) error)
	for _, c := range pairCases() {
		cases[c.name] = func(ctx context.Context, a, b orderstore.Store) error { return c.run(ctx, pair{a, b}) }
	}
	return cases
}

// LostCases returns what RunFaulty is made of, by name.
func LostCases() map[string]func(ctx context.Context, database string, open func(addr string) orderstore.Store) error {
	cases := make(map[string]func(context.Context, string, func(string) orderstore.Store) error)
	for _, c := range lostCases() {
		cases[c.name] = func(ctx context.Context, database string, open func(addr string) orderstore.Store) error {
			n, err := newNetwork(ctx, database)
			if err != nil {
				return err
			}
			defer n.close()
			return c.run(ctx, open(n.addr()), n)
		}
	}
	return cases
}
