package wxpay_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing/synctest"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// check holds the laws against what is stored here and at the simulator.
func (h *history) check() {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, broken := range h.broken {
		h.rt.Fatal(broken)
	}
	payable, granted := map[string][]string{}, map[string][]string{}
	for _, no := range h.numbers {
		o, err := h.store.Get(context.Background(), no)
		if err != nil {
			h.rt.Fatalf("%s: %v", no, err)
		}
		h.checkOrder(o, payable)
		h.checkRivals(o, granted)
		h.checkRefunds(o)
		h.last[no] = o
	}
	for ref, open := range payable {
		if len(open) > 1 {
			h.rt.Fatalf("law 7: %s can be paid by %v", ref, open)
		}
	}
	for ref, taken := range granted {
		if len(taken) > 1 {
			h.rt.Fatalf("law 7: %s is handed over as %v", ref, taken)
		}
	}
	h.checkRefundsAtWeChat()
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
	h.checkCalls()
}

func (h *history) checkOrder(o orderstore.Order, payable map[string][]string) {
	no := o.OutTradeNo
	at, known := h.sim.Order(no)
	if first, was := h.paid[no]; was && (o.PayStatus != orderstore.Paid || o.TransactionID != first.TransactionID || !o.PaidAt.Equal(first.PaidAt)) {
		h.rt.Fatalf("law 1: %+v was paid, and is %+v", first, o)
	}
	if o.PayStatus == orderstore.Paid {
		h.paid[no] = o
		if !paidThere(at) || at.Total != int64(o.Total) || at.TransactionID != o.TransactionID {
			h.rt.Fatalf("law 2: %+v is paid, at WeChat it is %+v", o, at)
		}
	}
	if o.PayStatus == orderstore.Closed && known && at.TradeState != "CLOSED" && !h.early[no] {
		h.rt.Fatalf("law 5: %+v is closed, at WeChat it is %+v", o, at)
	}
	if n := h.granted[no]; n > 1+h.excused[no] || n > 0 && o.PayStatus != orderstore.Paid {
		h.rt.Fatalf("law 6: OnPaid returned nil %d times for %+v", n, o)
	}
	if known && (at.Total != int64(o.Total) || o.Ref == "" && at.Total != price(o.GoodsID) || o.Ref != "" && at.Total < cartPrice) {
		h.rt.Fatalf("law 8: at WeChat %s costs %d, here %d", no, at.Total, o.Total)
	}
	if known && o.Ref != "" && !h.early[no] && at.TradeState == "NOTPAY" && h.sim.Now().Before(at.TimeExpire) {
		payable[o.Ref] = append(payable[o.Ref], no)
	}
	if h.last[no].Version == o.Version {
		return
	}
	events, err := h.store.Events(context.Background(), no)
	if n := len(h.events[no]); err != nil || len(events) < n || !slices.Equal(events[:n], h.events[no]) {
		h.rt.Fatalf("the history of %s was %+v and is %+v, %v", no, h.events[no], events, err)
	}
	if err := checkRefundEvents(o, events); err != nil {
		h.rt.Fatalf("the history of %s: %v", no, err)
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

// checkCalls looks at what WeChat was sent since the last look.
func (h *history) checkCalls() {
	calls := h.sim.Calls()
	if len(calls) < h.checked { // the journal has forgotten some
		h.checked = 0
	}
	for _, c := range calls[h.checked:] {
		switch c.Target {
		case "prepay":
			h.checkPrepay(c)
		case "refund":
			h.checkApplication(c)
		}
	}
	h.checked = len(calls)
}

// checkPrepay: whatever was sent to WeChat for a number is the same bytes.
func (h *history) checkPrepay(c wxsim.Call) {
	var b struct {
		OutTradeNo string `json:"out_trade_no"`
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
