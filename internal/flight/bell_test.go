package flight_test

import (
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay/internal/flight"
)

func heard(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestBell(t *testing.T) {
	t.Parallel()
	var b flight.Bell
	b.Ring("nobody listens")
	first, stopFirst := b.Listen("a")
	second, stopSecond := b.Listen("a")
	other, stopOther := b.Listen("b")
	defer stopSecond()
	defer stopOther()
	b.Ring("a")
	b.Ring("a")
	if !heard(first) || !heard(second) || heard(other) {
		t.Error("a ring is for all who listen to its key, and for nobody else")
	}
	if heard(first) {
		t.Error("two rings before the first was heard are one")
	}
	stopFirst()
	stopFirst()
	b.Ring("a")
	if heard(first) || !heard(second) {
		t.Error("who stopped heard it, or the other did not")
	}
}

// TestBellAtOnce is for the race detector: everybody comes, rings and goes.
func TestBellAtOnce(t *testing.T) {
	t.Parallel()
	var b flight.Bell
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			rings, stop := b.Listen("a")
			defer stop()
			b.Ring("a")
			<-rings // its own at the latest
		})
	}
	wg.Wait()
}
