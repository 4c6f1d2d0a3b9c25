// Command load measures what the kit carries, scene by scene, and holds it
// against targets. File docs/performance.md has the results.
//
//	go run ./internal/load
//	go run ./internal/load -scenes notify -sync 2ms -in-flight 64,256
//
// The scene notify is how many payments a second are stored and acknowledged,
// beside handlers that do it otherwise.
// The scene attack is what forgeries do to genuine notifications beside them.
// The scene growth is what many pending orders cost a kit that runs, and the
// scene handover what it costs notifications that paid orders are handed over.
//
// The client is this process, each server another one of the same program. All
// notifications are signed, and their orders stored, before a clock starts. In
// each round every server has its turn with a fresh copy of the database, so
// that whatever else the machine does slows all of them down alike; figures are
// medians of the rounds, and ratios are taken within a round. After each turn the
// database is opened, and must hold exactly the payments that were acknowledged.
//
// The scene prepay is what it costs to begin to pay, beside the RSA work that
// nobody can leave out, and what happens when many do at once; see prepays. The
// scene polling is how many answers a second there are for pages that poll, and
// what those cost the store and WeChat Pay; see polling. In both, WeChat Pay is a
// process, too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	dir             string
	inFlight, procs []int
	rounds, orders  int
	span, sync      time.Duration
	strict          bool
	profiles        string
	scenes          []scene
	customers       int    // of the scene prepay
	pages           int    // of the scene polling
	handler, folder string // of a server
	siege           siege
	pile            pile
}

func parse(args []string) (c config, err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&c.dir, "dir", "", "the `directory` of the databases (default: that of temporary files)")
	scenes := flags.String("scenes", names(), "what is measured")
	inFlight := flags.String("in-flight", "1,64,256", "how many notifications wait for their answer at a time")
	procs := flags.String("procs", "1,2", "GOMAXPROCS of the servers")
	flags.IntVar(&c.rounds, "rounds", 3, "how often each server has its turn")
	flags.IntVar(&c.orders, "orders", 30_000, "orders to be paid in a turn at most")
	flags.DurationVar(&c.span, "span", 2*time.Second, "how long a turn is at most")
	flags.DurationVar(&c.sync, "sync", 0, "what each sync of the disk takes longer, for all (needs cc)")
	flags.BoolVar(&c.strict, "strict", false, "fail when a target is missed")
	flags.StringVar(&c.profiles, "profiles", "", "a `directory` for the CPU profile of each server's last turn")
	c.siege.flags(flags)
	c.pile.flags(flags)
	flags.IntVar(&c.customers, "customers", 500, "prepays that wait for WeChat at a time, in the scene prepay")
	flags.IntVar(&c.pages, "pages", 5000, "pages that poll, in the scene polling")
	flags.StringVar(&c.handler, "serve", "", "be the server with this handler (for the program itself)")
	flags.StringVar(&c.folder, "folder", "", "what a server is given (for the program itself)")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if c.scenes, err = chosen(*scenes); err != nil {
		return c, err
	}
	if c.inFlight, err = numbers(*inFlight); err != nil {
		return c, err
	}
	if c.procs, err = numbers(*procs); err != nil {
		return c, err
	}
	if c.rounds < 1 || c.orders <= warmUp || c.sync < 0 {
		return c, fmt.Errorf("there is 1 round at least, and there are more than %d orders", warmUp)
	}
	return c, errors.Join(c.siege.check(), c.pile.check())
}

func numbers(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a list of numbers such as 1,64", list)
		}
		all = append(all, n)
	}
	return all, nil
}

// errMissed is the end of a strict run in which a target was missed.
var errMissed = errors.New("a target was missed")

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	if c.handler != "" {
		return c.serve(in, out)
	}
	if c.profiles != "" {
		if err := os.MkdirAll(c.profiles, 0o755); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(c.dir, "wxpay-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var targets []target
	for _, scene := range c.scenes {
		figures, found, err := scene.measure(ctx, c, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", scene.name, err)
		}
		if _, err := io.WriteString(out, figures+"\n"); err != nil {
			return err
		}
		targets = append(targets, found...)
	}
	if err := print(out, targets); err != nil {
		return err
	}
	for _, t := range targets {
		if c.strict && !t.met() {
			return errMissed
		}
	}
	return nil
}
