package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// load is a run of the program: the signed notifications, and the directory
// with the databases that wait for them.
type load struct {
	config
	dir     string
	pool    []message
	slow    string // the library that slows syncs down, if there is one
	results results
}

// results is what was measured.
type results struct {
	rows  []row
	reads reading
}

// row is one setting, with the turns of each handler, a turn for each round.
type row struct {
	procs, inFlight int
	turns           map[string][]turn
}

// measureNotify is the scene of the notifications.
func measureNotify(ctx context.Context, c config, dir string) (string, []target, error) {
	l, err := prepare(ctx, c, dir)
	if err != nil {
		return "", nil, err
	}
	results, err := l.measure(ctx)
	if err != nil {
		return "", nil, err
	}
	return results.figures(), results.targets(c), nil
}

func prepare(ctx context.Context, c config, dir string) (*load, error) {
	a, key, err := newAccount()
	if err != nil {
		return nil, err
	}
	if err := a.write(dir); err != nil {
		return nil, err
	}
	l := &load{config: c, dir: dir}
	if l.pool, err = newPool(ctx, c.orders, key, a.SignedAt); err != nil {
		return nil, err
	}
	if err := fillFiles(ctx, dir, c.orders, a.SignedAt); err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	if c.sync > 0 {
		if l.slow, err = buildSlowSync(ctx, dir); err != nil {
			return nil, err
		}
	}
	l.results.reads, err = read(a, l.pool)
	return l, err
}

func (l *load) measure(ctx context.Context) (results, error) {
	for _, procs := range l.procs {
		for _, inFlight := range l.inFlight {
			r := row{procs, inFlight, make(map[string][]turn)}
			for range l.rounds {
				for _, handler := range []string{ofKit, ofNaive, ofOne, ofLeast, withNone} {
					t, err := l.turn(ctx, handler, procs, inFlight)
					if err != nil {
						return l.results, fmt.Errorf("%s, %d in flight: %w", handler, inFlight, err)
					}
					r.turns[handler] = append(r.turns[handler], t)
				}
			}
			l.results.rows = append(l.results.rows, r)
			fmt.Fprintf(os.Stderr, "%s: %d in flight, GOMAXPROCS=%d done\n", time.Now().Format(time.TimeOnly), inFlight, procs)
		}
	}
	return l.results, nil
}

// turn gives a server its turn, and then holds its database against what it
// acknowledged.
func (l *load) turn(ctx context.Context, handler string, procs, inFlight int) (t turn, err error) {
	folder, err := os.MkdirTemp(l.dir, "turn-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(folder)
	if err := copyFiles(folder, l.dir); err != nil {
		return t, err
	}
	addr, stop, err := l.start(ctx, handler, folder, procs, l.slow, l.profile(handler, procs, inFlight))
	if err != nil {
		return t, err
	}
	t, err = send(addr, l.pool, inFlight, l.span)
	if err == nil {
		t.peak, err = peakAt(addr)
	}
	used, stopErr := stop()
	if err := errors.Join(err, stopErr); err != nil {
		return t, err
	}
	t.cpu = used / time.Duration(len(t.acknowledged)+t.refused)
	return t, l.check(ctx, t, folder, handler)
}

// profile is the file of a server's profile, if there is to be one.
func (c config) profile(handler string, procs, inFlight int) string {
	if c.profiles == "" {
		return ""
	}
	return filepath.Join(c.profiles, fmt.Sprintf("%s-%d-%d.pprof", strings.ReplaceAll(handler, " ", "-"), procs, inFlight))
}

// start starts a server, with the library that slows syncs down if there is one,
// and returns its address and what ends it: that returns the time of all
// processors that the server has used.
func (c config) start(ctx context.Context, handler, folder string, procs int, slow, profile string) (addr string, stop func() (time.Duration, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", handler, "-folder", folder, "-profiles", profile)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs))
	if slow != "" {
		cmd.Env = append(cmd.Env, "LD_PRELOAD="+slow, "SLOW_SYNC_US="+strconv.FormatInt(c.sync.Microseconds(), 10))
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() (time.Duration, error) {
		err := errors.Join(in.Close(), cmd.Wait())
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_, stopErr := stop()
		return "", nil, errors.Join(err, stopErr)
	}
	return strings.TrimSpace(addr), stop, nil
}

// check holds the payments of the database against the acknowledged ones. They
// must be the same: every answer was waited for.
func (l *load) check(ctx context.Context, t turn, folder, handler string) error {
	if handler == withNone {
		return nil
	}
	stored, err := paid(ctx, folder, handler)
	if err != nil {
		return err
	}
	return t.compare(stored)
}

// compare reports an acknowledged payment that is not stored, and a stored one
// that was not acknowledged.
func (t turn) compare(stored map[string]bool) error {
	for _, number := range t.acknowledged {
		if !stored[number] {
			return fmt.Errorf("%s was acknowledged, and is not stored", number)
		}
	}
	if len(stored) != len(t.acknowledged) {
		return fmt.Errorf("%d payments are stored, %d were acknowledged", len(stored), len(t.acknowledged))
	}
	return nil
}

// median of a list; the list is sorted.
func median[T int | int64 | float64 | time.Duration](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}
