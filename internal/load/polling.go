package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// polling is a run of the scene: pages, each of a user of its own, ask a shop
// again and again whether their order is paid, and nobody pays. Each page has a
// connection of its own and asks as soon as it is answered, which is more often
// than pages do: the rate is what the shop can answer. The pages are this
// process, on the same processors. WeChat Pay, another process, counts the
// questions, and the shop what it reads of its store.
type polling struct {
	config
	dir   string
	turns map[string][]pollingTurn // by the shop, one for each round
}

// pollingTurn is what a shop did.
type pollingTurn struct {
	sums
	cpu, pages time.Duration // for each answer: of the shop, and of the pages
	reads      float64       // for each answer, beside those for questions to WeChat
	questions  float64       // to WeChat in a second
	budget     float64       // what of it was used
}

// The default of wxpay.Options.AskRate: questions in a second, and how many may
// be saved up for one moment.
const askRate = 50

func measurePolling(ctx context.Context, c config, dir string) (string, []target, error) {
	p := polling{config: c, dir: dir, turns: make(map[string][]pollingTurn)}
	for range c.rounds {
		for _, server := range []string{countedOnSQLite, countedOnMemory, fixedAnswer} {
			t, err := p.turn(ctx, server)
			if err != nil {
				return "", nil, fmt.Errorf("%s: %w", server, err)
			}
			p.turns[server] = append(p.turns[server], t)
		}
	}
	return p.figures(), p.targets(), nil
}

func (p *polling) turn(ctx context.Context, server string) (t pollingTurn, err error) {
	s, err := p.openShop(ctx, p.dir, server, stage{Orders: p.pages}, p.profile(server, p.pages, p.most()))
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	wires := make([][]byte, p.pages)
	for i := range wires {
		wires[i] = pageWire(i)
	}
	c, err := gather(s.addr, wires)
	if err != nil {
		return t, err
	}
	defer c.leave()
	if _, _, err := c.send(0, 0); err != nil { // each once: that uses up what was saved of the budget
		return t, err
	}
	return p.measureTurn(ctx, s, c)
}

func (p *polling) measureTurn(ctx context.Context, s *shop, c *crowd) (t pollingTurn, err error) {
	kit, weChat, err := s.readBoth(ctx)
	if err != nil {
		return t, err
	}
	used, err := cpuTime()
	if err != nil {
		return t, err
	}
	answers, whole, err := c.send(0, p.span)
	if err != nil {
		return t, err
	}
	usedThen, err := cpuTime()
	if err != nil {
		return t, err
	}
	kitThen, weChatThen, err := s.readBoth(ctx)
	if err != nil {
		return t, err
	}
	if t.sums, err = sum(answers, whole); err != nil {
		return t, err
	}
	questions := float64(weChatThen[meterQuestions] - weChat[meterQuestions])
	t.cpu = time.Duration(kitThen[meterCPU]-kit[meterCPU]) / time.Duration(t.answers)
	t.pages = (usedThen - used) / time.Duration(t.answers)
	// WeChat's answer is applied to the order as it is then, which is one more read.
	t.reads = (float64(kitThen[meterReads]-kit[meterReads]) - questions) / float64(t.answers)
	t.questions, t.budget = questions/whole.Seconds(), questions/(askRate*(1+whole.Seconds()))
	return t, nil
}

// pageWire is what the i-th page asks.
func pageWire(i int) []byte {
	return fmt.Appendf(nil, "GET /pay/orders/%s HTTP/1.1\r\nHost: shop.example.com\r\n%s: %s\r\n\r\n", number(i), userHeader, user(i))
}

// number is the median of something, over the rounds.
func (p *polling) number(server string, what func(pollingTurn) float64) float64 {
	var all []float64
	for _, t := range p.turns[server] {
		all = append(all, what(t))
	}
	return median(all)
}

func (p *polling) figures() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %d pages poll | answers/s | p50 | p99 | CPU | of the pages | reads of the store per answer | questions to WeChat/s |\n|---|---:|---:|---:|---:|---:|---:|---:|\n", p.pages)
	for _, server := range []string{countedOnSQLite, countedOnMemory, fixedAnswer} {
		takes := func(what func(pollingTurn) time.Duration) time.Duration {
			return time.Duration(p.number(server, func(t pollingTurn) float64 { return float64(what(t)) }))
		}
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %s | %.3f | %.1f |\n", server,
			p.number(server, func(t pollingTurn) float64 { return t.rate }),
			short(takes(func(t pollingTurn) time.Duration { return t.p50 })), short(takes(func(t pollingTurn) time.Duration { return t.p99 })),
			micros(takes(func(t pollingTurn) time.Duration { return t.cpu })), micros(takes(func(t pollingTurn) time.Duration { return t.pages })),
			p.number(server, func(t pollingTurn) float64 { return t.reads }), p.number(server, func(t pollingTurn) float64 { return t.questions }))
	}
	return b.String()
}

// targets are what is promised of polling.
func (p *polling) targets() []target {
	var reads, budget float64
	for _, turns := range p.turns {
		for _, t := range turns {
			reads, budget = max(reads, t.reads), max(budget, t.budget)
		}
	}
	at := fmt.Sprintf("%d pages poll: ", p.pages)
	return []target{
		{at + "answers a second, on SQLite", p.number(countedOnSQLite, func(t pollingTurn) float64 { return t.rate }), 15_000, false, ""},
		{at + "reads of the store per answer", reads, 1, true, ""},
		{at + "questions to WeChat, of the budget", budget, 1, true, " ×"},
	}
}
