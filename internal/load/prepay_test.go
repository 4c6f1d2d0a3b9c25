//go:build cgo

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPrepayTargets(t *testing.T) {
	t.Parallel()
	round := func(ratio, busy, queue float64, conns, most int64, beyond time.Duration) prepayRound {
		return prepayRound{
			busy:  prepayTurn{sums: sums{rate: busy}, costs: costs{shop: 2 * time.Millisecond, ratio: ratio}},
			queue: prepayTurn{sums: sums{rate: queue}, conns: 7},
			calm:  prepayTurn{sums: sums{p50: time.Second + beyond}, latency: time.Second, conns: conns, most: most},
		}
	}
	p := prepays{config: config{customers: 100}, done: []prepayRound{
		round(1.01, 1000, 990, 100, 100, 2*time.Millisecond),
		round(1.05, 1000, 100, 100, 95, 8*time.Millisecond),
		round(1.90, 500, 475, 101, 10, 4*time.Millisecond),
	}}
	var lines []string
	for _, target := range p.targets() {
		lines = append(lines, strings.Join([]string{target.wanted(), target.measured(), target.verdict()}, " "))
	}
	want := "≤ 1.05 × 1.05 × pass; ≤ 100 100.00 pass; ≥ 0.95 × 0.95 × pass; ≥ 95 95.00 pass; ≤ 3 2.00 pass"
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestPollingTargets(t *testing.T) {
	t.Parallel()
	p := polling{config: config{pages: 5}, turns: map[string][]pollingTurn{
		countedOnSQLite: {{sums: sums{rate: 14_000}, reads: 1, budget: 0.5}, {sums: sums{rate: 15_000}, reads: 1, budget: 0.5}, {sums: sums{rate: 16_000}, reads: 1.5, budget: 0.5}},
		countedOnMemory: {{reads: 1, budget: 0.5}, {reads: 1, budget: 1.25}, {reads: 1, budget: 0.5}},
	}}
	var lines []string
	for _, target := range p.targets() {
		lines = append(lines, strings.Join([]string{target.wanted(), target.measured(), target.verdict()}, " "))
	}
	want := "≥ 15000 15000.00 pass; ≤ 1 1.50 MISS; ≤ 1 × 1.25 × MISS" // the worst turn counts
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestCalmLatency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		customers int
		rate      float64
		want      time.Duration
	}{{500, 1000, time.Second}, {500, 100, patience}} {
		if got := calmLatency(c.customers, c.rate); got != c.want {
			t.Errorf("%d customers, %g/s: %v, want %v", c.customers, c.rate, got, c.want)
		}
	}
}

// TestCrowd: every customer is heard once at least, with the request that is its
// own; an answer that is no success is no figure.
func TestCrowd(t *testing.T) {
	t.Parallel()
	heard := newMeter()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.add(r.Header.Get(userHeader), 1)
	}))
	t.Cleanup(server.Close)
	c, err := gather(strings.TrimPrefix(server.URL, "http://"), [][]byte{pageWire(0), pageWire(1), pageWire(2)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	answers, whole, err := c.send(3*time.Millisecond, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sum(answers, whole)
	if err != nil || s.answers < 3 || s.rate <= 0 || s.p50 <= 0 || s.p99 < s.p50 {
		t.Errorf("%+v, %v", s, err)
	}
	for i := range 3 {
		if heard.counts[user(i)] < 1 {
			t.Errorf("%s was not heard", user(i))
		}
	}
	if _, err := sum([]answer{{status: "200"}, {status: "502"}}, whole); err == nil || err.Error() != "an answer is 502" {
		t.Errorf("a failure: %v", err)
	}
	if _, err := sum(nil, whole); err == nil || err.Error() != "nothing was answered" {
		t.Errorf("no answer: %v", err)
	}
}
