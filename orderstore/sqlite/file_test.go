//go:build cgo

package sqlite_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

func TestOpenRefusesForeignTables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, says string }{
		"a newer version":    {"CREATE TABLE pay_order_record (x); PRAGMA user_version = 3", "use a newer program"},
		"a negative version": {"PRAGMA user_version = -1", "use a newer program"},
		"another version":    {"CREATE TABLE x (x); PRAGMA user_version = 2", "not this package's"},
		"an older version":   {"CREATE TABLE pay_order_record (x); PRAGMA user_version = 1", "not this package's"},
		"another table":      {"CREATE TABLE pay_order_record (objectId TEXT)", "already exists"},
		"another event":      {"CREATE TABLE pay_order_event (x)", "already exists"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			db := plain(t, path)
			run(t, db, c.before)
			if s, err := sqlite.Open(path); err == nil {
				s.Close()
				t.Fatal("it was opened")
			} else if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %q, want one that says %q", err, c.says)
			}
			var tables int
			if err := db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name IN ('goods_info', 'pay_order_record_due')").Scan(&tables); err != nil || tables > 0 {
				t.Errorf("a refused Open left %d tables (%v)", tables, err)
			}
		})
	}
}

// TestOpenUpgrades opens a file as version 1 left it.
func TestOpenUpgrades(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	before := open(t, path)
	if err := before.Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, plain(t, path), "ALTER TABLE pay_order_record DROP COLUMN asked_at; ALTER TABLE pay_order_record DROP COLUMN trace_id; PRAGMA user_version = 1")
	s := open(t, path)
	o, err := s.Get(t.Context(), "tzxz_1")
	if err != nil {
		t.Fatal(err)
	}
	if o.TraceID != "" || !o.AskedAt.IsZero() {
		t.Errorf("before: %+v", o)
	}
	o.AskedAt = epoch
	if err := s.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "tzxz_1"); err != nil || !got.AskedAt.Equal(epoch) {
		t.Errorf("asked at %v (%v), want %v", got.AskedAt, err, epoch)
	}
}

func TestOpenSharesAFileWithTheApplication(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	db := plain(t, path)
	run(t, db, "CREATE TABLE membership (user_id TEXT); INSERT INTO membership VALUES ('3cca32f4bb')")
	if err := open(t, path).Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Fatal(err)
	}
	var user string
	if err := db.QueryRow("SELECT user_id FROM membership JOIN pay_order_record USING (user_id)").Scan(&user); err != nil || user != "3cca32f4bb" {
		t.Errorf("user %q, %v", user, err)
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	const openers = 16
	path := newPath(t)
	var wg sync.WaitGroup
	for range openers {
		wg.Go(func() {
			s, err := sqlite.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// SQLite opens a file of somebody else for reading only, and says nothing. (A
// read-only connection stands for it: root may write everything.)
func TestOpenFindsOutThatItMayNotWrite(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	open(t, path)
	db := plain(t, "file:"+path+"?mode=ro")
	if err := sqlite.Migrate(t.Context(), db); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

// All connections are those of the file that was opened, also the ones that are
// first needed when it is at its path no more.
func TestConnectionsStayWithTheirFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	if err := s.Create(t.Context(), newOrder("tzxz_1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	_, readers := s.Handles()
	for i := range readers.Stats().MaxOpenConnections {
		conn, err := readers.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // not before all were looked at
		var orders int
		if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM pay_order_record").Scan(&orders); err != nil || orders != 1 {
			t.Errorf("connection %d finds %d orders (%v), want 1", i, orders, err)
		}
	}
}
