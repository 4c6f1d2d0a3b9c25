// Command scale fills order stores of growing sizes and measures what a call of
// each costs. File docs/scale.md has the results.
//
//	go run ./internal/scale -store sqlite -sizes 10000,1000000,10000000
//	go run ./internal/scale -store postgres -dsn postgres://postgres@127.0.0.1:5432/test
//	go run ./internal/scale -store mysql -dsn 'root@tcp(127.0.0.1:3306)/test' -sizes 10000,1000000
//
// The orders are copies, made by SQL, of a hundred whose states came of the kit's
// own steps. One client calls the stores, with the settings that they have in a
// shop: a write ends when the disk has it. Each size has a database of its own,
// which is deleted in the end; when all are full, they take turns, call by call.
// Ten million orders take about 20 GB while the program runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := scale(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	store, where string
	sizes        []int64
	calls        int
	history      int64
}

func parse(args []string) (c config, err error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.StringVar(&c.store, "store", "sqlite", "sqlite, postgres or mysql")
	flags.StringVar(&c.where, "dsn", "", "the server, or for sqlite the directory of the file")
	flags.IntVar(&c.calls, "calls", 2000, "how often each call is measured")
	flags.Int64Var(&c.history, "history", 1, "every `n`th order has its events")
	sizes := flags.String("sizes", "10000,1000000,10000000", "how many orders, growing")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return c, err
		}
		c.sizes = append(c.sizes, n)
	}
	if c.sizes[0] < slots || !slices.IsSorted(c.sizes) || c.calls < slots || c.history < 1 {
		return c, errors.New("sizes grow from 100 at least, of calls there are 100 at least, and history is 1 or more")
	}
	return c, nil
}

func scale(ctx context.Context, args []string, out io.Writer) (err error) {
	c, err := parse(args)
	if err != nil {
		return err
	}
	var gauges []*gauge
	var results []result
	for _, size := range c.sizes {
		d, err := open(ctx, c.store, c.where)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		r, err := c.fill(ctx, d, size)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: %d orders, filled in %v\n", time.Now().Format(time.TimeOnly), size, r.filling.Round(time.Second))
		results = append(results, r)
		gauges = append(gauges, &gauge{store: d.store, last: size, calls: c.calls, rand: rand.New(rand.NewPCG(1, 2))})
	}
	if err := measure(ctx, gauges, results); err != nil {
		return err
	}
	return print(out, c.store, results)
}

// result is what was measured at one size.
type result struct {
	size, bytes int64
	filling     time.Duration
	costs       []cost
}

// fill fills a store and weighs it.
func (c config) fill(ctx context.Context, d *database, size int64) (result, error) {
	begin := time.Now()
	if err := d.fill(ctx, size, c.history); err != nil {
		return result{}, err
	}
	r := result{size: size, filling: time.Since(begin)}
	if err := d.db.QueryRowContext(ctx, d.kind.bytes).Scan(&r.bytes); err != nil {
		return r, fmt.Errorf("size on disk: %w", err)
	}
	return r, nil
}
