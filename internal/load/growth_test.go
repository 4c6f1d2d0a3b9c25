//go:build cgo

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// TestGrowth keeps the scene alive.
func TestGrowth(t *testing.T) {
	t.Parallel()
	out := output(t, "-scenes", "growth", "-few", "300", "-many", "1000", "-due", "3", "-rest", "500ms", "-procs", "2")
	for _, want := range []string{"\n| 300 | ", "\n| 1000 | ", " | 3 | ", "| 1000 pending: Due, of that at 300 | ≤ 1.5 × |", "| 1000 pending: memory at rest | ≤ 64 MiB |"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestPending: the copies are orders that the store reads, each with a number and
// an appointment of its own.
func TestPending(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now().Truncate(time.Microsecond)
	p := pending{size: 50, due: 7, at: now}
	if err := p.fill(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(filepath.Join(dir, kitFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, at := range []struct {
		after time.Duration
		due   int
	}{{0, 7}, {time.Hour, 7}, {2 * time.Hour, 26}, {3 * time.Hour, 50}} {
		found, err := store.Due(t.Context(), now.Add(at.after), 100)
		if err != nil || len(found) != at.due {
			t.Errorf("%v later %d orders are due, %v; want %d", at.after, len(found), err, at.due)
		}
	}
	for i := range p.size {
		o, err := store.Get(t.Context(), number(i))
		if err != nil {
			t.Fatal(err)
		}
		if !o.ToAsk() || o.Expired(now.Add(3*time.Hour)) || !o.NextActionAt.Equal(p.appointment(i).Truncate(time.Microsecond)) {
			t.Errorf("%d: %+v, want the appointment %v", i, o, p.appointment(i))
		}
	}
}

func TestGrowthTargets(t *testing.T) {
	t.Parallel()
	g := growth{{pending: 10, due: 200, resting: 20 << 20}, {pending: 1000, due: 301, first: 2001 * time.Millisecond, resting: 65 << 20, peak: 70 << 20}}
	var lines []string
	for _, target := range g.targets() {
		lines = append(lines, strings.Join([]string{target.wanted(), target.measured(), target.verdict()}, " "))
	}
	want := "≤ 2000 ms 2001.00 ms MISS; ≤ 1.5 × 1.50 × MISS; ≤ 64 MiB 65.00 MiB MISS; ≤ 1.1 × 3.25 × MISS; ≤ 200 MiB 70.00 MiB pass"
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
