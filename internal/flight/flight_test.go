package flight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
)

// answer is what a caller of Do got.
type answer struct {
	val string
	led bool
	err error
}

// callers starts n callers of a key and returns, when all of them wait, where
// their answers will be.
func callers(ctx context.Context, g *flight.Group[string], n int, key string, fn func(context.Context) (string, error)) []answer {
	answers := make([]answer, n)
	for i := range answers {
		go func() {
			a := &answers[i]
			a.val, a.led, a.err = g.Do(ctx, key, fn)
		}()
	}
	synctest.Wait()
	return answers
}

// leaders counts who ran the function.
func leaders(answers []answer) int {
	n := 0
	for _, a := range answers {
		if a.led {
			n++
		}
	}
	return n
}

func TestGroupShares(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for _, c := range []struct {
		name string
		val  string
		err  error
	}{{"result", "v", nil}, {"error", "", failed}, {"both", "v", failed}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[string]
				var runs atomic.Int32
				answers := callers(t.Context(), &g, 32, "k", func(context.Context) (string, error) {
					runs.Add(1)
					time.Sleep(time.Second)
					return c.val, c.err
				})
				time.Sleep(2 * time.Second)
				synctest.Wait()
				for i, a := range answers {
					if a.val != c.val || a.err != c.err {
						t.Errorf("caller %d got %q, %v", i, a.val, a.err)
					}
				}
				if runs.Load() != 1 || leaders(answers) != 1 {
					t.Errorf("%d runs, %d leaders", runs.Load(), leaders(answers))
				}
			})
		})
	}
}

// TestGroupForgets: who comes after the end begins anew; nothing is cached.
func TestGroupForgets(t *testing.T) {
	t.Parallel()
	var g flight.Group[int]
	n := 0
	for want := 1; want <= 3; want++ {
		got, led, err := g.Do(t.Context(), "k", func(context.Context) (int, error) { n++; return n, errors.New("again") })
		if got != want || !led || err == nil {
			t.Errorf("call %d: %d, %v, %v", want, got, led, err)
		}
	}
}

// TestGroupKeys do not wait for each other.
func TestGroupKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string]
		hold := make(chan struct{})
		slow := callers(t.Context(), &g, 2, "slow", func(context.Context) (string, error) { <-hold; return "slow", nil })
		if val, led, err := g.Do(t.Context(), "quick", func(context.Context) (string, error) { return "quick", nil }); val != "quick" || !led || err != nil {
			t.Errorf("%q, %v, %v", val, led, err)
		}
		close(hold)
		synctest.Wait()
		for _, a := range slow {
			if a.val != "slow" || a.err != nil {
				t.Errorf("%+v", a)
			}
		}
	})
}

// TestGroupDoesNotReturn is an error to all, and the key is free afterwards.
func TestGroupDoesNotReturn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		end        func()
	}{
		{"panic", "no goods", func() { panic("no goods") }},
		{"exit", "ended its goroutine", runtime.Goexit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[string]
				answers := callers(t.Context(), &g, 8, "k", func(context.Context) (string, error) {
					time.Sleep(time.Second)
					tt.end()
					return "never", nil
				})
				time.Sleep(2 * time.Second)
				synctest.Wait()
				for i, a := range answers {
					if a.err == nil || !strings.Contains(a.err.Error(), tt.want) || a.val != "" {
						t.Errorf("caller %d got %+v", i, a)
					}
				}
				if val, _, err := g.Do(t.Context(), "k", func(context.Context) (string, error) { return "v", nil }); val != "v" || err != nil {
					t.Errorf("afterwards: %q, %v", val, err)
				}
			})
		})
	}
}

// TestGroupWaiterLeaves when its own context ends; the others get the result.
func TestGroupWaiterLeaves(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"a sharer", "the leader"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[string]
				type ctxKey struct{}
				fn := func(ctx context.Context) (string, error) {
					select {
					case <-time.After(time.Second):
						return fmt.Sprint("done for ", ctx.Value(ctxKey{})), nil
					case <-ctx.Done():
						return "", ctx.Err()
					}
				}
				impatient, leave := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "impatient"))
				patient := context.WithValue(t.Context(), ctxKey{}, "patient")
				first, second := impatient, patient
				want := "done for impatient" // the leader's values
				if who == "a sharer" {
					first, second, want = patient, impatient, "done for patient"
				}
				a := callers(first, &g, 1, "k", fn)
				b := callers(second, &g, 3, "k", fn)
				gone, stays := a, b
				if who == "a sharer" {
					gone, stays = b, a
				}
				leave()
				synctest.Wait()
				for _, x := range gone {
					if !errors.Is(x.err, context.Canceled) || x.val != "" {
						t.Errorf("who left got %+v", x)
					}
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				for _, x := range stays {
					if x.val != want || x.err != nil {
						t.Errorf("who stayed got %+v, want %q", x, want)
					}
				}
				if leaders(a) != 1 || leaders(b) != 0 {
					t.Errorf("leaders %d and %d", leaders(a), leaders(b))
				}
			})
		})
	}
}

// TestGroupUnderFire: no run of a key overlaps another of the same key.
func TestGroupUnderFire(t *testing.T) {
	t.Parallel()
	var g flight.Group[int]
	var inside [4]atomic.Int32
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			k := i % len(inside)
			_, _, err := g.Do(t.Context(), fmt.Sprint(k), func(context.Context) (int, error) {
				if n := inside[k].Add(1); n != 1 {
					t.Errorf("%d runs of one key at once", n)
				}
				defer inside[k].Add(-1)
				return k, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Join waits for what is under way, and begins nothing.
func TestGroupJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string]
		if val, joined, err := g.Join(t.Context(), "k"); val != "" || joined || err != nil {
			t.Errorf("nothing is under way: %q, %v, %v", val, joined, err)
		}
		failed := errors.New("failed")
		callers(t.Context(), &g, 1, "k", func(context.Context) (string, error) { time.Sleep(time.Second); return "v", failed })
		hasty, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		if _, joined, err := g.Join(hasty, "k"); !joined || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who does not wait gets %v, %v", joined, err)
		}
		if _, joined, _ := g.Join(t.Context(), "another"); joined {
			t.Error("joined the call of another key")
		}
		if val, joined, err := g.Join(t.Context(), "k"); val != "v" || !joined || !errors.Is(err, failed) {
			t.Errorf("joined: %q, %v, %v", val, joined, err)
		}
	})
}

// DoIf begins nothing that may not be, and asks only where nothing is under way.
func TestGroupDoIf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string]
		asked := 0
		say := func(yes bool) func() bool { return func() bool { asked++; return yes } }
		value := func(context.Context) (string, error) { return "v", nil }
		if val, ran, err := g.DoIf(t.Context(), "k", say(false), value); val != "" || ran || err != nil || asked != 1 {
			t.Errorf("refused: %q, %v, %v, asked %d times", val, ran, err, asked)
		}
		failed := errors.New("failed")
		callers(t.Context(), &g, 1, "k", func(context.Context) (string, error) { time.Sleep(time.Second); return "slow", failed })
		if val, ran, err := g.DoIf(t.Context(), "k", say(false), value); val != "slow" || !ran || !errors.Is(err, failed) || asked != 1 {
			t.Errorf("joined: %q, %v, %v, asked %d times", val, ran, err, asked)
		}
		if val, ran, err := g.DoIf(t.Context(), "k", say(true), value); val != "v" || !ran || err != nil || asked != 2 {
			t.Errorf("led: %q, %v, %v, asked %d times", val, ran, err, asked)
		}
	})
}

// TestGroupDoIfAtOnce: may and the beginning of the call are one step, so that
// who is refused did not come while the call that was allowed is under way.
func TestGroupDoIfAtOnce(t *testing.T) {
	t.Parallel()
	var g flight.Group[int]
	var taken, over atomic.Bool
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, ran, _ := g.DoIf(t.Context(), "k", func() bool { return taken.CompareAndSwap(false, true) }, func(context.Context) (int, error) {
				time.Sleep(time.Millisecond)
				over.Store(true)
				return 0, nil
			})
			if !ran && !over.Load() {
				t.Error("refused while the call was under way")
			}
		})
	}
	all.Wait()
}
