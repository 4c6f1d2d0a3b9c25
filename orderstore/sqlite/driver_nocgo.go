//go:build !cgo

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
)

// supported reports why this build cannot open a file.
func supported() error {
	return errors.New("this program was built without cgo, which SQLite needs: build it with CGO_ENABLED=1 and a C compiler, or use another store")
}

type connector struct{}

func connect(string, role) driver.Connector { return connector{} }

// Connect always fails.
func (connector) Connect(context.Context) (driver.Conn, error) { return nil, supported() }

// Driver returns nil: there is none.
func (connector) Driver() driver.Driver { return nil }

func busy(error) bool { return false }
