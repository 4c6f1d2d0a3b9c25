//go:build cgo

package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLoad keeps the program alive, servers in processes of their own and all,
// and holds its table against the settings.
func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := filepath.Join(dir, "load")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	files := filepath.Join(dir, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-scenes", "notify", "-dir", files, "-orders", "400", "-rounds", "1", "-in-flight", "1,64", "-procs", "1", "-span", "100ms")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatal(err)
	}
	for _, want := range []string{"\n| 1 | 1 | ", "\n| 64 | 1 | ", "| 64 in flight, GOMAXPROCS=1: of one connection | ≥ 5 × |", "| the same, allocations | ≤ 20 |"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if left, err := os.ReadDir(files); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestTurnCompare: a payment more or less than what was acknowledged fails the
// run.
func TestTurnCompare(t *testing.T) {
	t.Parallel()
	acknowledged := turn{acknowledged: []string{number(1), number(2)}}
	for _, tt := range []struct {
		name   string
		stored []int
		want   string
	}{
		{"the same", []int{1, 2}, ""},
		{"one lost", []int{1}, number(2) + " was acknowledged, and is not stored"},
		{"another instead", []int{1, 3}, number(2) + " was acknowledged, and is not stored"},
		{"one more", []int{1, 2, 3}, "3 payments are stored, 2 were acknowledged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stored := make(map[string]bool)
			for _, i := range tt.stored {
				stored[number(i)] = true
			}
			got := ""
			if err := acknowledged.compare(stored); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestHandlersRead: every handler that is measured takes what WeChat Pay
// signed, and not what was changed since: a yardstick that checks less would
// be no yardstick.
func TestHandlersRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, key, err := newAccount()
	if err != nil {
		t.Fatal(err)
	}
	pool, err := newPool(t.Context(), 3, key, a.SignedAt)
	if err == nil {
		err = errors.Join(a.write(dir), fillFiles(t.Context(), dir, len(pool), a.SignedAt))
	}
	if err != nil {
		t.Fatal(err)
	}
	forged := pool[0]
	forged.body = []byte(strings.Replace(string(forged.body), "SUCCESS", "success", 1))
	for _, handler := range []string{ofKit, ofNaive, ofOne, ofLeast, withNone} {
		h, end, err := config{handler: handler, folder: dir}.open()
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range []message{forged, pool[1]} {
			req := httptest.NewRequest("POST", "/pay/notify", strings.NewReader(string(m.body)))
			req.Header = m.header
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if want := []int{401, 204}[i]; rec.Code != want {
				t.Errorf("%s: message %d is answered %d, want %d", handler, i, rec.Code, want)
			}
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if handler == withNone {
			continue
		}
		stored, err := paid(t.Context(), dir, handler)
		if err == nil {
			err = turn{acknowledged: []string{pool[1].number}}.compare(stored)
		}
		if err != nil {
			t.Errorf("%s: %v", handler, err)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	turns := func(rates ...float64) (list []turn) {
		for _, rate := range rates {
			list = append(list, turn{rate: rate, p99: 14 * time.Millisecond, peak: 201 << 20})
		}
		return list
	}
	r := results{rows: []row{{procs: 2, inFlight: 64, turns: map[string][]turn{
		ofKit: turns(1000, 2000, 3000), ofNaive: turns(100, 300, 300), ofOne: turns(200, 400, 600), withNone: turns(2000, 2000, 4000),
	}}}, reads: reading{ratio: 1.2, allocs: 20}}
	var lines []string
	for _, target := range r.targets(config{}) {
		lines = append(lines, strings.Join([]string{target.wanted(), target.measured(), target.verdict()}, " "))
	}
	want := "≤ 1.15 × 1.20 × MISS; ≤ 20 20.00 pass; ≥ 8 × 10.00 × pass; ≥ 5 × 5.00 × pass; ≤ 15 ms 14.00 ms pass; ≥ 0.6 × 0.75 × pass; ≤ 200 MiB 201.00 MiB MISS"
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
