// Package memory keeps orders in the memory of the process: for tests, and to
// try the kit out. It forgets everything when the process ends, so it breaks
// the one promise of [orderstore.Store] that needs a disk. Take real money
// with package sqlite, mysql or postgres.
package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Store is an [orderstore.Store] without a disk. It is safe for concurrent
// use and behaves as the stores with a database do, down to keeping times at
// microseconds.
type Store struct {
	mu      sync.Mutex
	orders  map[string]orderstore.Order // by out_trade_no, each without Events
	events  map[string][]orderstore.Event
	created []string // the numbers, in the order of Create
}

var _ orderstore.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		orders: make(map[string]orderstore.Order),
		events: make(map[string][]orderstore.Event),
	}
}

// Create stores a new order; see [orderstore.Store].
func (s *Store) Create(ctx context.Context, o orderstore.Order) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, taken := s.orders[o.OutTradeNo]; taken {
		return orderstore.ErrExists
	}
	o.Version = 0
	s.created = append(s.created, o.OutTradeNo)
	s.put(o)
	return nil
}

// Get returns the order with that number; see [orderstore.Store].
func (s *Store) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return orderstore.Order{}, err
	}
	o, ok := s.orders[outTradeNo]
	if !ok {
		return orderstore.Order{}, orderstore.ErrNotFound
	}
	return lent(o), nil
}

// lent is the order as a caller may have it, to change what it likes.
func lent(o orderstore.Order) orderstore.Order {
	o.Refunds = slices.Clone(o.Refunds)
	return o
}

// Save replaces the order if nobody else did since it was read; see
// [orderstore.Store].
func (s *Store) Save(ctx context.Context, o orderstore.Order) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if old, ok := s.orders[o.OutTradeNo]; !ok || old.Version != o.Version {
		return orderstore.ErrConflict
	}
	s.put(o)
	return nil
}

// Due returns the orders somebody must look at now; see [orderstore.Store].
// It looks at every order.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	due, err := s.list(ctx, func(o orderstore.Order) bool {
		return !o.NextActionAt.IsZero() && !o.NextActionAt.After(now)
	})
	slices.SortStableFunc(due, func(a, b orderstore.Order) int {
		return a.NextActionAt.Compare(b.NextActionAt)
	})
	return due[:min(len(due), max(limit, 0))], err
}

// Find returns the payment attempts of one order of the application; see
// [orderstore.Store]. It looks at every order.
func (s *Store) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	found, err := s.list(ctx, func(o orderstore.Order) bool {
		return ref != "" && o.Ref == ref
	})
	slices.Reverse(found)
	slices.SortStableFunc(found, func(a, b orderstore.Order) int {
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	return found, err
}

// Paid returns the orders paid in a span of time; see [orderstore.Store]. It
// looks at every order.
func (s *Store) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	from, to = stored(from), stored(to)
	paid, err := s.list(ctx, func(o orderstore.Order) bool {
		at := o.PaidAt
		return !at.IsZero() && at.Before(to) && (at.After(from) || at.Equal(from) && o.OutTradeNo > after)
	})
	slices.SortFunc(paid, func(a, b orderstore.Order) int {
		return cmp.Or(a.PaidAt.Compare(b.PaidAt), strings.Compare(a.OutTradeNo, b.OutTradeNo))
	})
	return paid[:min(len(paid), max(limit, 0))], err
}

// Events returns the order's history; see [orderstore.Store]. That of an
// unknown number is empty.
func (s *Store) Events(ctx context.Context, outTradeNo string) ([]orderstore.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return slices.Clone(s.events[outTradeNo]), nil
}

// list returns the orders to keep, the first created first, so that sorting
// them decides ties the same way each time.
func (s *Store) list(ctx context.Context, keep func(orderstore.Order) bool) ([]orderstore.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var kept []orderstore.Order
	for _, number := range s.created {
		if o := s.orders[number]; keep(o) {
			kept = append(kept, lent(o))
		}
	}
	return kept, nil
}

// put is the one place that writes. Strings are shared, they cannot change;
// events and refunds are copied, so the caller keeps its slices.
func (s *Store) put(o orderstore.Order) {
	for _, e := range o.Events {
		e.At = stored(e.At)
		s.events[o.OutTradeNo] = append(s.events[o.OutTradeNo], e)
	}
	for _, t := range []*time.Time{
		&o.ExpiresAt, &o.PrepaidAt, &o.PaidAt, &o.ClosedAt,
		&o.PlacingUntil, &o.OnItsWayUntil, &o.NextActionAt, &o.AskedAt, &o.HandOverAt, &o.HandedOverAt, &o.CreatedAt, &o.UpdatedAt,
	} {
		*t = stored(*t)
	}
	o.Refunds = o.Refunds.Stored()
	s.orders[o.OutTradeNo] = o.Saved()
}

// stored is the time as every store keeps it: UTC, at microseconds.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
