package flight_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
)

func TestThrottle(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	type step struct {
		key  string
		at   time.Duration
		fail bool // Fail it, take nothing
		want flight.Verdict
	}
	for _, c := range []struct {
		name     string
		interval time.Duration
		rate     float64
		steps    []step
	}{
		{"once per interval", 2 * time.Second, 50, []step{
			{"a", 0, false, flight.Go}, {"a", 0, false, flight.Recent}, {"a", 1999 * ms, false, flight.Recent},
			{"a", 2000 * ms, false, flight.Go}, {"a", 2001 * ms, false, flight.Recent}, {"a", 4000 * ms, false, flight.Go},
		}},
		{"keys apart", 2 * time.Second, 50, []step{
			{"a", 0, false, flight.Go}, {"b", 0, false, flight.Go}, {"a", 0, false, flight.Recent}, {"b", 1000 * ms, false, flight.Recent},
		}},
		{"common rate", time.Second, 2, []step{
			{"a", 0, false, flight.Go}, {"b", 0, false, flight.Go}, {"c", 0, false, flight.Crowded}, {"c", 499 * ms, false, flight.Crowded},
			{"c", 500 * ms, false, flight.Go}, {"d", 500 * ms, false, flight.Crowded}, {"d", 1000 * ms, false, flight.Go},
		}},
		{"crowded is not counted", time.Minute, 1, []step{
			{"a", 0, false, flight.Go}, {"b", 0, false, flight.Crowded}, {"b", 1000 * ms, false, flight.Go}, {"b", 1000 * ms, false, flight.Recent},
		}},
		{"recent costs nothing", time.Minute, 1, []step{
			{"a", 0, false, flight.Go}, {"a", 1000 * ms, false, flight.Recent}, {"a", 1000 * ms, false, flight.Recent}, {"b", 1000 * ms, false, flight.Go},
		}},
		{"rest is not saved up", time.Second, 2, []step{
			{"a", 0, false, flight.Go}, {"b", time.Hour, false, flight.Go}, {"c", time.Hour, false, flight.Go}, {"d", time.Hour, false, flight.Crowded},
		}},
		{"failed", 2 * time.Second, 50, []step{
			{"a", 0, false, flight.Go}, {"a", 0, true, 0}, {"a", 1000 * ms, false, flight.Failed}, {"b", 1000 * ms, false, flight.Go},
			{"a", 2000 * ms, false, flight.Go}, {"a", 2000 * ms, false, flight.Recent},
		}},
		{"failed, never taken", 2 * time.Second, 50, []step{{"a", 0, true, 0}, {"a", 0, false, flight.Go}}},
		{"clock set back", 2 * time.Second, 2, []step{
			{"a", time.Hour, false, flight.Go}, {"a", 0, false, flight.Go}, {"a", 1000 * ms, false, flight.Recent}, {"b", 1000 * ms, false, flight.Go},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			th := flight.NewThrottle(c.interval, c.rate)
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for i, s := range c.steps {
				if s.fail {
					th.Fail(s.key)
					continue
				}
				if got := th.Take(s.key, start.Add(s.at)); got != s.want {
					t.Errorf("step %d, %s at %v: %v, want %v", i, s.key, s.at, got, s.want)
				}
			}
		})
	}
}

// TestThrottleManyKeys: forgetting old keys forgets none that still counts.
func TestThrottleManyKeys(t *testing.T) {
	t.Parallel()
	th := flight.NewThrottle(time.Minute, 1e6)
	start := time.Now()
	take := func(prefix string, n int, at time.Duration, want flight.Verdict) {
		t.Helper()
		for i := range n {
			if got := th.Take(fmt.Sprint(prefix, i), start.Add(at)); got != want {
				t.Fatalf("%s%d at %v: %v, want %v", prefix, i, at, got, want)
			}
		}
	}
	take("a", 4200, 0, flight.Go) // more than are kept for ever
	take("b", 100, 30*time.Second, flight.Go)
	take("a", 4200, 59*time.Second, flight.Recent)
	take("c", 100, 61*time.Second, flight.Go)
	take("b", 100, 62*time.Second, flight.Recent)
	take("a", 4200, 63*time.Second, flight.Go)
}

// TestThrottleAtOnce: no more than the rate get through, and one per key.
func TestThrottleAtOnce(t *testing.T) {
	t.Parallel()
	th := flight.NewThrottle(time.Minute, 10)
	now := time.Now()
	var went atomic.Int32
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if th.Take(fmt.Sprint(i%20), now) == flight.Go {
				went.Add(1)
			}
		})
	}
	all.Wait()
	if n := went.Load(); n != 10 {
		t.Errorf("%d went", n)
	}
}
