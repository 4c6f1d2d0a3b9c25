package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstore"
)

// maxGroup is how many writes share a commit at most: a leader has its own
// result after that many, however many wait.
const maxGroup = 128

// errLost is the result of a member that did nothing wrong, whose transaction
// somebody else's trouble ended. Its change is to be run again.
var errLost = errors.New("the transaction was lost")

// together runs do in a transaction with those of everybody who waits.
func (s *Store) together(ctx context.Context, do change) error {
	m := newMember(do)
	s.queue.join(m)
	select {
	case err := <-m.result:
		return err
	case s.queue.lead <- struct{}{}:
		if !s.queue.leave(m) {
			s.queue.release()
			return <-m.result
		}
		s.lead(ctx, m, maxGroup)
		return <-m.result
	case <-ctx.Done():
		if s.queue.leave(m) {
			return sqlstore.Cause(ctx, "begin", ctx.Err())
		}
		return <-m.result // what was written is known only when the group is committed
	}
}

// alone runs do in a transaction of its own.
func (s *Store) alone(ctx context.Context, do change) error {
	m := newMember(do)
	select {
	case s.queue.lead <- struct{}{}:
		s.lead(ctx, m, 1)
		return <-m.result
	case <-ctx.Done():
		return sqlstore.Cause(ctx, "begin", ctx.Err())
	}
}

// lead commits m, and those who wait, size of them in all at most. It has the
// leader's token when it begins, and has given everybody a result and the
// token away when it returns.
func (s *Store) lead(ctx context.Context, m *member, size int) {
	defer s.queue.release()
	waiting := s.queue.all()
	began := time.Now()
	g, err := s.begin(ctx)
	if err != nil {
		s.committed(0, len(waiting), time.Since(began), err)
		err = sqlstore.Cause(ctx, "begin", err)
		m.result <- err
		if ctx.Err() == nil { // they have waited for the file as long as the leader
			s.queue.refuse(waiting, err)
		}
		return
	}
	defer func() { s.committed(len(g.members), len(waiting), time.Since(began), g.outcome) }()
	defer g.end() // also when a hook ends the goroutine
	for m != nil {
		if g.run(m) != nil {
			return
		}
		if m = nil; len(g.members) < size {
			m = s.queue.next()
		}
	}
	g.commit()
}

// group is a transaction that its members share.
type group struct {
	store   *Store
	conn    *sql.Conn // the writer's, with the transaction
	members []*member // whose change was run, also when it failed
	outcome error     // of the transaction
}

// change is what a member does in the transaction.
type change func(place) error

// place is where changes are made.
type place struct {
	db sqlstore.Conn
	tx *sql.Tx // for a hook, within the group's; nil in a store without one
}

// begin begins the transaction, which has the write lock from its beginning.
// Waiting for the lock ends with ctx.
func (s *Store) begin(ctx context.Context) (*group, error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	g := &group{store: s, conn: conn, outcome: errLost}
	if err := patiently(ctx, func() error { return g.exec("take the lock", "BEGIN IMMEDIATE") }); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return g, nil
}

// What begins and ends the changes of a member.
const (
	savepoint = "SAVEPOINT wxpay_write"
	release   = "RELEASE wxpay_write"
)

// run runs the member's change, and undoes what it did, and only that, when
// it fails. It returns an error when the whole transaction is gone: SQLite
// rolls everything back when the disk fails under a statement, and when a
// constraint of the application's says ON CONFLICT ROLLBACK.
func (g *group) run(m *member) error {
	g.members = append(g.members, m)
	if m.err = g.exec("savepoint", savepoint); m.err != nil {
		return nil
	}
	m.err = g.within(m.change)
	if m.err == nil {
		m.err = g.exec("release", release)
	}
	if m.err == nil {
		return nil
	}
	if err := g.exec("roll back", "ROLLBACK TO wxpay_write"); err != nil {
		return err
	}
	return g.exec("roll back", release)
}

// within makes the change. A hook has a *sql.Tx of its own, whose end closes what
// it opened; see writerConn.
func (g *group) within(do change) error {
	if g.store.onPaidTx == nil {
		return do(place{db: direct{g.conn}})
	}
	tx, err := g.conn.BeginTx(context.WithValue(context.Background(), inner{}, true), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := do(place{g.store.in(tx), tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("the transaction is the store's to end: %w", err)
	}
	return nil
}

func (g *group) commit() { g.outcome = g.exec("commit", "COMMIT") }

// end ends the transaction, whatever became of it, and tells the members.
func (g *group) end() {
	if g.outcome != nil {
		_ = g.exec("roll back", "ROLLBACK") // fails if SQLite has done it
	}
	_ = g.conn.Close()
	for _, m := range g.members {
		m.result <- m.verdict(g.outcome)
	}
}

// exec runs SQL of the group's own, which no context ends.
func (g *group) exec(step, text string) error {
	if _, err := (direct{g.conn}).Exec(context.Background(), text, nil); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// verdict is what a member is told when its transaction ended so. Its own
// failure is its own; but that it was written, or that another had been
// before it, is true only once the transaction is committed.
func (m *member) verdict(outcome error) error {
	if outcome != nil && sqlstore.Answer(m.err) {
		return outcome
	}
	return m.err
}

// inner marks the context of a transaction within a group's.
type inner struct{}
