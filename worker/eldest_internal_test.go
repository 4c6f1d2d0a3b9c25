package worker

import (
	"fmt"
	"testing"
	"time"
)

// TestEldest keeps the oldest, each once, and not more than it needs.
func TestEldest(t *testing.T) {
	t.Parallel()
	var e eldest
	at := time.Unix(1_800_000_000, 0)
	for range 2 {
		for i := range 3 * maxEldest {
			n := i * 7 % (3 * maxEldest) // in no order
			e.add(fmt.Sprint("order-", n), at.Add(time.Duration(n)*time.Second))
		}
	}
	all := e.all()
	if len(all) != maxEldest {
		t.Fatalf("%d are kept, want %d", len(all), maxEldest)
	}
	for i, s := range all {
		if want := fmt.Sprint("order-", i); s.outTradeNo != want {
			t.Errorf("%d. is %s, want %s", i, s.outTradeNo, want)
		}
	}
}
