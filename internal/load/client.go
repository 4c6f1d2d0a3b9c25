package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// warmUp is how many notifications are sent before the clock starts.
const warmUp = 256

// turn is what one server did in a round.
type turn struct {
	acknowledged []string // the numbers of the orders, those of the warm-up too
	refused      int      // WeChat would send these again
	rate         float64  // acknowledged in a second
	p50, p99     time.Duration
	cpu          time.Duration // of the server, for each notification
	peak         int64         // bytes of memory, of the server
}

// answer is what came back for a message, and when.
type answer struct {
	number string
	status string
	took   time.Duration
}

// send sends the pool to the server at addr, inFlight at a time, for span at
// most.
func send(addr string, pool []message, inFlight int, span time.Duration) (turn, error) {
	first, err := sendAll(addr, pool[:warmUp], min(inFlight, 8), time.Now().Add(time.Minute))
	if err != nil {
		return turn{}, err
	}
	begin := time.Now()
	answers, err := sendAll(addr, pool[warmUp:], inFlight, begin.Add(span))
	if err != nil {
		return turn{}, err
	}
	whole := time.Since(begin)
	var t turn
	var took []time.Duration
	for i, a := range append(answers, first...) {
		if a.status != "204" {
			t.refused++
			continue
		}
		t.acknowledged = append(t.acknowledged, a.number)
		if i < len(answers) {
			took = append(took, a.took)
		}
	}
	if len(took) == 0 {
		return t, fmt.Errorf("nothing was acknowledged, %d were refused", t.refused)
	}
	slices.Sort(took)
	t.rate = float64(len(took)) / whole.Seconds()
	t.p50, t.p99 = took[len(took)/2], took[len(took)*99/100]
	return t, nil
}

// sendAll sends until the pool is empty or it is late, on inFlight connections,
// and waits for every answer.
func sendAll(addr string, pool []message, inFlight int, late time.Time) ([]answer, error) {
	answers, errs := make([][]answer, inFlight), make([]error, inFlight)
	var next atomic.Int64
	var sending sync.WaitGroup
	for i := range inFlight {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		sending.Go(func() {
			in := bufio.NewReader(c)
			for time.Now().Before(late) && errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(pool) {
					return
				}
				a := answer{number: pool[n].number}
				a.status, a.took, errs[i] = exchange(c, in, pool[n].wire)
				answers[i] = append(answers[i], a)
			}
		})
	}
	sending.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(answers...), nil
}

// exchange sends one request and reads the answer: its status, and nothing else
// of it. It is no HTTP client, for one would cost as much as the server.
func exchange(c net.Conn, in *bufio.Reader, wire []byte) (status string, took time.Duration, err error) {
	begin := time.Now()
	if err := c.SetDeadline(begin.Add(time.Minute)); err != nil {
		return "", 0, err
	}
	if _, err := c.Write(wire); err != nil {
		return "", 0, err
	}
	body := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if status == "" {
			_, rest, _ := strings.Cut(string(line), " ")
			status, _, _ = strings.Cut(rest, " ")
		}
		if length, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			_, err = fmt.Sscan(string(length), &body)
		}
		if err != nil {
			return "", 0, err
		}
	}
	_, err = in.Discard(body)
	return status, time.Since(begin), err
}
