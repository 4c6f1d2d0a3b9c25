package orderstore

import (
	"context"
	"errors"
	"fmt"
)

// Change decides what becomes of an order. It is a pure function of the order
// but for what it keeps for its caller, may run several times, of which the last
// counts, and must not call the store: others may wait for it. When it returns
// false, nothing is saved.
type Change = func(o Order) (next Order, save bool)

// Updater is a [Store] that reads and writes an order quicker together than
// apart. [Update] makes use of it; no Store must have it.
type Updater interface {
	Store

	// Updater returns the store itself, and its way to do what [Update] says,
	// with one difference: a panic of the change is an error. Of each order that
	// the change is given, and that the returned one is saved for, nothing is
	// written in between. No error is an ErrConflict.
	//
	// A type that embeds a store, to do something of its own in Save, has this
	// method promoted. The store that it returns is another one then, and Update
	// goes the long way, by Get and that Save.
	Updater() (Store, func(ctx context.Context, outTradeNo string, change Change) (Order, error))
}

// maxConflicts bounds [Update] against a store that always says conflict.
// With honest stores each round lets one writer through.
const maxConflicts = 1000

// Update reads the order, lets change decide, and saves what it returns; on a
// conflict it begins again. Update returns the order as it was saved or read.
func Update(ctx context.Context, s Store, outTradeNo string, change Change) (Order, error) {
	if u, ok := s.(Updater); ok {
		if itself, update := u.Updater(); itself == s {
			return update(ctx, outTradeNo, change)
		}
	}
	return getAndSave(ctx, s, outTradeNo, change)
}

// getAndSave is [Update] on any store.
func getAndSave(ctx context.Context, s Store, outTradeNo string, change Change) (Order, error) {
	for range maxConflicts {
		o, err := s.Get(ctx, outTradeNo)
		if err != nil {
			return Order{}, err
		}
		next, save := change(o)
		if !save {
			return o, nil
		}
		switch err := s.Save(ctx, next); {
		case err == nil:
			return next.Saved(), nil
		case !errors.Is(err, ErrConflict):
			return Order{}, err
		}
		if err := ctx.Err(); err != nil {
			return Order{}, err
		}
	}
	return Order{}, fmt.Errorf("update %s: gave up after %d rounds: %w", outTradeNo, maxConflicts, ErrConflict)
}
