//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
)

// Handles gives the tests the store's own connections.
func (s *Store) Handles() (writer, readers *sql.DB) { return s.writer, s.readers }

// Verify is what Open asks of its writer.
func Verify(ctx context.Context, db *sql.DB) error { return verify(ctx, db, writing) }

// Queries are the texts of the reading statements, by method.
func Queries() map[string]string {
	return map[string]string{
		"Get": getOrderSQL(), "Due": dueOrdersSQL(), "Find": findOrdersSQL(),
		"Events": listEventsSQL(), "Quote": getGoodsSQL(),
	}
}

// Migrate is what Open does to the file.
func Migrate(ctx context.Context, db *sql.DB) error { return migrate(ctx, db) }
