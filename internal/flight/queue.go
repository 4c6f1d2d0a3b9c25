package flight

import (
	"context"
	"sync"
)

// Queue runs functions of one key one after the other, in the order they came.
// The zero value is ready to use.
type Queue struct {
	mu   sync.Mutex
	keys map[string]*place
}

// place is where the callers of one key wait: whoever holds its token runs.
type place struct {
	token  chan struct{}
	people int // who wait or run
}

// Do waits for its turn and runs fn. It returns ctx's error if ctx ends first.
func (q *Queue) Do(ctx context.Context, key string, fn func() error) error {
	p := q.join(key)
	defer q.leave(key, p)
	select {
	case p.token <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.token }()
	return fn()
}

func (q *Queue) join(key string) *place {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.keys[key]
	if p == nil {
		if q.keys == nil {
			q.keys = make(map[string]*place)
		}
		p = &place{token: make(chan struct{}, 1)}
		q.keys[key] = p
	}
	p.people++
	return p
}

func (q *Queue) leave(key string, p *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.people--; p.people == 0 {
		delete(q.keys, key)
	}
}
