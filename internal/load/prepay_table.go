package main

import (
	"fmt"
	"strings"
	"time"
)

// in is a turn of a round.
type in func(prepayRound) prepayTurn

func busy(r prepayRound) prepayTurn  { return r.busy }
func disk(r prepayRound) prepayTurn  { return r.disk }
func queue(r prepayRound) prepayTurn { return r.queue }
func calm(r prepayRound) prepayTurn  { return r.calm }

// number is the median of something, over the rounds.
func (p *prepays) number(turn in, what func(prepayTurn) float64) float64 {
	var all []float64
	for _, r := range p.done {
		all = append(all, what(turn(r)))
	}
	return median(all)
}

// takes is the same of a time.
func (p *prepays) takes(turn in, what func(prepayTurn) time.Duration) time.Duration {
	return time.Duration(p.number(turn, func(t prepayTurn) float64 { return float64(what(t)) }))
}

// figures are the tables of what was measured, in Markdown.
func (p *prepays) figures() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %d customers | prepays/s | CPU | RSA alone | with net/http | CPU, of RSA alone | RSA and net/http, of RSA alone |\n|---|---:|---:|---:|---:|---:|---:|\n", few)
	for _, row := range []struct {
		name string
		in
	}{{shopOnMemory, busy}, {shopOnSQLite, disk}} {
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %.3f × | %.3f × |\n", row.name,
			p.number(row.in, func(t prepayTurn) float64 { return t.rate }),
			micros(p.takes(row.in, func(t prepayTurn) time.Duration { return t.shop })),
			micros(p.takes(row.in, func(t prepayTurn) time.Duration { return t.rsa })),
			micros(p.takes(row.in, func(t prepayTurn) time.Duration { return t.relay })),
			p.number(row.in, ratio), p.number(row.in, func(t prepayTurn) float64 { return t.least }))
	}
	fmt.Fprintf(&b, "\n| %d customers, WeChat takes | prepays/s | p50 | p99 | at WeChat at once | connections | prepays |\n|---:|---:|---:|---:|---:|---:|---:|\n", p.customers)
	for _, turn := range []in{queue, calm} {
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %.0f | %.0f | %.0f |\n",
			short(p.takes(turn, func(t prepayTurn) time.Duration { return t.latency })),
			p.number(turn, func(t prepayTurn) float64 { return t.rate }),
			short(p.takes(turn, func(t prepayTurn) time.Duration { return t.p50 })),
			short(p.takes(turn, func(t prepayTurn) time.Duration { return t.p99 })),
			p.number(turn, atOnce), p.number(turn, conns), p.number(turn, func(t prepayTurn) float64 { return float64(t.answers) }))
	}
	return b.String()
}

func ratio(t prepayTurn) float64  { return t.ratio }
func conns(t prepayTurn) float64  { return float64(t.conns) }
func atOnce(t prepayTurn) float64 { return float64(t.most) }

// targets are what is promised of prepays. What a prepay takes beyond WeChat's
// time is counted in times that the processors work for one.
func (p *prepays) targets() []target {
	var kept, waits []float64
	for _, r := range p.done {
		kept = append(kept, r.queue.rate/r.busy.rate)
		waits = append(waits, (r.calm.p50-r.calm.latency).Seconds()/r.busy.shop.Seconds())
	}
	at := fmt.Sprintf("%d customers", p.customers)
	return []target{
		{"prepay: CPU, of its RSA work alone", p.number(busy, ratio), 1.05, true, " ×"},
		{at + ": connections to WeChat", max(p.number(queue, conns), p.number(calm, conns)), float64(p.customers), true, ""},
		{fmt.Sprintf("%s, WeChat takes 50 ms: rate, of that of %d", at, few), median(kept), 0.95, false, " ×"},
		{at + " spread evenly: at WeChat at once", p.number(calm, atOnce), 0.95 * float64(p.customers), false, ""},
		{at + " spread evenly: p50 beyond WeChat's time, in prepays", median(waits), 3, true, ""},
	}
}
