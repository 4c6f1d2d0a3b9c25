//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Check says what became of the file since it was opened, and nothing of a
// good one.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		befall func(t *testing.T, path string)
		says   string
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"read-only", func(t *testing.T, path string) { must(t, os.Chmod(path, 0o444)) }, "the file is read-only"},
		{"deleted", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "the file was deleted"},
		{"replaced", func(t *testing.T, path string) {
			text, err := os.ReadFile(path)
			must(t, err)
			must(t, os.Rename(path, path+".old"))
			must(t, os.WriteFile(path, text, 0o600))
		}, "the file was replaced"},
		{"of a later version", func(t *testing.T, path string) { run(t, plain(t, path), "PRAGMA user_version = 99") }, "use a newer program"},
		{"of another program", func(t *testing.T, path string) { run(t, plain(t, path), "PRAGMA user_version = 0") }, "schema version 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			s := open(t, path)
			must(t, s.Create(t.Context(), newOrder("tzxz_1")))
			test.befall(t, path)
			err := s.Check(t.Context())
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("Check: %v, want %q", err, test.says)
			}
			if o, err := s.Get(t.Context(), "tzxz_1"); err != nil || o.Version != 1 {
				t.Errorf("the order is %d, %v after the check, want version 1", o.Version, err)
			}
		})
	}
}

// A connection without the settings is found, and so is one that cannot write.
func TestCheckFindsSettings(t *testing.T) {
	t.Parallel()
	for setting, says := range map[string]string{
		"synchronous = OFF": `synchronous "0"`, "foreign_keys = OFF": `foreign_keys "0"`, "query_only = ON": `query_only "1"`,
	} {
		s := open(t, newPath(t))
		writer, _ := s.Handles() // of one connection
		run(t, writer, "PRAGMA "+setting)
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Check with %s: %v, want %q", setting, err, says)
		}
	}
}

// TestCheckWithHook: a store that takes paid orders over is checked like any
// other.
func TestCheckWithHook(t *testing.T) {
	t.Parallel()
	s, err := sqlite.OpenWith(newPath(t), sqlite.Options{OnPaidTx: func(context.Context, *sql.Tx, orderstore.Order) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
