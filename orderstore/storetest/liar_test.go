package storetest_test

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// liar is an honest store, but for the methods that are set.
type liar struct {
	honest *memory.Store
	create func(context.Context, orderstore.Order) error
	get    func(context.Context, string) (orderstore.Order, error)
	save   func(context.Context, orderstore.Order) error
	due    func(context.Context, time.Time, int) ([]orderstore.Order, error)
	find   func(context.Context, string) ([]orderstore.Order, error)
	paid   func(context.Context, time.Time, time.Time, string, int) ([]orderstore.Order, error)
	events func(context.Context, string) ([]orderstore.Event, error)
	update func(context.Context, string, orderstore.Change) (orderstore.Order, error) // nil for the long way
}

var _ orderstore.Store = (*liar)(nil)

// newLiar returns a liar that has not lied yet.
func newLiar() *liar { return newLiarWith(memory.New()) }

func newLiarWith(s *memory.Store) *liar {
	return &liar{s, s.Create, s.Get, s.Save, s.Due, s.Find, s.Paid, s.Events, nil}
}

func (l *liar) Create(ctx context.Context, o orderstore.Order) error { return l.create(ctx, o) }

func (l *liar) Get(ctx context.Context, number string) (orderstore.Order, error) {
	return l.get(ctx, number)
}

func (l *liar) Save(ctx context.Context, o orderstore.Order) error { return l.save(ctx, o) }

func (l *liar) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return l.due(ctx, now, limit)
}

func (l *liar) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return l.find(ctx, ref)
}

func (l *liar) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	return l.paid(ctx, from, to, after, limit)
}

func (l *liar) Events(ctx context.Context, number string) ([]orderstore.Event, error) {
	return l.events(ctx, number)
}

// onWrite changes every order on its way in.
func (l *liar) onWrite(change func(*orderstore.Order)) {
	l.create = func(ctx context.Context, o orderstore.Order) error {
		change(&o)
		return l.honest.Create(ctx, o)
	}
	l.save = func(ctx context.Context, o orderstore.Order) error {
		change(&o)
		return l.honest.Save(ctx, o)
	}
}

// onRead changes every order on its way out.
func (l *liar) onRead(change func(*orderstore.Order)) {
	l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
		o, err := l.honest.Get(ctx, number)
		if err == nil {
			change(&o)
		}
		return o, err
	}
	l.onDue(each(change))
	l.onFind(each(change))
	l.onPaid(each(change))
}

// onDue changes what Due returns.
func (l *liar) onDue(change func([]orderstore.Order) []orderstore.Order) {
	l.due = func(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
		list, err := l.honest.Due(ctx, now, limit)
		return change(list), err
	}
}

// onFind changes what Find returns.
func (l *liar) onFind(change func([]orderstore.Order) []orderstore.Order) {
	l.find = func(ctx context.Context, ref string) ([]orderstore.Order, error) {
		list, err := l.honest.Find(ctx, ref)
		return change(list), err
	}
}

// onPaid changes what Paid returns.
func (l *liar) onPaid(change func([]orderstore.Order) []orderstore.Order) {
	l.paid = func(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
		list, err := l.honest.Paid(ctx, from, to, after, limit)
		return change(list), err
	}
}

// onEvents changes what Events returns.
func (l *liar) onEvents(change func([]orderstore.Event) []orderstore.Event) {
	l.events = func(ctx context.Context, number string) ([]orderstore.Event, error) {
		list, err := l.honest.Events(ctx, number)
		return change(list), err
	}
}

// onErrors changes every error but nil.
func (l *liar) onErrors(change func(error) error) {
	s := l.honest
	do := func(err error) error {
		if err == nil {
			return nil
		}
		return change(err)
	}
	l.create = func(ctx context.Context, o orderstore.Order) error { return do(s.Create(ctx, o)) }
	l.save = func(ctx context.Context, o orderstore.Order) error { return do(s.Save(ctx, o)) }
	l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
		o, err := s.Get(ctx, number)
		return o, do(err)
	}
	l.due = func(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
		list, err := s.Due(ctx, now, limit)
		return list, do(err)
	}
	l.find = func(ctx context.Context, ref string) ([]orderstore.Order, error) {
		list, err := s.Find(ctx, ref)
		return list, do(err)
	}
	l.paid = func(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
		list, err := s.Paid(ctx, from, to, after, limit)
		return list, do(err)
	}
	l.events = func(ctx context.Context, number string) ([]orderstore.Event, error) {
		list, err := s.Events(ctx, number)
		return list, do(err)
	}
}

// overwrite saves o whatever version is stored.
func (l *liar) overwrite(ctx context.Context, o orderstore.Order) error {
	for {
		now, err := l.honest.Get(ctx, o.OutTradeNo)
		if err != nil {
			return orderstore.ErrConflict
		}
		o.Version = now.Version
		if l.honest.Save(ctx, o) == nil {
			return nil
		}
	}
}

func each[T any](change func(*T)) func([]T) []T {
	return func(list []T) []T {
		for i := range list {
			change(&list[i])
		}
		return list
	}
}
