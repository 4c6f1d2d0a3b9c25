package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// pile is what the flags say about the scene growth.
type pile struct {
	few, many int
	due       int
	rest      time.Duration
}

func (g *pile) flags(flags *flag.FlagSet) {
	flags.IntVar(&g.few, "few", 10_000, "how many orders are pending in the smaller file of the scene growth")
	flags.IntVar(&g.many, "many", 1_000_000, "and in the larger one")
	flags.IntVar(&g.due, "due", 64, "how many of them are due")
	flags.DurationVar(&g.rest, "rest", 10*time.Second, "how long the memory of its servers is watched")
}

func (g pile) check() error {
	if g.few < 1 || g.many < 1 || g.due < 1 || g.rest <= 0 {
		return errors.New("orders are pending, some of them due, and there is a rest")
	}
	return nil
}

// measureGrowth is the scene growth: what many pending orders cost a kit that
// runs.
func measureGrowth(ctx context.Context, c config, dir string) (string, []target, error) {
	var g growth
	for _, size := range []int{c.pile.few, c.pile.many} {
		folder, err := os.MkdirTemp(dir, "growth-")
		if err != nil {
			return "", nil, err
		}
		defer os.RemoveAll(folder)
		begin := time.Now()
		if err := (pending{size, min(c.pile.due, size), begin}).fill(ctx, folder); err != nil {
			return "", nil, fmt.Errorf("fill with %d orders: %w", size, err)
		}
		g = append(g, grown{pending: size, folder: folder, filling: time.Since(begin)})
	}
	if err := g.lookUp(ctx); err != nil {
		return "", nil, err
	}
	for i := range g {
		if err := g[i].start(ctx, c); err != nil {
			return "", nil, fmt.Errorf("%d orders: %w", g[i].pending, err)
		}
	}
	return g.figures(), g.targets(), nil
}

// growth is what was measured, of the smaller file first.
type growth []grown

type grown struct {
	pending int
	folder  string
	filling time.Duration
	due     time.Duration // what Due takes, median
	first   time.Duration // from the start of the process to its first question
	asked   int           // orders that were asked about in all
	begin   int64         // bytes of memory behind the first question
	resting int64         // in the last third of the rest, median
	peak    int64
	cpu     time.Duration
}

// lookings is how often Due is measured, and dueLimit how many orders it returns
// at most, as the worker asks.
const (
	lookings = 400
	dueLimit = 64
)

// lookUp measures Due. The files take turns.
func (g growth) lookUp(ctx context.Context) error {
	took := make([][]time.Duration, len(g))
	stores := make([]*sqlite.Store, len(g))
	for i := range g {
		store, err := sqlite.Open(filepath.Join(g[i].folder, kitFile))
		if err != nil {
			return err
		}
		defer store.Close()
		stores[i] = store
	}
	for range lookings {
		for i, store := range stores {
			begin := time.Now()
			found, err := store.Due(ctx, begin, dueLimit)
			took[i] = append(took[i], time.Since(begin))
			if err != nil || len(found) == 0 {
				return errors.Join(errors.New("nothing is due"), err)
			}
		}
	}
	for i := range g {
		g[i].due = median(took[i])
	}
	return nil
}

// start starts a kit on the file, waits for its first question, and watches its
// memory.
func (g *grown) start(ctx context.Context, c config) error {
	a, key, err := newAccount()
	if err != nil {
		return err
	}
	asked := &questions{key: key}
	weChat := httptest.NewServer(asked)
	defer weChat.Close()
	if err := errors.Join(a.write(g.folder), platform{Base: weChat.URL}.write(g.folder)); err != nil {
		return err
	}
	procs := slices.Max(c.procs)
	begin := time.Now()
	addr, stop, err := c.start(ctx, ofGrowth, g.folder, procs, "", c.profile(ofGrowth, procs, g.pending))
	if err != nil {
		return err
	}
	err = g.watch(addr, asked, begin, c.pile.rest)
	var stopErr error
	g.cpu, stopErr = stop()
	return errors.Join(err, stopErr)
}

func (g *grown) watch(addr string, asked *questions, begin time.Time, rest time.Duration) error {
	server, err := processAt(addr)
	if err != nil {
		return err
	}
	first, err := waitFor(asked, begin.Add(time.Minute))
	if err != nil {
		return err
	}
	g.first = first.Sub(begin)
	memory, err := watch(server, time.Now(), rest)
	if err != nil {
		return err
	}
	g.begin, g.resting = memory[0], median(slices.Clone(memory[len(memory)*2/3:]))
	_, g.asked = asked.asked()
	g.peak, err = server.peak()
	return err
}

// waitFor returns when the first question came.
func waitFor(asked *questions, late time.Time) (time.Time, error) {
	for time.Now().Before(late) {
		if first, n := asked.asked(); n > 0 {
			return first, nil
		}
		time.Sleep(time.Millisecond)
	}
	return time.Time{}, errors.New("WeChat Pay was not asked")
}
