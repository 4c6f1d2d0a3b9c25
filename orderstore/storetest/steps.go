package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wxpaykit/wxpay/orderstore"
)

// must says which step went wrong, and is nil when err is.
func must(step string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// refused reports an error unless err is want, and nothing else that a caller
// could take it for.
func refused(step string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got error %v, want one that errors.Is finds to be %q", step, err, want)
	}
	for _, other := range []error{orderstore.ErrExists, orderstore.ErrNotFound, orderstore.ErrConflict} {
		if !errors.Is(want, other) && errors.Is(err, other) {
			return fmt.Errorf("%s: error %q passes for %q too", step, err, other)
		}
	}
	return nil
}

// create stores orders and returns nil only if all were taken.
func create(ctx context.Context, s orderstore.Store, orders ...orderstore.Order) error {
	for _, o := range orders {
		if err := s.Create(ctx, o); err != nil {
			return fmt.Errorf("Create %s: %w", o.OutTradeNo, err)
		}
	}
	return nil
}

// holds reports an error unless the store has exactly want, as Get returns it.
func holds(ctx context.Context, s orderstore.Store, want orderstore.Order) error {
	got, err := s.Get(ctx, want.OutTradeNo)
	if err != nil {
		return fmt.Errorf("Get %s: %w", want.OutTradeNo, err)
	}
	return must("Get "+want.OutTradeNo, same(got, want))
}

// history reports an error unless the store has exactly these events.
func history(ctx context.Context, s orderstore.Store, number string, want ...orderstore.Event) error {
	got, err := s.Events(ctx, number)
	if err != nil {
		return fmt.Errorf("Events %s: %w", number, err)
	}
	return must("Events "+number, sameList(got, want))
}

// noted returns an event that can be told by its note.
func noted(note string) orderstore.Event {
	return orderstore.Event{At: epoch, Kind: orderstore.EventPrepayFailed, Note: note}
}

// numbers prints the order numbers of a list, for messages and comparison.
func numbers(orders []orderstore.Order) []string {
	list := make([]string, len(orders))
	for i, o := range orders {
		list[i] = o.OutTradeNo
	}
	return list
}

// parallel runs n steps at the same time and returns what they returned, after
// the last has ended.
func parallel(n int, step func(i int) error) []error {
	errs, done := make([]error, n), make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			errs[i] = step(i)
		}()
	}
	for range n {
		<-done
	}
	return errs
}

// wins reports an error unless exactly one of the errors is nil and all others
// are want. It returns the winner.
func wins(errs []error, want error) (int, error) {
	winner := -1
	for i, err := range errs {
		switch {
		case err != nil:
			if err := refused("the loser of a race", err, want); err != nil {
				return 0, err
			}
		case winner >= 0:
			return 0, fmt.Errorf("writers %d and %d both won", winner, i)
		default:
			winner = i
		}
	}
	if winner < 0 {
		return 0, fmt.Errorf("none of %d writers won", len(errs))
	}
	return winner, nil
}

// first says how many of those who did something at once failed, and how the
// first of them; nil when none did.
func first(errs []error) error {
	failed := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d failed, the first: %w", len(failed), len(errs), failed[0])
}
