// Command chaos lets customers buy, pay, cancel and ask for refunds at shops
// that are killed with -9 at random moments, against a WeChat Pay that
// misbehaves; then it compares everybody's books line by line.
//
//	go run ./internal/chaos -time 60s -seed 7
//	go run ./internal/chaos -db postgres://postgres@127.0.0.1:5432/postgres
//	go run ./internal/chaos -break ack-before-commit
//
// The shops are processes of examples/shop on one database: one at first,
// -replicas of them after a third of the time. The simulator lives in this
// process. Every choice is drawn from the seed; what the choices meet is not
// repeatable, as kills are not. The program ends with 1 when the books of
// WeChat, the order table, the grants and what customers were told disagree in
// any line; see package audit for what is compared.
//
// The admin gives a share of what was paid back, in whole, in parts a minute
// apart, clicked twice, by two people at once. Refunds that take that minute are
// asked for early in a run, so that the time to settle stays short; in a run of
// less than half a minute there are none of them.
//
// In CI half a minute and what it takes to settle are enough, and fit into two
// minutes of two cores:
//
//	go run ./internal/chaos -time 30s -seed 1 -replicas 3 -least-kills 9 -least-paid 400 -least-refunds 40
//
// What the shops have not done when the chaos ends they do at the speed of the
// disk; a run of many minutes wants fewer -customers, or a longer -settle.
//
// Without -db the database is a file of SQLite. With it, a new one is made on the
// server, and dropped after a run in which nothing was wrong. With several -db,
// which must be nodes of one cluster, the shops use different ones, and the books
// are read through the first. What happens when a node dies meanwhile is tested
// on request, with servers that the test itself starts:
//
//	go test -tags cluster -run Cluster -v -timeout 20m ./internal/chaos
//
// With -break the shop is built from a copy of the source with one mistake in
// it. Such a run must fail.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	time, settle, orderTTL       time.Duration
	seed                         uint64
	replicas, customers          int
	shop, damage                 string // a built shop, and the name of a break
	dir                          string // where a run makes its own; empty: the system's
	leastKills, leastPaid, pause int
	refunds, leastRefunds        int
	calm                         bool
	dbs                          []string               // servers; none: a file
	tidy                         bool                   // leave nothing behind, even of a run that failed
	disaster                     func() (string, error) // what befalls the servers when all shops are open, and says so
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	conf, err := readFlags(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	}
	rep, err := run(ctx, conf, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
	rep.print(os.Stdout)
	if rep.failed() {
		os.Exit(1)
	}
}

// readFlags reads the command line, and tells out what is wrong with it.
func readFlags(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.DurationVar(&c.time, "time", time.Minute, "how long customers buy and shops are killed")
	flags.DurationVar(&c.settle, "settle", 90*time.Second, "how long the shops may then take to put everything right")
	flags.DurationVar(&c.orderTTL, "order-ttl", 20*time.Second, "time to pay; shorter than a process that died may hold a prepay (15s) lets fewer orders through")
	flags.Uint64Var(&c.seed, "seed", 1, "what every choice is drawn from")
	flags.IntVar(&c.replicas, "replicas", 3, "`shops` on the one database, after a third of the time; one before")
	flags.IntVar(&c.customers, "customers", 48, "how many people buy at the same time")
	flags.IntVar(&c.pause, "kill-every", 1800, "`milliseconds` between two kills, on average")
	flags.IntVar(&c.refunds, "refunds", 25, "`percent` of those who are told that they have paid want the money back")
	flags.BoolVar(&c.calm, "calm", false, "WeChat makes no mistakes")
	flags.Func("db", "`DSN` of a server on which to make a database: postgres://… or mysql://…, as the shop takes it; given several times, the shops take them in turn (default: a file of SQLite)", func(dsn string) error {
		if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "mysql://") {
			return errors.New("want postgres://… or mysql://…")
		}
		c.dbs = append(c.dbs, dsn)
		return nil
	})
	flags.StringVar(&c.shop, "shop", "", "`path` of a built shop (default: built from ./examples/shop)")
	flags.StringVar(&c.damage, "break", "", "build the shop with a mistake: "+strings.Join(breakNames(), " "))
	flags.IntVar(&c.leastKills, "least-kills", 0, "fail a run with fewer kills")
	flags.IntVar(&c.leastPaid, "least-paid", 0, "fail a run with fewer paid orders")
	flags.IntVar(&c.leastRefunds, "least-refunds", 0, "fail a run with fewer refunds at WeChat")
	err := flags.Parse(args)
	switch {
	case err != nil:
		return c, err // told by flags
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case c.time <= 0 || c.settle <= 0 || c.orderTTL <= 0 || c.replicas < 1 || c.customers < 1 || c.pause < 1:
		err = errors.New("times and counts must be positive")
	case c.shop != "" && c.damage != "":
		err = errors.New("-shop and -break exclude each other")
	}
	if err != nil {
		fmt.Fprintln(out, "chaos:", err)
	}
	return c, err
}
