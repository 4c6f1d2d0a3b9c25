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
