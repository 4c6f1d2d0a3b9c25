package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// Store is an [orderstore.Store] in a SQLite file, with the reference
// catalogue goods_info beside the orders. It is safe for concurrent use.
type Store struct {
	writer   *sql.DB // one connection
	readers  *sql.DB // cannot write
	sql      sqlstore.Statements
	written  map[string]*sql.Stmt // prepared on the writer, by text
	queue    queue                // of the writers of this process
	file     openedFile
	onPaidTx func(context.Context, *sql.Tx, orderstore.Order) error

	committed func(writes, waiting int, took time.Duration, err error)
}

var _ orderstore.Store = (*Store)(nil)

// Open opens the store in the file at path, which is created when it does not
// exist; its directory must exist. The path is a plain one, with any character
// in it: no URL, no parameters, nothing in memory. Close the store when done.
//
// Open returns an error, and changes nothing, when the path is not such a
// file, or can only be read, or holds something else than a database, or one
// that a later version of this package has written, and when SQLite does not
// accept the settings that make it safe.
func Open(path string) (*Store, error) { return OpenWith(path, Options{}) }

// OpenWith is [Open] with options.
func OpenWith(path string, opts Options) (*Store, error) {
	s, err := open(context.Background(), path, opts)
	if err != nil {
		return nil, fmt.Errorf("open order store %q: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, opts Options) (_ *Store, err error) {
	if err := supported(); err != nil {
		return nil, err
	}
	full, err := checkPath(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		writer:   sql.OpenDB(connectorTo(full, writing)),
		readers:  sql.OpenDB(connectorTo(full, reading)),
		queue:    newQueue(),
		onPaidTx: opts.OnPaidTx,

		committed: opts.Committed,
	}
	if s.committed == nil {
		s.committed = func(int, int, time.Duration, error) {}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.writer.SetMaxOpenConns(1)
	readers := max(4, runtime.GOMAXPROCS(0))
	s.readers.SetMaxOpenConns(readers)
	s.readers.SetMaxIdleConns(readers)
	if err := migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	if err := verify(ctx, s.writer, writing); err != nil {
		return nil, err
	}
	if err := connectAll(ctx, s.readers, readers); err != nil {
		return nil, err
	}
	if err := verify(ctx, s.readers, reading); err != nil {
		return nil, err
	}
	if s.file, err = fileAt(full); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
}

// connectAll opens n connections at once, which the pool keeps: one that is opened
// later might find another file at the path, or none.
func connectAll(ctx context.Context, db *sql.DB, n int) error {
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // not before all are open
	}
	return nil
}

// Close closes the file. What is being read or written ends first; afterwards
// every method returns an error. Closing again does nothing.
func (s *Store) Close() error {
	return errors.Join(s.readers.Close(), s.writer.Close())
}
