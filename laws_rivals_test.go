package wxpay_test

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// closeEarly closes an order in the store as if WeChat had said so, which
// still takes the customer's money: that money arrives after closing.
func (h *history) closeEarly(rt *rapid.T) func() {
	no, _ := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	return func() { h.closeHere(no) }
}

func (h *history) closeHere(no string) {
	h.mu.Lock()
	before := h.early[no]
	h.early[no] = true // before it can be seen
	h.mu.Unlock()
	closed := before
	_, err := orderstore.Update(context.Background(), h.store, no, func(o orderstore.Order) (orderstore.Order, bool) {
		next, err := o.Close(orderstore.FromClose, "as if WeChat had said so", time.Now())
		change := err == nil && next.Changed(o)
		closed = before || change
		return next, change
	})
	if err != nil {
		h.violate("%s: %v", no, err)
	}
	if !closed {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.early, no)
	}
}

// closedEarly reports whether an order may be closed here only.
func (h *history) closedEarly(no string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.early[no]
}

// rivals are two attempts for one cart, with different products. The first is
// closed too early; then one of them is paid, or both are, in either order.
func (h *history) rivals(rt *rapid.T) func() {
	i := rapid.IntRange(0, len(carts)-1).Draw(rt, "cart")
	products := rapid.Permutation(orderstore.Products()).Draw(rt, "products")[:2]
	pays := rapid.SampledFrom([][]int{{0}, {1}, {0, 1}, {1, 0}, {0, 1}}).Draw(rt, "paid")
	quietly := rapid.Bool().Draw(rt, "quietly")
	together := rapid.Bool().Draw(rt, "together")
	return func() {
		var numbers []string
		for n, product := range products {
			if n > 0 {
				h.closeHere(numbers[0])
			}
			b := wishBody(product)
			b["order_ref"] = carts[i]
			var o order
			if r := h.send(rt, calm, "POST", "/pay/prepay/"+string(product), users[i], b); r.status != 200 || json.Unmarshal(r.Data, &o) != nil {
				return
			}
			numbers = append(numbers, o.OutTradeNo)
		}
		var all sync.WaitGroup
		for _, n := range pays {
			pay := func() {
				how := h.sim.Pay
				if quietly && n == 1 { // the open one; of the other nobody would ask
					how = h.sim.PayQuietly
				}
				rt.Logf("%v pay %s: %v", h.now(), numbers[n], how(numbers[n]))
			}
			if all.Go(pay); !together {
				all.Wait()
			}
		}
		all.Wait()
	}
}

// tellOfLateMoney is WeChat's last word of payments that came after closing:
// of a closed order nobody asks.
func (h *history) tellOfLateMoney() {
	for _, no := range h.numbers {
		at, _ := h.sim.Order(no)
		o, err := h.store.Get(context.Background(), no)
		if err != nil || !h.early[no] || o.PayStatus == orderstore.Paid || !paidThere(at) {
			continue
		}
		if status := h.deliver(h.rt, "late money", h.message(no)); status != 204 {
			h.violate("law 3: the notification of late money of %s is answered %d", no, status)
		}
	}
}

// paidThere reports whether the customer paid, whatever was refunded since.
func paidThere(at wxsim.Order) bool { return at.TradeState == "SUCCESS" || at.TradeState == "REFUND" }

// checkRivals holds laws 3 and 7 against an order.
func (h *history) checkRivals(o orderstore.Order, granted map[string][]string) {
	if o.Ref != "" && h.granted[o.OutTradeNo] > 0 {
		granted[o.Ref] = append(granted[o.Ref], o.OutTradeNo)
	}
	refundLate := h.options.LatePayment == wxpay.RefundLate
	late := h.early[o.OutTradeNo] && o.PayStatus == orderstore.Paid
	switch {
	case o.GivenBack == "" && late && refundLate,
		o.GivenBack == orderstore.GivenBackLate && !(late && refundLate),
		o.GivenBack == orderstore.GivenBackAgain && o.Ref == "":
		h.rt.Fatalf("law 3: late %v, refunds it %v, but %+v", late, refundLate, o)
	case o.GivenBack != "" && h.granted[o.OutTradeNo] > 0:
		h.rt.Fatalf("law 3: given back and handed over: %+v", o)
	case o.GivenBack != "" && (len(o.Refunds) == 0 || o.PayStatus != orderstore.Paid):
		h.rt.Fatalf("law 3: given back without a refund: %+v", o)
	}
	if first := h.last[o.OutTradeNo]; first.PayStatus == orderstore.Paid && first.GivenBack != o.GivenBack {
		h.rt.Fatalf("law 7: what becomes of the money was decided: %+v, and is %+v", first, o)
	}
}
