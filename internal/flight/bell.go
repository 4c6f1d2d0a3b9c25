package flight

import "sync"

// Bell tells those who wait for a key that something happened to it. The zero
// value is ready to use.
type Bell struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{}
}

// Listen returns a channel that gets a value after each [Bell.Ring] of key;
// rings that come before the last one is heard are one. stop must be called
// when nobody listens any more.
func (b *Bell) Listen(key string) (rings <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = make(map[string]map[chan struct{}]struct{})
	}
	if b.waiting[key] == nil {
		b.waiting[key] = make(map[chan struct{}]struct{})
	}
	b.waiting[key][c] = struct{}{}
	return c, func() { b.leave(key, c) }
}

func (b *Bell) leave(key string, c chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting[key], c)
	if len(b.waiting[key]) == 0 {
		delete(b.waiting, key)
	}
}

// Ring wakes all who listen to key. It never waits for them.
func (b *Bell) Ring(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.waiting[key] {
		select {
		case c <- struct{}{}:
		default: // it has not heard the last one yet
		}
	}
}
