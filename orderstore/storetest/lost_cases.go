package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func lostCases() []lostCase {
	return []lostCase{
		{"Lost/Create", lostCreate},
		{"Lost/Save", lostSave},
		{"Lost/Reads", lostReads},
		{"Lost/Silence", lostSilence},
		{"Lost/Storm", lostStorm},
	}
}

// walk does the same again and again, and cuts the connections a little later
// each time, until step is over before that: before each answer, in the middle
// of it, and before each piece of a long one. Before each step, calm has used
// the store, so that it has a connection to lose.
func walk(n *network, calm, step func(i int) error) error {
	const most, enough = 500, 9 // steps; and those over in time that end the walk
	cuts, intact := 0, 0
	for i := range most {
		before := n.pieces()
		if err := calm(i); err != nil {
			return err
		}
		if n.pieces() == before {
			return errors.New("nothing passed the proxy: open must look for the database at the address it is given")
		}
		n.light([]fuse{{left: i / 3, turns: true}, {left: i / 3, turns: true, half: true}, {left: i / 3}}[i%3])
		err := step(i)
		if n.unlight() {
			cuts, intact = cuts+1, 0
		} else {
			intact++
		}
		switch {
		case err != nil:
			return fmt.Errorf("cut %d: %w", i, err)
		case intact == enough && cuts == 0:
			return errors.New("no connection was lost: the store did not ask its database")
		case intact == enough:
			return nil
		}
	}
	return fmt.Errorf("there is no end to it, after %d cuts", cuts)
}

func lostCreate(ctx context.Context, s orderstore.Store, n *network) error {
	var t *trail
	err := walk(n, func(i int) error {
		if t != nil {
			if err := t.verify(ctx, steady{s}); err != nil {
				return err
			}
			// Who was told an error tries again, and finds it there or makes it.
			if err := t.create(ctx, s); err != nil && !errors.Is(err, orderstore.ErrExists) {
				return must("Create again", err)
			}
			if err := t.verify(ctx, steady{s}); err != nil {
				return err
			}
		}
		t = newTrail(fmt.Sprint("tzxz_lost_create_", i))
		return t.verify(ctx, steady{s})
	}, func(int) error {
		_ = t.create(ctx, s)
		return nil
	})
	if err != nil {
		return err
	}
	return t.verify(ctx, steady{s})
}

func lostSave(ctx context.Context, s orderstore.Store, n *network) error {
	t := newTrail("tzxz_lost_save")
	if err := must("Create", t.create(ctx, s)); err != nil {
		return err
	}
	var o orderstore.Order
	err := walk(n, func(int) (err error) {
		if err := t.verify(ctx, steady{s}); err != nil {
			return err
		}
		o, err = steady{s}.Get(ctx, t.number)
		return must("Get", err)
	}, func(int) error {
		_ = t.save(ctx, s, o)
		return nil
	})
	if err != nil {
		return err
	}
	return t.verify(ctx, steady{s})
}

// A list of which the end was lost is no list.
func lostReads(ctx context.Context, s orderstore.Store, n *network) error {
	const size = 12
	var all, newest []string
	var notes []orderstore.Event
	for i := range size {
		o := paidAt(fmt.Sprintf("tzxz_lost_%02d", i), epoch.Add(time.Duration(i)*time.Second))
		o.Ref, o.NextActionAt, o.CreatedAt = "ref-1", o.PaidAt, o.PaidAt
		o.PrepayRequest = strings.Repeat("x", 4<<10)
		if err := create(ctx, s, o); err != nil {
			return err
		}
		all, newest = append(all, o.OutTradeNo), append([]string{o.OutTradeNo}, newest...)
		notes = append(notes, noted(fmt.Sprint(i, strings.Repeat("x", 4<<10))))
	}
	last := paidAt("tzxz_lost_last", epoch.AddDate(1, 0, 0))
	last.Events = notes
	if err := create(ctx, s, last); err != nil {
		return err
	}
	later := epoch.Add(time.Hour)
	for name, read := range map[string]func() (wrong, lost error){
		"Get": func() (wrong, lost error) {
			o, err := s.Get(ctx, last.OutTradeNo)
			if errors.Is(err, orderstore.ErrNotFound) {
				return err, nil
			}
			return same(o, last.Saved()), err
		},
		"Due":    func() (wrong, lost error) { return listed(all)(s.Due(ctx, later, size)) },
		"Find":   func() (wrong, lost error) { return listed(newest)(s.Find(ctx, "ref-1")) },
		"Paid":   func() (wrong, lost error) { return listed(all)(s.Paid(ctx, epoch, later, "", size)) },
		"Events": func() (wrong, lost error) { return eventList(notes)(s.Events(ctx, last.OutTradeNo)) },
	} {
		ask := func(int) error {
			wrong, lost := read()
			if lost != nil {
				return nil // and said so
			}
			return wrong
		}
		calm := func(int) error {
			wrong, err := again(ctx, read)
			return errors.Join(wrong, err)
		}
		if err := walk(n, calm, ask); err != nil {
			return must(name, err)
		}
	}
	return nil
}

// listed compares a list of orders with the numbers that should be in it.
func listed(want []string) func([]orderstore.Order, error) (wrong, lost error) {
	return func(list []orderstore.Order, err error) (wrong, lost error) {
		if got := numbers(list); !slices.Equal(got, want) {
			wrong = fmt.Errorf("%d of %d orders came back, and no error: %v", len(got), len(want), got)
		}
		return wrong, err
	}
}

func eventList(want []orderstore.Event) func([]orderstore.Event, error) (wrong, lost error) {
	return func(list []orderstore.Event, err error) (wrong, lost error) { return sameList(list, want), err }
}

// From one moment to the next nothing passes any more, and nobody is told, as
// behind a firewall that has forgotten the connection.
func lostSilence(ctx context.Context, s orderstore.Store, n *network) error {
	t, created := newTrail("tzxz_silent"), newTrail("tzxz_silent_create")
	if err := must("Create", t.create(ctx, s)); err != nil {
		return err
	}
	var o orderstore.Order
	for _, call := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, t.number); return err }},
		{"Due", func(ctx context.Context) error { _, err := s.Due(ctx, epoch, 1); return err }},
		{"Find", func(ctx context.Context) error { _, err := s.Find(ctx, "ref-1"); return err }},
		{"Paid", func(ctx context.Context) error { _, err := s.Paid(ctx, epoch, epoch.Add(1000), "", 1); return err }},
		{"Events", func(ctx context.Context) error { _, err := s.Events(ctx, t.number); return err }},
		{"Save", func(ctx context.Context) error { return t.save(ctx, s, o) }},
		{"Create", func(ctx context.Context) error { return created.create(ctx, s) }},
	} {
		var err error
		if o, err = (steady{s}).Get(ctx, t.number); err != nil {
			return must("Get", err)
		}
		if err := silently(ctx, n, call.do); err != nil {
			return must(call.name, err)
		}
		for _, t := range []*trail{t, created} {
			if err := t.verify(ctx, steady{s}); err != nil {
				return fmt.Errorf("after the silence of %s: %w", call.name, err)
			}
		}
	}
	return nil
}

// silently calls do with a context that ends soon, while nothing passes.
func silently(ctx context.Context, n *network, do func(ctx context.Context) error) error {
	const short, grace = 200 * time.Millisecond, 3 * time.Second
	defer n.freeze()()
	ctx, cancel := context.WithTimeout(ctx, short)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		if err == nil || isAnswer(err) || errors.Is(err, orderstore.ErrNotFound) {
			return fmt.Errorf("said %v although it could not ask the database", err)
		}
		return nil
	case <-time.After(short + grace):
		return fmt.Errorf("still waits %v after its context has ended", grace)
	}
}
