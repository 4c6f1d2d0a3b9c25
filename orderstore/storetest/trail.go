package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// trail follows the writes of one order. Each leaves one event with words of
// its own, and the same words in the order, so that afterwards both can be
// asked what became of it. It is safe for concurrent use.
type trail struct {
	number string
	mu     sync.Mutex
	writes map[string]tried // by the event's note
}

// tried is a write, and what the store said of it.
type tried struct {
	version int64 // that it was to make
	err     error // nil: it is there; ErrExists, ErrConflict: it is not; others: unknown
}

func newTrail(number string) *trail {
	return &trail{number: number, writes: make(map[string]tried)}
}

func (t *trail) create(ctx context.Context, s orderstore.Store) error {
	return t.write(ctx, plain(t.number), s.Create)
}

// save writes the order as it was read.
func (t *trail) save(ctx context.Context, s orderstore.Store, o orderstore.Order) error {
	return t.write(ctx, o, s.Save)
}

func (t *trail) write(ctx context.Context, o orderstore.Order, write func(context.Context, orderstore.Order) error) error {
	t.mu.Lock()
	o.Device = fmt.Sprint("write ", len(t.writes))
	t.writes[o.Device] = tried{} // its words are taken
	t.mu.Unlock()
	o.Events = []orderstore.Event{noted(o.Device)}
	err := write(ctx, o)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes[o.Device] = tried{o.Version + 1, err}
	return err
}

// verify reports an error unless the order and its events agree with each
// other and with what the store said of every write.
func (t *trail) verify(ctx context.Context, s orderstore.Store) error {
	o, events, err := t.read(ctx, s)
	if err != nil {
		return err
	}
	if int64(len(events)) != o.Version {
		return fmt.Errorf("%s has version %d and %d events, one is written with each version", t.number, o.Version, len(events))
	}
	if last := len(events) - 1; last >= 0 && events[last].Note != o.Device {
		return fmt.Errorf("%s says %q, its last event %q", t.number, o.Device, events[last].Note)
	}
	there := make(map[string]int64) // the version each write made
	for i, e := range events {
		there[e.Note] = int64(i + 1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for note, w := range t.writes {
		version := there[note]
		switch {
		case version != 0 && version != w.version:
			return fmt.Errorf("%s: %q was to make version %d and made %d", t.number, note, w.version, version)
		case w.err == nil && version == 0:
			return fmt.Errorf("%s: %q is not there, though its write returned nil", t.number, note)
		case isAnswer(w.err) && version != 0:
			return fmt.Errorf("%s: %q is there, though its write returned %q; a write that may have been done must not be repeated",
				t.number, note, w.err)
		}
		delete(there, note)
	}
	for note := range there {
		return fmt.Errorf("%s has the event %q, which nobody wrote", t.number, note)
	}
	return nil
}

// read returns the order and its events as they were at one moment; a write
// whose writer was told an error may still come in between. Of no order the
// version is 0.
func (t *trail) read(ctx context.Context, s orderstore.Store) (orderstore.Order, []orderstore.Event, error) {
	for {
		before, err := s.Get(ctx, t.number)
		if err != nil && !errors.Is(err, orderstore.ErrNotFound) {
			return before, nil, must("Get", err)
		}
		events, err := s.Events(ctx, t.number)
		if err != nil {
			return before, nil, must("Events", err)
		}
		after, err := s.Get(ctx, t.number)
		if err != nil && !errors.Is(err, orderstore.ErrNotFound) {
			return before, nil, must("Get", err)
		}
		if before.Version == after.Version {
			return after, events, nil
		}
	}
}

// isAnswer reports whether err says that nothing was written.
func isAnswer(err error) bool {
	return errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrConflict)
}

// steady is a store whose reads are tried again for a while, as people do
// whose connection was lost.
type steady struct{ orderstore.Store }

func (s steady) Get(ctx context.Context, number string) (orderstore.Order, error) {
	return again(ctx, func() (orderstore.Order, error) { return s.Store.Get(ctx, number) })
}

func (s steady) Events(ctx context.Context, number string) ([]orderstore.Event, error) {
	return again(ctx, func() ([]orderstore.Event, error) { return s.Store.Events(ctx, number) })
}

// again reads until there is an answer, or for five seconds.
func again[T any](ctx context.Context, read func() (T, error)) (T, error) {
	const rounds, pause = 250, 20 * time.Millisecond
	for range rounds {
		got, err := read()
		if err == nil || errors.Is(err, orderstore.ErrNotFound) || ctx.Err() != nil {
			return got, err
		}
		time.Sleep(pause)
	}
	got, err := read()
	return got, must("with the connection back for five seconds", err)
}
