package sqlstoretest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Benchmark measures how long one order takes to be read and written. A write
// with an event is four round trips; it ends when the server's disk has it.
func Benchmark(b *testing.B, s Server) {
	db, _ := s.database(b, s.Fast)
	store := s.open(b, db, Options{})
	create(b, store, NewOrder("tzxz_1"))
	b.Run("Get", func(b *testing.B) {
		for b.Loop() {
			get(b, store, "tzxz_1")
		}
	})
	b.Run("Update", func(b *testing.B) {
		for b.Loop() {
			if _, err := orderstore.Update(b.Context(), store, "tzxz_1", touch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("SaveWithoutEvents", func(b *testing.B) {
		o := get(b, store, "tzxz_1")
		for b.Loop() {
			if err := store.Save(b.Context(), o); err != nil {
				b.Fatal(err)
			}
			o = o.Saved()
		}
	})
	var n atomic.Int64
	b.Run("CreateInParallel", func(b *testing.B) {
		b.SetParallelism(Pool)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				create(b, store, NewOrder(fmt.Sprint("tzxz_b", n.Add(1))))
			}
		})
	})
}
