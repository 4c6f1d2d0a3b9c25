package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Check reports whether the store can still be trusted with orders: the file
// is the one that was opened and may be written, its tables are of this
// package's version, and every setting of [Open] holds. It changes nothing. It
// is for a program that checks itself before it takes money.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("check order store: %w", err)
	}
	return nil
}

// touchNothing is a write that finds no row.
const touchNothing = "UPDATE pay_order_record SET version = version WHERE 1 = 0"

func (s *Store) check(ctx context.Context) error {
	if err := s.file.same(); err != nil {
		return err
	}
	if err := verify(ctx, s.writer, writing); err != nil {
		return err
	}
	if err := verify(ctx, s.readers, reading); err != nil {
		return err
	}
	version, err := fileVersion(ctx, s.readers)
	if err != nil {
		return err
	}
	if version != schemaVersion {
		return fmt.Errorf("the file has schema version %d, this program needs %d: was it replaced?", version, schemaVersion)
	}
	// SQLite says that a file cannot be written when a statement would, whether
	// or not it finds a row.
	return s.write(ctx, func(p place) error {
		_, err := p.db.Exec(ctx, touchNothing, nil)
		return err
	})
}

// openedFile is what was at the path when the store was opened.
type openedFile struct {
	path string
	info os.FileInfo
}

func fileAt(full string) (openedFile, error) {
	info, err := os.Stat(full)
	return openedFile{full, info}, err
}

// same reports an error when another file is at the path, or none: what is
// written now goes to a file that nobody finds again.
func (f openedFile) same() error {
	if err := checkFile(f.path); err != nil {
		return err
	}
	now, err := os.Stat(f.path)
	switch {
	case err != nil:
		return fmt.Errorf("the file was deleted while it was open: %w", err)
	case !os.SameFile(now, f.info):
		return errors.New("the file was replaced while it was open: orders are written to the one that is gone")
	}
	return nil
}
