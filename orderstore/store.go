package orderstore

import (
	"context"
	"errors"
	"time"
)

// Store keeps orders. Every method is safe for concurrent use, honours ctx,
// and has no clock of its own. What a returned nil said is durable: it
// survives the loss of power in the next instant. Any other error of Create or
// Save than the ones named may come of a write that was done: whole, or not at
// all. ErrExists and ErrConflict are never said of one that was.
//
// Package storetest holds these laws as tests that any Store can run.
type Store interface {
	// Create stores a new order, with Version 1 and the order's Events. It
	// returns [ErrExists] when the number is taken, and changes nothing then.
	Create(ctx context.Context, o Order) error

	// Get returns the order with that number, compared by case, with the
	// Version it has now and without Events. It returns [ErrNotFound]. What
	// Create and Save returned nil for is visible to every later Get.
	Get(ctx context.Context, outTradeNo string) (Order, error)

	// Save replaces the order, if the stored Version is still o.Version; it
	// then counts the Version up by one and appends o.Events, all or nothing.
	// Otherwise, also when there is no such order, it returns [ErrConflict]
	// and changes nothing. One conditional statement does it in any database.
	Save(ctx context.Context, o Order) error

	// Due returns at most limit orders whose NextActionAt is set and not
	// after now, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Order, error)

	// Find returns the orders whose Ref is ref, newest by CreatedAt first. An
	// empty ref finds nothing.
	Find(ctx context.Context, ref string) ([]Order, error)

	// Paid returns at most limit orders with from <= PaidAt < to, by PaidAt.
	// Where that is the same, they are in some order of their numbers, the
	// store's own, that is always the same; of those paid exactly at from, only
	// the ones behind the number after are returned, behind the empty one all.
	// So a page that begins at PaidAt and OutTradeNo of the last order of the
	// page before repeats nothing and leaves nothing out.
	Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]Order, error)

	// Events returns the order's history, oldest first: in the order of the
	// writes, and within a write as they were appended. That of an unknown
	// number is empty.
	Events(ctx context.Context, outTradeNo string) ([]Event, error)
}

// What a [Store] answers besides its own troubles.
var (
	ErrExists   = errors.New("orderstore: order number is taken")
	ErrNotFound = errors.New("orderstore: no such order")
	ErrConflict = errors.New("orderstore: order was changed by someone else")
)
