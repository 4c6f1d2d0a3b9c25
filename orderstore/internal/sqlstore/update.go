package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Together returns the way of an [orderstore.Updater]: those who update orders
// at the same time share a transaction. It is nil for a store with a hook, which
// can break its transaction, and must break nobody else's. It is no method
// because those are the public stores', too.
func Together(s *Store) func(ctx context.Context, outTradeNo string, change orderstore.Change) (orderstore.Order, error) {
	if s.onPaidTx != nil {
		return nil
	}
	return s.together
}

// together updates the order in a transaction with those of everybody who
// waits. Who leads and finds nobody waiting goes the way of Get and Save, which
// is the shortest for one; so does who was in a group that came to nothing. A
// context that ends also ends the waiting; but what its group is doing by then
// is waited for, because only then it is known whether the order was written.
func (s *Store) together(ctx context.Context, outTradeNo string, change orderstore.Change) (orderstore.Order, error) {
	if err := ctx.Err(); err != nil {
		return orderstore.Order{}, Cause(ctx, "update order", err)
	}
	m := newMember(outTradeNo, change)
	if !s.queue.join(m, time.Now()) {
		return s.alone(ctx, m)
	}
	defer context.AfterFunc(ctx, func() { s.queue.leave(m) })()
	if _, leads := <-m.turn; leads {
		defer s.lead(m)()
	}
	switch {
	case m.err != nil:
		return orderstore.Order{}, m.err
	case m.done:
		return m.order, nil
	}
	return s.alone(ctx, m)
}

// lead has the group of m written, if others are in it; otherwise m is to go alone,
// and then to call end. Until then, but not for long, those who wait count on
// the place that the group has.
func (s *Store) lead(m *member) (end func()) {
	g := m.group
	over := sync.OnceFunc(func() { s.queue.end(g) })
	slow := time.AfterFunc(patience, over)
	end = func() {
		slow.Stop()
		over()
	}
	if len(g.members) > 1 {
		defer end() // also when a change ends the goroutine
		s.writeGroup(g)
	}
	return end
}

// alone updates the order as anybody does who has only Get and Save. If the
// group's commit was lost, it first finds out what became of it, as after one of
// its own: see write.
func (s *Store) alone(ctx context.Context, m *member) (orderstore.Order, error) {
	if m.lost != nil {
		err := s.insist(ctx, m.number, orderstore.ErrConflict, func(ctx context.Context, tx *sql.Tx, w *Write) error {
			return s.sql.Save(ctx, On(tx), m.saving.next, w)
		}, m.saving.write, m.lost)
		switch {
		case err == nil:
			return m.saving.next.Saved(), nil
		case !errors.Is(err, orderstore.ErrConflict):
			return orderstore.Order{}, err
		}
	}
	var panicked error
	o, err := orderstore.Update(ctx, s, m.number, func(o orderstore.Order) (next orderstore.Order, save bool) {
		next, save, panicked = decide(m.change, o)
		return next, save
	})
	switch {
	case errors.Is(err, orderstore.ErrConflict): // for a thousand times
		return orderstore.Order{}, fmt.Errorf("update order: %v", err)
	case err == nil && panicked != nil:
		return orderstore.Order{}, panicked
	}
	return o, err
}

// decide calls change, whose panic is an error, as are its mistakes.
func decide(change orderstore.Change, o orderstore.Order) (next orderstore.Order, save bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, save, err = o, false, fmt.Errorf("update order: panicked: %v", p)
		}
	}()
	if next, save = change(o); save {
		err = sameOrder(&o, &next)
	}
	return next, save && err == nil, err
}
