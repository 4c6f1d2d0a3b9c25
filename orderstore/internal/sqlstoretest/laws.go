package sqlstoretest

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

// Laws runs package storetest, with the settings as they are, at either
// isolation, and with the variants.
func Laws(t *testing.T, s Server) {
	variants := map[string]Settings{"": nil}
	for _, level := range []string{"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"} {
		variants[level] = s.Isolation(level)
	}
	maps.Copy(variants, s.Variants)
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		t.Run("with "+name, func(t *testing.T) {
			t.Parallel()
			db, _ := s.database(t, variants[name])
			store := s.open(t, db, Options{})
			storetest.Run(t, func(t *testing.T) orderstore.Store {
				t.Cleanup(func() { clear(t, db) })
				return store
			})
		})
	}
}

// clear deletes all orders.
func clear(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range []string{"pay_order_event", "pay_order_record"} {
		if _, err := db.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
}

// Writers runs sixty-four writers on two pools, on orders of their own and on
// one they share, with readers beside them. Nobody may ever hear of a deadlock,
// and no event may be lost or counted twice.
func Writers(t *testing.T, s Server) {
	for _, level := range []string{"READ COMMITTED", "REPEATABLE READ"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			const writers, writes = 64, 4
			db, name := s.database(t, s.Isolation(level))
			other := s.Connect(t, s.Addr, name, s.Isolation(level))
			stores := [...]Store{s.open(t, db, Options{}), s.open(t, other, Options{})}
			create(t, stores[0], NewOrder("tzxz_shared"))
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					store, own := stores[i%2], fmt.Sprintf("tzxz_own_%d", i)
					if err := store.Create(t.Context(), NewOrder(own)); err != nil {
						t.Error(err)
					}
					for range writes {
						for _, number := range []string{own, "tzxz_shared"} {
							if _, err := orderstore.Update(t.Context(), store, number, touch); err != nil {
								t.Error(err)
							}
						}
						if _, err := stores[(i+1)%2].Due(t.Context(), epoch, 10); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			check(t, db, stores[1], "tzxz_shared", 1+writers*writes, 1+writers*writes)
			for i := range writers {
				check(t, db, stores[1], fmt.Sprintf("tzxz_own_%d", i), 1+writes, 1+writes)
			}
		})
	}
}
