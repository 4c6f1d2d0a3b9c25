package wxpay_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// settle ends all troubles, waits for every appointment, and looks at what
// must have come of it.
func (h *history) settle() {
	h.sim.ClearFaults()
	h.road.lengthen()
	for _, p := range h.processes {
		p.store.falter(0, 0, false)
	}
	h.mu.Lock()
	h.hookDown, h.hookSlow = 0, 0
	h.mu.Unlock()
	time.Sleep(h.options.OrderTTL + 90*time.Minute)
	h.check()
	for _, no := range h.numbers {
		o := h.last[no]
		at, _ := h.sim.Order(no)
		switch {
		case o.PayStatus == orderstore.Unpaid:
			h.rt.Fatalf("law 5: nobody ever learnt what became of %+v", o)
		case at.TradeState == "SUCCESS" && o.PayStatus != orderstore.Paid:
			h.rt.Fatalf("law 3: the customer paid %+v, and got nothing: %+v", at, o)
		case o.PayStatus == orderstore.Paid && (o.HandedOverAt.IsZero() || h.granted[no] == 0):
			h.rt.Fatalf("law 6: paid and handed over %d times: %+v", h.granted[no], o)
		}
	}
}

// check holds the laws against what is stored here and at the simulator.
func (h *history) check() {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, broken := range h.broken {
		h.rt.Fatal(broken)
	}
	payable := map[string][]string{}
	for _, no := range h.numbers {
		o, err := h.store.Get(context.Background(), no)
		if err != nil {
			h.rt.Fatalf("%s: %v", no, err)
		}
		h.checkOrder(o, payable)
		h.last[no] = o
	}
	for ref, open := range payable {
		if len(open) > 1 {
			h.rt.Fatalf("law 7: %s can be paid by %v", ref, open)
		}
	}
	for _, at := range h.sim.Orders() {
		if !slices.Contains(h.numbers, at.OutTradeNo) {
			h.rt.Fatalf("WeChat has an order that the store has not: %+v", at)
		}
	}
	for _, s := range h.sim.Notifications() {
		if s.Status != 0 && s.Status < 300 && h.last[s.OutTradeNo].PayStatus != orderstore.Paid {
			h.rt.Fatalf("a notification was acknowledged, but %+v", h.last[s.OutTradeNo])
		}
	}
	h.checkPrepays()
}

func (h *history) checkOrder(o orderstore.Order, payable map[string][]string) {
	no := o.OutTradeNo
	at, known := h.sim.Order(no)
	if first, was := h.paid[no]; was && (o.PayStatus != orderstore.Paid || o.TransactionID != first.TransactionID || !o.PaidAt.Equal(first.PaidAt)) {
		h.rt.Fatalf("law 1: %+v was paid, and is %+v", first, o)
	}
	if o.PayStatus == orderstore.Paid {
		h.paid[no] = o
		if at.TradeState != "SUCCESS" || at.Total != int64(o.Total) || at.TransactionID != o.TransactionID && !slices.Contains(h.signed[no], o.TransactionID) {
			h.rt.Fatalf("law 2: %+v is paid, at WeChat it is %+v", o, at)
		}
	}
	if o.PayStatus == orderstore.Closed && known && at.TradeState != "CLOSED" {
		h.rt.Fatalf("law 5: %+v is closed, at WeChat it is %+v", o, at)
	}
	if n := h.granted[no]; n > 1+h.excused[no] || n > 0 && o.PayStatus != orderstore.Paid {
		h.rt.Fatalf("law 6: OnPaid returned nil %d times for %+v", n, o)
	}
	if known && (at.Total != int64(o.Total) || o.Ref == "" && at.Total != price(o.GoodsID) || o.Ref != "" && at.Total < cartPrice) {
		h.rt.Fatalf("law 8: at WeChat %s costs %d, here %d", no, at.Total, o.Total)
	}
	if known && o.Ref != "" && at.TradeState == "NOTPAY" && h.sim.Now().Before(at.TimeExpire) {
		payable[o.Ref] = append(payable[o.Ref], no)
	}
	if h.last[no].Version == o.Version {
		return
	}
	events, err := h.store.Events(context.Background(), no)
	if n := len(h.events[no]); err != nil || len(events) < n || !slices.Equal(events[:n], h.events[no]) {
		h.rt.Fatalf("the history of %s was %+v and is %+v, %v", no, h.events[no], events, err)
	}
	h.events[no] = events
}

func price(goodsID string) int64 {
	for _, g := range catalog {
		if g.GoodsID == goodsID {
			return int64(g.Total)
		}
	}
	return -1
}

// checkPrepays: whatever was sent to WeChat for a number is the same bytes.
func (h *history) checkPrepays() {
	calls := h.sim.Calls()
	for _, c := range calls[h.checked:] {
		var b struct {
			OutTradeNo string `json:"out_trade_no"`
		}
		if c.Target != "prepay" {
			continue
		}
		if err := json.Unmarshal(c.Body, &b); err != nil {
			h.rt.Fatalf("%s: %v", c.Body, err)
		}
		sent := c.Path + " " + string(c.Body)
		if first, again := h.bodies[b.OutTradeNo]; again && first != sent {
			h.rt.Fatalf("law 8: a prepay was %s\nand then %s", first, sent)
		}
		h.bodies[b.OutTradeNo] = sent
	}
	h.checked = len(calls)
}
