//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

func pragma(t *testing.T, conn *sql.Conn, name string) (value string) {
	t.Helper()
	if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatalf("PRAGMA %s: %v", name, err)
	}
	return value
}

// Every connection has the settings, those opened under load too.
func TestSettingsHoldOnEveryConnection(t *testing.T) {
	t.Parallel()
	writer, readers := open(t, newPath(t)).Handles()
	for name, db := range map[string]*sql.DB{"writer": writer, "readers": readers} {
		for range db.Stats().MaxOpenConnections {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			want := map[string]string{
				"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "locking_mode": "normal",
				"fullfsync": "1", "checkpoint_fullfsync": "1", "query_only": "0", "busy_timeout": "50",
			}
			if db == readers {
				want["query_only"], want["busy_timeout"] = "1", "5000"
			}
			for setting, value := range want {
				if got := pragma(t, conn, setting); got != value {
					t.Errorf("a connection of the %s has %s %q, want %q", name, setting, got, value)
				}
			}
		}
	}
	if n := writer.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("the writer has %d connections, want 1", n)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	_, readers := open(t, newPath(t)).Handles()
	if _, err := readers.Exec("DELETE FROM pay_order_record"); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("a reader's DELETE: %v", err)
	}
}

// A transaction has the write lock when it begins: a second one cannot begin.
func TestTransactionsBeginImmediate(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	lock(t, path)
	writer, _ := s.Handles()
	if tx, err := writer.Begin(); err == nil {
		_ = tx.Rollback()
		t.Error("two transactions have the write lock")
	} else if !strings.Contains(err.Error(), "locked") {
		t.Error(err)
	}
}

func TestOpenChecksWhatSQLiteAnswers(t *testing.T) {
	t.Parallel()
	for setting, dsn := range map[string]string{
		"journal_mode": "?_journal_mode=DELETE&_sync=FULL",
		"synchronous":  "?_journal_mode=WAL&_sync=NORMAL",
		"busy_timeout": "?_journal_mode=WAL&_sync=FULL&_busy_timeout=0",
		"foreign_keys": "?_journal_mode=WAL&_sync=FULL&_busy_timeout=50",
	} {
		db := plain(t, newPath(t)+dsn)
		if err := sqlite.Verify(t.Context(), db); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("without the right %s: %v", setting, err)
		}
	}
}

func TestQueriesUseTheirIndex(t *testing.T) {
	t.Parallel()
	_, readers := open(t, newPath(t)).Handles()
	for method, want := range map[string]string{
		"Get":    "SEARCH pay_order_record USING INDEX sqlite_autoindex_pay_order_record_1 (out_trade_no=?)",
		"Due":    "SEARCH pay_order_record USING INDEX pay_order_record_due (next_action_at<?)",
		"Find":   "SEARCH pay_order_record USING INDEX pay_order_record_ref (ref=?)",
		"Paid":   "SEARCH pay_order_record USING INDEX pay_order_record_paid (pay_time>? AND pay_time<?)",
		"Events": "SEARCH pay_order_event USING PRIMARY KEY (out_trade_no=?)",
		"Quote":  "SEARCH goods_info USING PRIMARY KEY (goods_id=?)",
	} {
		query := sqlite.Queries()[method]
		if got := plan(t.Context(), t, readers, query); got != want {
			t.Errorf("%s is answered by %q, want %q", method, got, want)
		}
	}
}

// plan returns the steps SQLite answers a query with; one that sorts would be
// a second step.
func plan(ctx context.Context, t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	args := slices.Repeat([]any{1}, strings.Count(query, "?"))
	rows, err := db.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}
