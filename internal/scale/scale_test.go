//go:build cgo

package main

import (
	"os"
	"strings"
	"testing"
)

// TestScale keeps the program alive: two small sizes, and nothing is left.
func TestScale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out strings.Builder
	if err := scale(t.Context(), []string{"-store", "sqlite", "-dsn", dir, "-sizes", "200,400", "-calls", "100"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| sqlite | 200 orders | 400 orders | last / first |", "| Create |", "| Get, any |", "| Save, any |", "| Due |", "| bytes per order |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 10_000_000: "10,000,000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
