//go:build cgo

package main

import "testing"

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
