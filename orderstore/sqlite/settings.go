package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// role is what a connection is for.
type role int

const (
	writing role = iota
	reading
)

// busyTimeout is how long SQLite itself waits for a lock of another process.
// It cannot be interrupted, so a writer's is short and waiting goes on in
// patiently, where the context is heard.
func (r role) busyTimeout() time.Duration {
	if r == writing {
		return 50 * time.Millisecond
	}
	return 5 * time.Second
}

// settings are the driver's parameters for every connection of that role.
func (r role) settings() url.Values {
	v := url.Values{
		"mode":          {"rwc"},
		"_txlock":       {"immediate"},
		"_busy_timeout": {strconv.FormatInt(r.busyTimeout().Milliseconds(), 10)},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"true"},
	}
	if r == reading {
		v.Set("mode", "rw")
		v.Set("_query_only", "true")
	}
	return v
}

func connectorTo(full string, r role) driver.Connector { return connect(dsn(full, r.settings()), r) }

// verify reports an error unless the settings hold. SQLite does not fail when
// it cannot use a write-ahead log, and ignores what it does not know.
func verify(ctx context.Context, db *sql.DB, r role) error {
	const full = "2" // of synchronous: OFF, NORMAL, FULL, EXTRA
	queryOnly := "0"
	if r == reading {
		queryOnly = "1"
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, want := range [][2]string{
		{"journal_mode", "wal"},
		{"synchronous", full},
		{"busy_timeout", strconv.FormatInt(r.busyTimeout().Milliseconds(), 10)},
		{"foreign_keys", "1"},
		{"query_only", queryOnly},
	} {
		var got string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+want[0]).Scan(&got); err != nil {
			return fmt.Errorf("read %s: %w", want[0], err)
		}
		if got != want[1] {
			return fmt.Errorf("SQLite has %s %q, but %q is needed for orders to be safe; is the file on a local disk?", want[0], got, want[1])
		}
	}
	return nil
}

// patiently runs step again while another process holds the file, for about
// ten seconds or until ctx is done.
func patiently(ctx context.Context, step func() error) error {
	const rounds, pause = 160, 10 * time.Millisecond
	for range rounds {
		if err := step(); !busy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return step()
}
