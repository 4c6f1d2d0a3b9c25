//go:build cgo

package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// How long one order takes to be written and read. A write ends when the disk
// has it, so the disk decides.
func BenchmarkStore(b *testing.B) {
	s := open(b, newPath(b))
	if err := s.Create(b.Context(), newOrder("tzxz_1")); err != nil {
		b.Fatal(err)
	}
	b.Run("Get", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(b.Context(), "tzxz_1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Update", func(b *testing.B) {
		for b.Loop() {
			if _, err := orderstore.Update(b.Context(), s, "tzxz_1", touch); err != nil {
				b.Fatal(err)
			}
		}
	})
	var n atomic.Int64
	b.Run("CreateInParallel", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := s.Create(b.Context(), newOrder(fmt.Sprint("tzxz_b", n.Add(1)))); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// How long a Save takes while others are under way, each of an order of its
// own: the disk is asked once for all that wait together.
func BenchmarkSaveParallel(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("InFlight=%d", writers), func(b *testing.B) {
			s := open(b, newPath(b))
			orders := make([]orderstore.Order, writers)
			for i := range orders {
				orders[i] = newOrder(fmt.Sprintf("tzxz_%d", i))
				if err := s.Create(b.Context(), orders[i]); err != nil {
					b.Fatal(err)
				}
				orders[i] = orders[i].Saved()
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for _, o := range orders {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if err := s.Save(b.Context(), o); err != nil {
							b.Error(err)
							return
						}
						o = o.Saved()
					}
				})
			}
			wg.Wait()
		})
	}
}
