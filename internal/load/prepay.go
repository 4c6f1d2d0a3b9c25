package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// prepays is a run of the scene: customers begin to pay, JSAPI, each time an
// order of its own, in a shop whose WeChat Pay is another process. What matters
// is taken in turns of their own, in each round:
//
//   - busy: what a prepay costs the processors, with a WeChat Pay that answers at
//     once, and what its RSA work alone costs them, in a process of its own. The
//     two take turns every fifth of a second, so that whatever else the machine
//     does makes both dearer. The shop keeps its orders in memory: a disk is no
//     part of that target.
//   - disk: the same with SQLite.
//   - queue: all customers at once, with a WeChat Pay that takes 50 ms. Now the
//     processors are the limit: two of them carry about a thousand prepays a
//     second, fifty of which are at WeChat Pay at a time, while the others wait
//     for their RSA work. If they waited for anything else, too, there would be
//     fewer prepays than in the first turn.
//   - calm: all customers are at WeChat Pay at once, and the processors have half
//     of the work they can do: customers begin evenly spread, and WeChat Pay takes
//     as long as that needs. What a prepay takes longer is what the shop adds.
type prepays struct {
	config
	dir  string
	done []prepayRound
}

type prepayRound struct{ busy, disk, queue, calm prepayTurn }

// prepayTurn is what a shop did.
type prepayTurn struct {
	sums
	costs
	latency     time.Duration // of WeChat Pay
	conns, most int64         // to WeChat Pay, and prepays there at once
}

const (
	few  = 8                     // customers who keep two processors busy
	slow = 50 * time.Millisecond // a WeChat Pay of whom many wait for an answer
)

func measurePrepay(ctx context.Context, c config, dir string) (string, []target, error) {
	p := prepays{config: c, dir: dir}
	for range c.rounds {
		r, err := p.round(ctx)
		if err != nil {
			return "", nil, err
		}
		p.done = append(p.done, r)
	}
	return p.figures(), p.targets(), nil
}

func (p *prepays) round(ctx context.Context) (r prepayRound, err error) {
	if r.busy, err = p.turn(ctx, shopOnMemory, few, 0); err != nil {
		return r, err
	}
	if r.disk, err = p.turn(ctx, shopOnSQLite, few, 0); err != nil {
		return r, err
	}
	if r.queue, err = p.turn(ctx, shopOnMemory, p.customers, slow); err != nil {
		return r, err
	}
	r.calm, err = p.turn(ctx, shopOnMemory, p.customers, calmLatency(p.customers, r.busy.rate))
	return r, err
}

// patience is less than a shop waits for WeChat Pay.
const patience = 4 * time.Second

// calmLatency is how long WeChat Pay takes so that all customers are there at
// once at half of the rate; on a machine that is too slow for that they are not.
func calmLatency(customers int, rate float64) time.Duration {
	return min(patience, time.Duration(float64(customers)/(rate/2)*float64(time.Second)))
}

// turn opens a shop, and has customers pay there.
func (p *prepays) turn(ctx context.Context, server string, customers int, latency time.Duration) (t prepayTurn, err error) {
	profile := p.profile(fmt.Sprintf("%s %d customers", server, customers), int(latency.Milliseconds()), p.most())
	s, err := p.openShop(ctx, p.dir, server, stage{Latency: latency}, profile)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var wires [][]byte
	for i := range customers {
		wires = append(wires, prepayWire(i))
	}
	c, err := gather(s.addr, wires)
	if err != nil {
		return t, err
	}
	defer c.leave()
	if _, _, err := c.send(latency, 0); err != nil { // each once, to warm up
		return t, err
	}
	if latency == 0 {
		return p.beside(ctx, s, c)
	}
	answers, whole, err := c.send(latency, p.span)
	if err != nil {
		return t, err
	}
	t.latency = latency
	if t.sums, err = sum(answers, whole); err != nil {
		return t, err
	}
	return t, t.connected(ctx, s)
}

// connected asks WeChat Pay about connections.
func (t *prepayTurn) connected(ctx context.Context, s *shop) error {
	weChat, err := readMeter(ctx, s.weChat)
	t.conns, t.most = weChat[meterConns], weChat[meterMost]
	return err
}

// prepayWire is the request of a customer.
func prepayWire(i int) []byte {
	body := `{"goods_id":"vip-month","openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}`
	return fmt.Appendf(nil, "POST /pay/prepay/jsapi HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\n"+
		"%s: %s\r\nContent-Length: %d\r\n\r\n%s", userHeader, user(i), len(body), body)
}
