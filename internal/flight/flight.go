// Package flight lets callers that want the same thing at the same time share
// one attempt, and keeps attempts from coming too often.
package flight

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Group shares the result of a function among the callers of one key that
// overlap in time. The zero value is ready to use.
type Group[T any] struct {
	mu    sync.Mutex
	calls map[string]*call[T]
}

type call[T any] struct {
	done chan struct{}
	val  T
	err  error
}

// What callers get when the function they waited for did not return.
var (
	errPanicked = errors.New("flight: panicked")
	errExited   = errors.New("flight: ended its goroutine") // by runtime.Goexit
)

// Do runs fn for the first caller of a key, which leads; callers that come
// while it runs wait and get its result. fn keeps ctx's values but not its cancellation: a
// client that goes away must not take the others' result with it, so fn sets
// its own deadline. Each caller stops waiting when its own ctx ends. A panic
// or a runtime.Goexit in fn is an error to all.
func (g *Group[T]) Do(ctx context.Context, key string, fn func(context.Context) (T, error)) (val T, led bool, err error) {
	c, led := g.begin(ctx, key, nil, fn)
	val, err = c.wait(ctx)
	return val, led, err
}

// DoIf is [Group.Do] for a caller that leads only if it may. Where no call of
// the key is under way may is asked, and none can begin or end meanwhile: it
// must be quick. When it says no, nothing is done and ran is false.
func (g *Group[T]) DoIf(ctx context.Context, key string, may func() bool, fn func(context.Context) (T, error)) (val T, ran bool, err error) {
	c, _ := g.begin(ctx, key, may, fn)
	if c == nil {
		return val, false, nil
	}
	val, err = c.wait(ctx)
	return val, true, err
}

// begin returns the call of key that is under way. If there is none it begins
// one, unless may, if there is one, says no.
func (g *Group[T]) begin(ctx context.Context, key string, may func() bool, fn func(context.Context) (T, error)) (c *call[T], led bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, running := g.calls[key]; running {
		return c, false
	}
	if may != nil && !may() {
		return nil, false
	}
	if g.calls == nil {
		g.calls = make(map[string]*call[T])
	}
	c = &call[T]{done: make(chan struct{})}
	g.calls[key] = c
	go g.run(context.WithoutCancel(ctx), key, c, fn)
	return c, true
}

func (c *call[T]) wait(ctx context.Context) (val T, err error) {
	select {
	case <-c.done:
		return c.val, c.err
	case <-ctx.Done():
		return val, ctx.Err()
	}
}

// Join waits for the call of key that is under way and returns its result, if
// there is one; it never begins one.
func (g *Group[T]) Join(ctx context.Context, key string) (val T, joined bool, err error) {
	g.mu.Lock()
	c, running := g.calls[key]
	g.mu.Unlock()
	if !running {
		return val, false, nil
	}
	val, err = c.wait(ctx)
	return val, true, err
}

func (g *Group[T]) run(ctx context.Context, key string, c *call[T], fn func(context.Context) (T, error)) {
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("%w: %v", errPanicked, p)
		}
		g.mu.Lock()
		delete(g.calls, key)
		g.mu.Unlock()
		close(c.done)
	}()
	c.err = errExited // unless fn returns
	c.val, c.err = fn(ctx)
}
