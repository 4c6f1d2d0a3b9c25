package wxsim

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// stragglers is how long Advance lets a slow receiver hold up sends that were
// due later, so that quick receivers see a strict order and slow ones do not
// hold up the rest.
const stragglers = 200 * time.Millisecond

// Advance moves the business clock by d. Every send that falls due on the way
// is made at its own time, in order, and has been answered or given up when
// Advance returns; so it is with refunds and late deeds. A negative d does
// nothing.
func (s *Sim) Advance(d time.Duration) { s.advance(context.Background(), d) }

func (s *Sim) advance(ctx context.Context, d time.Duration) {
	if d < 0 {
		return
	}
	s.advancing.Lock()
	defer s.advancing.Unlock()
	from := s.Now()
	until := from.Add(d)
	for last := uint64(0); ; {
		found := s.take(from, until)
		if len(found.batch) > 0 {
			last = 0
			s.deliverAll(ctx, found.batch)
			continue
		}
		// Wait for what flies now, not for payments that keep arriving.
		if last == 0 {
			last = found.newest
		}
		if found.oldest == 0 || found.oldest > last {
			break
		}
		<-found.changed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.moveTo(until)
	s.stir()
}

// deliverAll sends a batch at the same time and waits for it a little. Whoever
// is slower is waited for by the caller, who sees it flying.
func (s *Sim) deliverAll(ctx context.Context, batch []*delivery) {
	var wg sync.WaitGroup
	for _, d := range batch {
		wg.Go(func() { s.deliver(ctx, d) })
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	timer := time.NewTimer(stragglers)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// inBackground makes the first send of a notification while the call that
// brought it about is being answered. After Close it is left on the schedule.
// The caller holds mu.
func (s *Sim) inBackground(d *delivery) {
	select {
	case <-s.closed:
		heap.Push(&s.queue, d)
	default:
		s.takeOff(d, d.due)
		s.background.Go(func() { s.deliver(context.Background(), d) })
	}
}

// Run makes the re-sends that fall due as real time passes, and lets refunds
// reach their end, until ctx ends. It blocks, and returns nil when all its
// sends have stopped. Without it, time passes only in Advance and on the
// controls.
func (s *Sim) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		now := s.Now()
		found := s.take(now, now)
		for _, d := range found.batch {
			wg.Go(func() { s.deliver(ctx, d) })
		}
		if len(found.batch) > 0 {
			continue
		}
		pause := time.Hour
		if !found.next.IsZero() {
			pause = max(found.next.Sub(s.Now()), time.Millisecond)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-found.changed:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}
