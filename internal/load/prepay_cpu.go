package main

import (
	"context"
	"fmt"
	"time"
)

// slice is how long each of three servers has the processors in turn.
const slice = 200 * time.Millisecond

// costs are what a prepay costs the processors.
type costs struct {
	shop, rsa, relay time.Duration // the shop, its RSA work alone, and that with package net/http
	ratio            float64       // shop, of rsa
	least            float64       // relay, of rsa
}

// beside measures what prepays cost beside their RSA work, and beside the
// package that takes and sends them: servers of their own, which take turns.
func (p *prepays) beside(ctx context.Context, s *shop, c *crowd) (t prepayTurn, err error) {
	rsa, err := s.run(ctx, ofRSA, "")
	if err != nil {
		return t, err
	}
	relay, err := s.run(ctx, ofRelay, "")
	if err != nil {
		return t, err
	}
	passing, err := gather(relay, c.wires)
	if err != nil {
		return t, err
	}
	defer passing.leave()
	var all []answer
	var whole time.Duration
	var list []costs
	for whole < p.span {
		answers, took, cpu, err := c.metered(ctx, s.addr)
		if err != nil {
			return t, err
		}
		least, err := leastOf(ctx, rsa, relay, passing)
		if err != nil {
			return t, err
		}
		all, whole, list = append(all, answers...), whole+took, append(list, least.of(cpu))
	}
	t.costs = middle(list)
	if t.sums, err = sum(all, whole); err != nil {
		return t, err
	}
	return t, t.connected(ctx, s)
}

// leastOf has the RSA work done for a slice, and then also prepays passed on.
func leastOf(ctx context.Context, rsa, relay string, passing *crowd) (c costs, err error) {
	var did worked
	if err := getJSON(ctx, fmt.Sprintf("http://%s/?span=%s", rsa, slice), &did); err != nil {
		return c, err
	}
	c.rsa = did.CPU / time.Duration(did.Prepays)
	_, _, c.relay, err = passing.metered(ctx, relay)
	return c, err
}

// of compares a shop with what is the least.
func (c costs) of(shop time.Duration) costs {
	c.shop, c.ratio = shop, shop.Seconds()/c.rsa.Seconds()
	c.least = c.relay.Seconds() / c.rsa.Seconds()
	return c
}

// middle is the median of each.
func middle(list []costs) costs {
	var shop, rsa, relay []time.Duration
	var ratio, least []float64
	for _, c := range list {
		shop, rsa, relay = append(shop, c.shop), append(rsa, c.rsa), append(relay, c.relay)
		ratio, least = append(ratio, c.ratio), append(least, c.least)
	}
	return costs{median(shop), median(rsa), median(relay), median(ratio), median(least)}
}

// metered has a crowd send for a slice, and returns also what an answer costs the
// processors of its server.
func (c *crowd) metered(ctx context.Context, addr string) (answers []answer, took, cpu time.Duration, err error) {
	before, err := readMeter(ctx, addr)
	if err != nil {
		return nil, 0, 0, err
	}
	if answers, took, err = c.send(0, slice); err != nil {
		return nil, 0, 0, err
	}
	after, err := readMeter(ctx, addr)
	if err != nil {
		return nil, 0, 0, err
	}
	return answers, took, time.Duration(after[meterCPU]-before[meterCPU]) / time.Duration(len(answers)), nil
}
