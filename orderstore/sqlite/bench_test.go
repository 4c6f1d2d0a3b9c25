//go:build cgo

package sqlite_test

import (
	"fmt"
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
