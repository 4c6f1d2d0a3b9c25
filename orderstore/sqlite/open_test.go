//go:build cgo

package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	_ "github.com/mattn/go-sqlite3" // to look at files with plain SQL

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// plain opens the file without this package, for a look from outside.
func plain(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestOpenTakesAnyFileName(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such names")
	}
	for _, name := range []string{
		"orders.db", "no extension", "a?b.db", "a#b.db", "a%b.db", "100%41.db", "a&b=c;d.db", "?", "#", "%",
		"订单 😀.db", `quote's "and" \.db`, "+plus+.db", "~tilde", ":colon:", "a?cache=shared", " space ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "dir?with#odd%20name")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			s := open(t, filepath.Join(dir, name))
			if err := s.Create(t.Context(), newOrder("tzxz_1")); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != 1 || files[0].Name() != name {
				t.Errorf("the directory has %v (%v), want only %q", files, err, name)
			}
		})
	}
}

func TestOpenTakesARelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	s := open(t, "orders.db")
	if _, err := os.Stat(filepath.Join(dir, "orders.db")); err != nil {
		t.Error(err)
	}
	if err := s.Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Fatal(err)
	}
	// The readers open more connections later; the path must not move along.
	t.Chdir(t.TempDir())
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), "tzxz_1"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := file("text.db", strings.Repeat("these are no orders\n", 100), 0o644)
	for name, c := range map[string]struct{ path, says string }{
		"nothing":               {"", "empty"},
		"memory":                {":memory:", "loses every order"},
		"memory with settings":  {":memory:?cache=shared", "loses every order"},
		"memory as a parameter": {"orders.db?mode=memory", "loses every order"},
		"memory as a URL":       {"file::memory:?cache=shared", "plain path"},
		"memory by a URL":       {"file:orders.db?mode=memory", "loses every order"},
		"a URL":                 {"file:" + filepath.Join(dir, "orders.db"), "plain path"},
		"a URL with parameters": {"file:orders.db?_txlock=deferred", "plain path"},
		"driver parameters":     {filepath.Join(dir, "orders.db?_sync=OFF"), "plain path"},
		"a NUL":                 {filepath.Join(dir, "orders\x00.db"), "NUL"},
		"a directory":           {dir, "a directory"},
		"a missing directory":   {filepath.Join(dir, "missing", "orders.db"), "the directory must exist"},
		"a file as directory":   {filepath.Join(text, "orders.db"), "not a directory"},
		"a device":              {os.DevNull, "no regular file"},
		"a text file":           {text, "not a database"},
		"a read-only file":      {file("readonly.db", "", 0o444), "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sqlite.Open(c.path)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "open order store") {
				t.Errorf("the error is %q, want one that says %q", err, c.says)
			}
		})
	}
	t.Cleanup(func() { // runs when the parallel subtests have ended
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != 2 {
			t.Errorf("a refused Open left something behind: %v (%v)", files, err)
		}
		if got, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(got), "these are no orders") {
			t.Errorf("the text file was written to: %v", err)
		}
	})
}
