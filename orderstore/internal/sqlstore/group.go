package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// result is what became of a member in its group. Without err, and unless it is
// done, the member has to go on alone.
type result struct {
	err    error            // the member's own
	done   bool             // order is as it was read, or saved
	order  orderstore.Order // what the change was given
	saving *saving          // nil when nothing is to be saved
	lost   error            // the commit that may have been done
}

// writeGroup runs the changes of all members and writes what they say in one
// transaction, once. Whatever goes wrong with that, each member goes on alone:
// nobody hears of another's trouble.
func (s *Store) writeGroup(g *group) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.queue.watch(g, cancel)
	err := errUndone
	defer func() { // also when a change ends the goroutine
		if ctx.Err() == nil {
			s.queue.heard(err, time.Now())
		}
		for _, m := range g.members {
			m.settle(err)
			close(m.turn)
		}
	}()
	err = s.attempt(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.writeAll(ctx, tx, g.members) })
}

// errUndone is the result of a group whose leader did not come to its end.
var errUndone = errors.New("the group was given up")

// settle sets what the member hears when its group's transaction ended so. An
// order that was only read counts as read when the transaction is committed,
// for some that are serialized are not.
func (r *result) settle(err error) {
	switch {
	case r.err != nil:
	case err == nil:
		if r.done && r.saving != nil {
			r.order = r.saving.next.Saved()
		}
		return
	case errors.Is(err, errCommit) && r.saving != nil:
		r.lost = err
	}
	r.done = false
}

// writeAll reads and locks the orders of the members, and writes what their
// changes make of them. An order that is not there, or that another
// transaction has, is left to its member.
func (s *Store) writeAll(ctx context.Context, tx *sql.Tx, members []*member) error {
	numbers := make([]string, len(members))
	for i, m := range members {
		numbers[i] = m.number
	}
	orders, err := s.sql.lock(ctx, On(tx), numbers)
	if err != nil {
		return err
	}
	var all []*saving
	for _, m := range members {
		o, found := orders[m.number]
		if !found || !s.queue.stays(m) {
			continue
		}
		if m.decide(o); m.saving != nil {
			all = append(all, m.saving)
		}
	}
	return s.sql.saveAll(ctx, On(tx), all)
}

// decide runs the change of the order as it is now. What Save might refuse for
// the order's own sake is left to it.
func (m *member) decide(o orderstore.Order) {
	next, save, err := decide(m.change, o)
	switch {
	case err != nil:
		m.err = err
	case !save:
		m.order, m.done = o, true
	default:
		w := &Write{ID: rand.Text(), Version: o.Version + 1}
		m.saving = newSaving(o, next, w)
		m.done = m.saving != nil
	}
}
