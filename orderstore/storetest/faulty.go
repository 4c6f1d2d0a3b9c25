package storetest

import (
	"context"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// RunFaulty tests a store whose database is reached over TCP while the
// connections to it are lost: before each piece of a conversation, in the
// middle of it, after the database has done what was asked and before it could
// say so, at random among many writers, and in silence.
//
// database is the host:port of the real one. open is called once for each law,
// with the host:port of a proxy in front of it, and returns an empty store that
// has no other way to its database; it cleans up with t.Cleanup:
//
//	func TestStoreLosesConnections(t *testing.T) {
//		storetest.RunFaulty(t, "127.0.0.1:3306", func(t *testing.T, addr string) orderstore.Store {
//			return open(t, "shop:secret@tcp("+addr+")/test")
//		})
//	}
//
// A write that returns an error may have happened or not, but whole: the order
// and its events. One that returns [orderstore.ErrConflict] or
// [orderstore.ErrExists] has not. A read returns all or an error, and
// [orderstore.ErrNotFound] only if the database said so. Nothing waits longer
// than its context. When connections hold again, the store does too.
func RunFaulty(t *testing.T, database string, open func(t *testing.T, addr string) orderstore.Store) {
	t.Helper()
	for _, c := range lostCases() {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			n, err := newNetwork(ctx, database)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(n.close)
			if err := c.run(ctx, open(t, n.addr()), n); err != nil {
				t.Error(err)
			}
		})
	}
}

// lostCase is one law of a store behind a network.
type lostCase struct {
	name string
	run  func(ctx context.Context, s orderstore.Store, n *network) error
}
