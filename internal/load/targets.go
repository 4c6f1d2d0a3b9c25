package main

import (
	"fmt"
	"time"
)

// target is a line of what was promised: got must be limit at least, or at most.
type target struct {
	name       string
	got, limit float64
	most       bool
	unit       string
}

func (t target) met() bool {
	if t.most {
		return t.got <= t.limit
	}
	return t.got >= t.limit
}

func (t target) verdict() string {
	if t.met() {
		return "pass"
	}
	return "MISS"
}

func (t target) wanted() string {
	if t.most {
		return fmt.Sprintf("≤ %g%s", t.limit, t.unit)
	}
	return fmt.Sprintf("≥ %g%s", t.limit, t.unit)
}

func (t target) measured() string { return fmt.Sprintf("%.2f%s", t.got, t.unit) }

// promise is what holds at a number in flight: how many times the rate of the
// others the kit's is at least, and its p99 at most.
type promise struct {
	naive, one float64
	p99        time.Duration
}

var promises = map[int]promise{
	1:   {naive: 1},
	64:  {naive: 8, one: 5, p99: 15 * time.Millisecond},
	256: {naive: 12, one: 7, p99: 40 * time.Millisecond},
}

// ofNoStore is what the kit's rate is of that of the handler without a store, at
// least, by GOMAXPROCS.
var ofNoStore = map[int]float64{1: 0.85, 2: 0.60}

// slowDisk is how many times the rate of one connection the kit's is when a
// sync takes 2 ms longer.
const slowDisk = 20

// targets are those that the settings have.
func (r results) targets(c config) []target {
	all := []target{
		{"verify, decrypt and decode, of the cryptography alone", r.reads.ratio, 1.15, true, " ×"},
		{"the same, allocations", r.reads.allocs, 20, true, ""},
	}
	for _, row := range r.rows {
		at := fmt.Sprintf("%d in flight, GOMAXPROCS=%d: ", row.inFlight, row.procs)
		if c.sync > 0 {
			if row.inFlight >= 64 && c.sync == 2*time.Millisecond {
				all = append(all, target{at + "2 ms slower syncs, of one connection", row.ratio(ofOne), slowDisk, false, " ×"})
			}
			continue
		}
		p, promised := promises[row.inFlight]
		if !promised {
			continue
		}
		all = append(all, target{at + "of naive", row.ratio(ofNaive), p.naive, false, " ×"})
		if p.one > 0 {
			all = append(all,
				target{at + "of one connection", row.ratio(ofOne), p.one, false, " ×"},
				target{at + "p99", row.latency(ofKit, p99).Seconds() * 1000, float64(p.p99.Milliseconds()), true, " ms"})
			if share := ofNoStore[row.procs]; share > 0 {
				all = append(all, target{at + "of no store", row.ratio(withNone), share, false, " ×"})
			}
		}
	}
	return append(all, peakTarget("notifications", r.peak()))
}
