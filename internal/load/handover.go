package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// handingInFlight is how many notifications wait for their answer at a time
// while paid orders are handed over.
const handingInFlight = 64

// measureHandover is the scene handover: what it costs notifications when
// Kit.Run hands the paid orders over beside them, and whether it keeps up.
func measureHandover(ctx context.Context, c config, dir string) (string, []target, error) {
	folder, err := os.MkdirTemp(dir, "handover-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(folder)
	a, key, err := newAccount()
	if err != nil {
		return "", nil, err
	}
	h := handover{config: c, folder: folder}
	if h.pool, err = newPool(ctx, c.orders, key, a.SignedAt); err != nil {
		return "", nil, err
	}
	if err := errors.Join(a.write(folder), fillFile(ctx, folder, c.orders, a.SignedAt)); err != nil {
		return "", nil, err
	}
	for range c.rounds {
		for _, handler := range []string{ofKit, ofRun} {
			t, err := h.turn(ctx, handler)
			if err != nil {
				return "", nil, fmt.Errorf("%s: %w", handler, err)
			}
			h.turns = append(h.turns, t)
		}
	}
	return h.figures(), h.targets(), nil
}

// handover is a run of the scene.
type handover struct {
	config
	folder string // with what every turn begins with a copy of
	pool   []message
	turns  []handed // without Run and with it, in turn
}

// handed is a turn, and what became of its payments.
type handed struct {
	turn
	owed  int           // paid and not handed over when the last was acknowledged
	whole time.Duration // from the first notification to the last hand-over
}

// turn gives a server its turn. With Run it ends when every payment has been
// handed over, once each.
func (h *handover) turn(ctx context.Context, handler string) (t handed, err error) {
	folder, err := os.MkdirTemp(h.folder, "turn-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(folder)
	if err := copyInto(folder, h.folder, kitFile, accountFile); err != nil {
		return t, err
	}
	procs := slices.Max(h.procs)
	addr, stop, err := h.start(ctx, handler, folder, procs, "", h.profile(handler, procs, handingInFlight))
	if err != nil {
		return t, err
	}
	begin := time.Now()
	if t.turn, err = send(addr, h.pool, handingInFlight, h.span); err == nil && handler == ofRun {
		t.owed, err = drain(ctx, addr, len(t.acknowledged))
		t.whole = time.Since(begin)
	}
	var peakErr, stopErr error
	t.peak, peakErr = peakAt(addr)
	t.cpu, stopErr = stop()
	if err := errors.Join(err, peakErr, stopErr); err != nil {
		return t, err
	}
	t.cpu /= time.Duration(len(t.acknowledged))
	return t, t.check(ctx, folder, handler)
}

// drain waits until as many orders as were paid have been handed over, and
// returns how many were not at first.
func drain(ctx context.Context, addr string, paid int) (owed int, err error) {
	owed = -1
	for late := time.Now().Add(5 * time.Minute); time.Now().Before(late) && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		calls, orders, err := handedAt(addr)
		if err != nil {
			return 0, err
		}
		if owed < 0 {
			owed = paid - orders
		}
		if calls != orders {
			return owed, fmt.Errorf("%d orders were handed over in %d calls: some more than once", orders, calls)
		}
		if orders >= paid {
			return owed, nil
		}
	}
	return owed, errors.Join(errors.New("not all payments are handed over"), ctx.Err())
}

// handedAt asks a server how often OnPaid was called, and for how many orders.
func handedAt(addr string) (calls, orders int, err error) {
	resp, err := http.Get("http://" + addr + handedPath)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(text), &calls, &orders)
	return calls, orders, err
}

// check holds the database against what was acknowledged; with Run all of it is
// marked as handed over.
func (t handed) check(ctx context.Context, folder, handler string) error {
	stored, err := paid(ctx, folder, ofKit)
	if err != nil {
		return err
	}
	if err := t.compare(stored); err != nil || handler != ofRun {
		return err
	}
	stored, err = numbersWhere(ctx, filepath.Join(folder, kitFile), "handed_over_at IS NOT NULL AND hand_over_tries = 1")
	if err != nil {
		return err
	}
	if err := t.compare(stored); err != nil {
		return fmt.Errorf("handed over at the first try: %w", err)
	}
	return nil
}
