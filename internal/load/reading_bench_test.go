//go:build cgo

package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// BenchmarkReading is what it takes to read a notification, and what of it is
// cryptography.
func BenchmarkReading(b *testing.B) {
	a, key, err := newAccount()
	if err != nil {
		b.Fatal(err)
	}
	pool, err := newPool(b.Context(), some, key, a.SignedAt)
	if err != nil {
		b.Fatal(err)
	}
	kit, err := newReader(a)
	if err != nil {
		b.Fatal(err)
	}
	floor, err := newFloor(a, pool)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Kit", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := kit.read(pool[i%some]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Floor", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := floor.read(i % some); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkNotify is what the whole handler costs where the store costs nothing:
// every notification pays another order.
func BenchmarkNotify(b *testing.B) {
	const orders = 1024
	a, key, err := newAccount()
	if err != nil {
		b.Fatal(err)
	}
	pool, err := newPool(b.Context(), orders, key, a.SignedAt)
	if err != nil {
		b.Fatal(err)
	}
	var handler http.Handler
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%orders == 0 {
			b.StopTimer()
			store := memory.New()
			if err := fillKit(b.Context(), store, orders, a.SignedAt); err != nil {
				b.Fatal(err)
			}
			kit, err := newKit(a, store, slog.New(slog.NewJSONHandler(io.Discard, nil)))
			if err != nil {
				b.Fatal(err)
			}
			handler = kit.Notify()
			b.StartTimer()
		}
		m := pool[i%orders]
		req := httptest.NewRequest("POST", "/pay/notify", bytes.NewReader(m.body))
		req.Header = m.header
		rec := httptest.NewRecorder()
		if handler.ServeHTTP(rec, req); rec.Code != http.StatusNoContent {
			b.Fatalf("answer %d", rec.Code)
		}
	}
}
