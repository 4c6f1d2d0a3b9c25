package flight

import (
	"sync"
	"time"
)

// Throttle answers whether something may be done now: at most once per
// interval for each key, and at most rate times a second in all.
type Throttle struct {
	interval time.Duration
	rate     float64

	mu     sync.Mutex
	last   map[string]turn
	tokens float64
	filled time.Time
}

// turn is the last time that a key went.
type turn struct {
	at     time.Time
	failed bool
}

// Verdict is a Throttle's answer.
type Verdict int

// The verdicts.
const (
	Go      Verdict = iota // do it
	Recent                 // it was done within the interval: what is known is fresh
	Failed                 // it was tried within the interval, in vain
	Crowded                // the common rate is used up
)

// sweepAt is the number of keys at which those past their interval are
// forgotten. The common rate bounds how many can be within it.
const sweepAt = 4096

// NewThrottle returns a Throttle that starts with one second's worth of rate.
func NewThrottle(interval time.Duration, rate float64) *Throttle {
	return &Throttle{interval: interval, rate: rate, tokens: rate, last: make(map[string]turn)}
}

// Take asks whether key may go at the time now, and counts it if so.
func (t *Throttle) Take(key string, now time.Time) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[key]; ok && now.Sub(last.at) < t.interval && !now.Before(last.at) {
		if last.failed {
			return Failed
		}
		return Recent
	}
	if t.filled.IsZero() || now.Before(t.filled) {
		t.filled = now
	}
	t.tokens = min(t.rate, t.tokens+now.Sub(t.filled).Seconds()*t.rate)
	t.filled = now
	if t.tokens < 1 {
		return Crowded
	}
	t.tokens--
	if len(t.last) >= sweepAt {
		t.sweep(now)
	}
	t.last[key] = turn{at: now}
	return Go
}

// Fail notes that the last go of key was in vain.
func (t *Throttle) Fail(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[key]; ok {
		t.last[key] = turn{last.at, true}
	}
}

func (t *Throttle) sweep(now time.Time) {
	for key, last := range t.last {
		if now.Sub(last.at) >= t.interval {
			delete(t.last, key)
		}
	}
}
