//go:build cgo

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/mattn/go-sqlite3"
)

// supported reports why this build cannot open a file.
func supported() error { return nil }

// connector opens connections without the driver's global name, and sets on
// each what the driver has no parameter for.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
	role   role
}

func connect(dsn string, r role) driver.Connector {
	return connector{&sqlite3.SQLiteDriver{ConnectHook: flush}, dsn, r}
}

// Connect opens a connection.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	raw, ok := conn.(*sqlite3.SQLiteConn)
	switch {
	case !ok:
		return conn, err
	case c.role == writing:
		return newWriter(raw), err
	}
	return readerConn{raw, newWriter(raw)}, err
}

// readerConn is a connection that reads. What is run on it directly, is run as
// on the writer's.
type readerConn struct {
	*sqlite3.SQLiteConn
	direct *writerConn
}

func (c readerConn) query(text string, args []any, show func([]driver.Value) error) error {
	return c.direct.query(text, args, show)
}

// Close closes the connection and what was prepared on it.
func (c readerConn) Close() error { return c.direct.Close() }

// Driver returns the driver.
func (c connector) Driver() driver.Driver { return c.driver }

// flush makes macOS empty the disk's own cache too; there, a plain fsync does
// not survive the loss of power. Elsewhere it changes nothing.
func flush(conn *sqlite3.SQLiteConn) error {
	_, err := conn.Exec("PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1", nil)
	return err
}

// busy reports whether err says that another connection holds a lock.
func busy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}
