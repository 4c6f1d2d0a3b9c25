//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Handles gives the tests the store's own connections.
func (s *Store) Handles() (writer, readers *sql.DB) { return s.writer, s.readers }

// Verify is what Open asks of its writer.
func Verify(ctx context.Context, db *sql.DB) error { return verify(ctx, db, writing) }

// Queries are the texts of the reading statements, by method.
func Queries() map[string]string {
	texts := dialect.Statements("")
	return texts.Reading()
}

// Migrate is what Open does to the file.
func Migrate(ctx context.Context, db *sql.DB) error { return migrate(ctx, db) }

// MaxGroup is how many writes share a commit at most.
const MaxGroup = maxGroup

// Hold keeps every writer waiting until release is called.
func (s *Store) Hold() (release func()) {
	s.queue.lead <- struct{}{}
	return s.queue.release
}

// Waiting is how many writers wait.
func (s *Store) Waiting() int { return len(s.queue.all()) }

// OnCommit has SQLite ask before every commit of the store; when refuse
// returns true, the commit fails.
func (s *Store) OnCommit(ctx context.Context, refuse func() bool) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		writer, ok := raw.(*writerConn)
		if !ok {
			return fmt.Errorf("the writer is a %T", raw)
		}
		writer.RegisterCommitHook(func() int {
			if refuse() {
				return 1
			}
			return 0
		})
		return nil
	})
}
