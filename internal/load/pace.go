package main

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// shot is a message that is sent at its time, whatever became of those before.
type shot struct {
	message
	closes bool // the server closes the connection behind its answer
}

func shotsOf(messages []message) (shots []shot) {
	for _, m := range messages {
		shots = append(shots, shot{message: m})
	}
	return shots
}

// hit is what came back. Both times count from when the message was due, so that
// a server that is slow makes the wait of those behind it visible.
type hit struct {
	shot   int
	status string
	sent   time.Duration
	took   time.Duration
}

// pace sends at a fixed rate. Senders are as many as can wait for an answer at a
// time; when all of them wait, shots go out late, which hit.sent shows.
type pace struct {
	rate    int // in a second
	senders int
	shots   []shot // in turn, again and again
}

// send sends to addr from begin on, until n shots are answered.
func (p pace) send(ctx context.Context, addr string, begin time.Time, n int) ([]hit, error) {
	hits, errs := make([]hit, n), make([]error, p.senders)
	var next atomic.Int64
	var sending sync.WaitGroup
	for i := range p.senders {
		sending.Go(func() {
			line := &line{addr: addr}
			defer line.close()
			for errs[i] == nil && ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= n {
					return
				}
				due := begin.Add(time.Duration(at) * time.Second / time.Duration(p.rate))
				time.Sleep(time.Until(due))
				hits[at], errs[i] = p.fire(line, at%len(p.shots), due)
			}
		})
	}
	sending.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return hits, ctx.Err()
}

func (p pace) fire(l *line, shot int, due time.Time) (hit, error) {
	h := hit{shot: shot, sent: time.Since(due)}
	if err := l.open(); err != nil {
		return h, err
	}
	s := p.shots[shot]
	var err error
	h.status, _, err = exchange(l.conn, l.in, s.wire)
	h.took = time.Since(due)
	if s.closes {
		err = cmp.Or(err, l.close())
	}
	return h, err
}

// line is a connection that is opened when it is needed.
type line struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

func (l *line) open() (err error) {
	if l.conn != nil {
		return nil
	}
	if l.conn, err = net.Dial("tcp", l.addr); err == nil {
		l.in = bufio.NewReader(l.conn)
	}
	return err
}

func (l *line) close() error {
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}
