package main

import (
	"context"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// settle leaves the shops alone, with business time going on, until nothing is
// wrong that they could still put right, or their time for it is over. Nobody
// asks for an order meanwhile: the shops must find out by themselves.
func (s *scene) settle(ctx context.Context) (audit.Ledgers, time.Duration, error) {
	started := time.Now()
	for {
		s.sim.Advance(20 * time.Second)
		read := time.Now()
		l, err := s.ledgers(ctx)
		if err != nil {
			return l, 0, err
		}
		waiting := slices.ContainsFunc(audit.Compare(l), func(v audit.Violation) bool { return v.Rule.Heals() })
		took := time.Since(started)
		if !waiting || took > s.conf.settle || ctx.Err() != nil {
			return l, took, ctx.Err()
		}
		pause(ctx, max(500*time.Millisecond, 2*time.Since(read)))
	}
}

// ledgers are everybody's books by now. WeChat's come last: what the table
// says is paid or closed was so at WeChat before.
func (s *scene) ledgers(ctx context.Context) (audit.Ledgers, error) {
	var l audit.Ledgers
	if err := s.books.read(ctx, &l); err != nil {
		return l, err
	}
	s.diary.fill(&l)
	for _, o := range s.sim.Orders() {
		l.WeChat = append(l.WeChat, audit.Paper{OutTradeNo: o.OutTradeNo, TradeState: o.TradeState, TransactionID: o.TransactionID, Total: o.Total})
	}
	if !s.admin.on {
		return l, nil
	}
	var err error
	if l.RefundsWeChat, err = s.admin.there(); err != nil {
		return l, err
	}
	numbers := map[string]string{}
	for _, r := range slices.Concat(l.Wishes, l.RefundsWeChat) {
		numbers[r.OutRefundNo] = r.OutTradeNo
	}
	l.RefundsHere = s.admin.here(ctx, s.conf.dice(diceOfAdmin), numbers)
	return l, nil
}
