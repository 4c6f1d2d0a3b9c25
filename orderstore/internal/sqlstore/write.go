package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"
)

// A write that the database gave up for another's sake is tried again, so
// often and for so long. Who still loses then hears of it. For a commit whose
// answer was lost, only the time counts.
const (
	maxTries  = 40
	maxTrying = 10 * time.Second
)

// maxAnswer is how long a server may take for what is asked of it before a
// commit. One that vanished says nothing, and the system goes on sending for a
// quarter of an hour; meanwhile the connection would be taken for a good one, and
// a worker that waits for it would do nothing.
const maxAnswer = 30 * time.Second

// maxCommit is how long a commit may take before its connection is given up,
// where the driver can do that.
const maxCommit = 30 * time.Second

// errCommit wraps what a commit returned, if that leaves open whether it was
// done: the connection was lost while it was asked for.
var errCommit = errors.New("it is not known whether the write was done")

// write runs change in a transaction, and again when the database gave that
// up. taken is what change returns when somebody else was first. An error means
// that nothing was changed, unless it is an errCommit.
//
// A commit whose answer was lost is never guessed at. The write is run again:
// it waits for the lock that the lost transaction has until that is over, and
// then either takes its place, for it compares the version, or finds that
// somebody was there, and looks whether that was itself.
func (s *Store) write(ctx context.Context, number string, taken error, change func(context.Context, *sql.Tx, *Write) error) error {
	if ctx.Value(hooked{s}) != nil {
		return errHooked
	}
	return s.insist(ctx, number, taken, change, &Write{ID: rand.Text()}, nil)
}

// insist is write, under that name and version, behind the commit that was lost
// and may have been done; nil for none.
func (s *Store) insist(ctx context.Context, number string, taken error, change func(context.Context, *sql.Tx, *Write) error, w *Write, lost error) error {
	began := time.Now()
	for try := 1; ; try++ {
		w.Placed = false
		err := s.attempt(ctx, func(ctx context.Context, tx *sql.Tx) error { return change(ctx, tx, w) })
		if w.Placed {
			lost = nil // the one before was not done, and this one takes its place
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errCommit):
			lost = err
		case lost != nil && errors.Is(err, taken):
			if verdict, err := s.settle(ctx, number, w, taken, lost); err == nil {
				return verdict
			}
		case lost == nil && !s.engine.Retry(err):
			return err
		}
		if lost == nil && try >= maxTries || time.Since(began) > maxTrying || pause(ctx, try) != nil {
			return cmp.Or(lost, err)
		}
	}
}

// settle says how a write went of whose commit nobody heard, and behind which
// somebody was first: nil if that was the write itself, taken if it was another,
// and lost if nobody can tell any more.
func (s *Store) settle(ctx context.Context, number string, w *Write, taken, lost error) (verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxAnswer)
	defer cancel()
	id, version, err := s.lastWrite(ctx, s.db, number)
	switch {
	case err != nil:
		return nil, err
	case id == w.ID:
		return nil, nil
	case version <= w.Version:
		return taken, nil // had the write been done, the version would be its own, or one behind it
	}
	return lost, nil
}

// lastWrite returns what the order's last write was.
func (s *Store) lastWrite(ctx context.Context, db DB, number string) (id string, version int64, err error) {
	found, err := one(ctx, On(db), s.sql.getWrite, []any{number}, &version, &id)
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err != nil {
		return "", 0, Cause(ctx, "read the last write", err)
	}
	return id, version, nil
}

// attempt runs change in one transaction. When ctx ends before the commit,
// nothing is written; then it is too late, and attempt returns how the commit
// went. A panic in change is an error.
func (s *Store) attempt(ctx context.Context, change func(context.Context, *sql.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return Cause(ctx, "begin", err)
	}
	ctx, end := context.WithTimeout(ctx, maxAnswer)
	defer end()
	// The transaction's own context ends with ctx, but for the commit.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	heard := context.AfterFunc(ctx, cancel)
	defer heard()
	tx, err := s.db.BeginTx(own, nil)
	if err != nil {
		return Cause(ctx, "begin", err)
	}
	defer tx.Rollback() // does nothing after Commit
	if err := guarded(ctx, tx, change); err != nil {
		return Cause(ctx, "write", err)
	}
	if !heard() {
		return Cause(ctx, "commit", ctx.Err())
	}
	defer time.AfterFunc(maxCommit, cancel).Stop()
	switch err := tx.Commit(); {
	case err == nil:
		return nil
	case s.engine.Retry(err), s.engine.Refused(err), errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("commit: %w", err)
	default:
		return fmt.Errorf("commit: %w: %w", errCommit, err)
	}
}

func guarded(ctx context.Context, tx *sql.Tx, change func(context.Context, *sql.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panicked: %v", p)
		}
	}()
	return change(ctx, tx)
}

// pause waits before the next try, at random, so that those who met do not
// meet again.
func pause(ctx context.Context, try int) error {
	const most = 8 // doublings of a millisecond
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(mathrand.N(time.Millisecond << min(try, most))):
		return nil
	}
}
