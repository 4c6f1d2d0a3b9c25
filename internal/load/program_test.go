//go:build cgo

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runProgram builds the program and runs it, servers in processes of their own
// and all. What it writes must be gone afterwards.
func runProgram(t *testing.T, args ...string) (out string) {
	t.Helper()
	dir := t.TempDir()
	binary, files := filepath.Join(dir, "load"), filepath.Join(dir, "files")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), binary, append(args, "-dir", files)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Logf("%s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(files); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return string(said)
}

// TestShopScenes keeps the scenes with a shop alive, and holds their tables
// against the settings.
func TestShopScenes(t *testing.T) {
	t.Parallel()
	out := runProgram(t, "-scenes", "prepay,polling", "-rounds", "1", "-procs", "1", "-span", "100ms", "-customers", "12", "-pages", "60")
	for _, want := range []string{
		"\n| shop on memory | ", "\n| shop on SQLite | ", "\n| 12 customers, WeChat takes | ", "\n| 50.0 ms | ",
		"| 12 customers: connections to WeChat | ≤ 12 |", "| prepay: CPU, of its RSA work alone | ≤ 1.05 × |",
		"| 60 pages poll | ", "| 60 pages poll: reads of the store per answer | ≤ 1 | 1.00 | pass |",
		"| 60 pages poll: questions to WeChat, of the budget | ≤ 1 × | ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
