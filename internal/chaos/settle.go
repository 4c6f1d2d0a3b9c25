package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// settle leaves the shops alone, with business time going on, until nothing is
// wrong that they could still put right, and still is not some time later; or
// until their time for it is over. Nobody asks for anything meanwhile: the shops
// must find out by themselves.
func (s *scene) settle(ctx context.Context) (audit.Ledgers, time.Duration, error) {
	started := time.Now()
	for calm, said := 0, time.Duration(0); ; {
		s.sim.Advance(20 * time.Second)
		read := time.Now()
		l, err := s.ledgers(ctx)
		if err != nil {
			return l, 0, err
		}
		calm++
		open := unhealed(l)
		if len(open) > 0 {
			calm = 0
		}
		took := time.Since(started)
		if s.conf.progress() && took > said+10*time.Second {
			said = took
			fmt.Fprintf(s.log, "  after %v: %s\n", took.Round(time.Second), counted(open))
		}
		if calm >= 3 || took > s.conf.settle || ctx.Err() != nil {
			return l, took, ctx.Err()
		}
		pause(ctx, max(500*time.Millisecond, 2*time.Since(read)))
	}
}

// unhealed counts what a shop may still put right.
func unhealed(l audit.Ledgers) map[string]int {
	n := map[string]int{}
	for _, v := range audit.Compare(l) {
		if v.Rule.Heals() {
			n[string(v.Rule)]++
		}
	}
	return n
}

// ledgers are everybody's books by now. WeChat's come last: what the table
// says is paid or closed was so at WeChat before.
func (s *scene) ledgers(ctx context.Context) (audit.Ledgers, error) {
	var l audit.Ledgers
	if err := s.books.read(ctx, &l); err != nil {
		return l, err
	}
	s.diary.fill(&l)
	for _, r := range s.sim.Refunds() {
		l.RefundsWeChat = append(l.RefundsWeChat, audit.Refund{
			OutRefundNo: r.OutRefundNo, OutTradeNo: r.OutTradeNo, Fen: r.Refund, Status: r.Status, Reason: r.Reason})
	}
	for _, o := range s.sim.Orders() {
		l.WeChat = append(l.WeChat, audit.Paper{OutTradeNo: o.OutTradeNo, TradeState: o.TradeState, TransactionID: o.TransactionID, Total: o.Total})
	}
	return l, nil
}
