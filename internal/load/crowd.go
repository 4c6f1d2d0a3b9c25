package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// crowd is a number of customers who ask a server again and again, each on a
// connection of its own and with the next request when the last is answered.
type crowd struct {
	wires [][]byte // the request of each
	conns []net.Conn
	in    []*bufio.Reader
}

// gather connects customers to a server.
func gather(addr string, wires [][]byte) (*crowd, error) {
	c := &crowd{wires: wires}
	for range wires {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			c.leave()
			return nil, err
		}
		c.conns, c.in = append(c.conns, conn), append(c.in, bufio.NewReader(conn))
	}
	return c, nil
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		_ = conn.Close() // nothing is on its way
	}
}

// send has the customers begin one after the other within spread, each to ask once
// at least, and go on for span. It waits for every answer, and returns also how
// long that took.
func (c *crowd) send(spread, span time.Duration) ([]answer, time.Duration, error) {
	answers, errs := make([][]answer, len(c.conns)), make([]error, len(c.conns))
	begin := time.Now()
	late := begin.Add(spread + span)
	var sending sync.WaitGroup
	for i, conn := range c.conns {
		sending.Go(func() {
			time.Sleep(spread * time.Duration(i) / time.Duration(len(c.conns)))
			for again := true; again; again = errs[i] == nil && time.Now().Before(late) {
				var a answer
				a.status, a.took, errs[i] = exchange(conn, c.in[i], c.wires[i])
				answers[i] = append(answers[i], a)
			}
		})
	}
	sending.Wait()
	return slices.Concat(answers...), time.Since(begin), errors.Join(errs...)
}

// sums are what a number of answers come to.
type sums struct {
	answers  int
	rate     float64 // in a second
	p50, p99 time.Duration
}

// sum refuses answers that are no success: what fails costs less.
func sum(answers []answer, whole time.Duration) (sums, error) {
	took := make([]time.Duration, 0, len(answers))
	for _, a := range answers {
		if a.status != "200" {
			return sums{}, fmt.Errorf("an answer is %s", a.status)
		}
		took = append(took, a.took)
	}
	if len(took) == 0 {
		return sums{}, errors.New("nothing was answered")
	}
	slices.Sort(took)
	return sums{len(took), float64(len(took)) / whole.Seconds(), took[len(took)/2], took[len(took)*99/100]}, nil
}
