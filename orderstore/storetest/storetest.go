// Package storetest holds the laws of [orderstore.Store] as tests that any
// store can run. It is the contract for a team that writes a store on its own
// database; the test of such a store is a few lines:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) orderstore.Store {
//			return mystore.New(emptyDatabase(t))
//		})
//	}
//
// [RunPair] holds two stores in one database to each other, as two processes
// are; an application that is replaced without a pause is two for a moment.
// [RunFaulty] is for a database behind a network, and cuts the connections.
// Run all that apply: what a store was not tested for it does not hold.
//
// Nothing can be switched off. A store that passes may be given real money,
// with one exception: no test can pull the plug. That a returned nil survives
// the loss of power must be read in the database's manual and settings.
//
// What a store must take: numbers as WeChat Pay allows them, text in all of
// Unicode (4-byte emoji included, without U+0000), money up to the largest
// int64, times at microseconds from the year 1000 to 9999, a note of 16 KiB,
// and 50 refunds of 2 KiB each.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Case is one law of [orderstore.Store]. Run returns an error that says how
// the store broke it, or nil; it needs an empty store of its own.
type Case struct {
	Name string
	Run  func(ctx context.Context, s orderstore.Store) error
}

// patience is how long one case may take: enough for a database across a slow
// network, and an end for a store that waits for itself.
const patience = 2 * time.Minute

// Run tests the stores that open returns against every law, one subtest for
// each [Case], one after the other. open is called once for each and returns
// an empty store; it cleans up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) orderstore.Store) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := c.Run(ctx, open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Cases returns all laws. [Run] is made of them; they are for those who test
// without package testing, or who test this suite.
func Cases() []Case {
	return slices.Concat(
		createCases(),
		saveCases(),
		updateCases(),
		valueCases(),
		eventCases(),
		dueCases(),
		findCases(),
		paidCases(),
		refundCases(),
		raceCases(),
		contextCases(),
	)
}
