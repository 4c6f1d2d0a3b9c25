package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// refundWish is one wish of the admin.
type refundWish struct {
	no, number, key string
	amount          orderstore.Fen
}

// refundBook is what the tests know of refunds beside the stores.
type refundBook struct {
	told     map[refundOf]orderstore.Fen // what the admin was told 200 for
	keyed    map[string]string           // Idempotency-Key for an order to number
	last     map[refundOf]wxpay.Refund   // as last seen
	sent     map[refundOf]string         // the first application, as it arrived
	handing  map[refundOf][]context.Context
	returned map[refundOf]int // how often OnRefunded returned nil in time
	excused  map[refundOf]int // how often it may have to do so again
	moods    []mood           // of the next calls of OnRefunded
	byHand   int              // refunds made on the merchant platform
}

// refundOf names a refund: the admin may give two orders' refunds one number,
// of which WeChat takes one.
type refundOf struct{ no, number string }

func newRefundBook() refundBook {
	return refundBook{
		told: map[refundOf]orderstore.Fen{}, keyed: map[string]string{}, last: map[refundOf]wxpay.Refund{}, sent: map[refundOf]string{},
		handing: map[refundOf][]context.Context{}, returned: map[refundOf]int{}, excused: map[refundOf]int{},
	}
}

// admin is who may refund, and nobody else.
const admin = "admin"

func authorizeRefund(_ *http.Request, userID string, _ wxpay.Order) error {
	if userID != admin {
		return errors.New("only the admin refunds")
	}
	return nil
}

// anyToRefund draws an order that is paid at WeChat, or now and then any.
func (h *history) anyToRefund(rt *rapid.T) string {
	if no := h.anyPaid(rt); no != "" && rapid.IntRange(0, 9).Draw(rt, "unpaid too") < 9 {
		return no
	}
	no, _ := h.anyOrder(rt)
	return no
}

// refund is the admin who refunds: once, or says so several times.
func (h *history) refund(rt *rapid.T) func() {
	no := h.anyToRefund(rt)
	if no == "" {
		return nil
	}
	w := refundWish{no: no, number: rapid.SampledFrom([]string{"", "", "R-1", "R-2", "R-3"}).Draw(rt, "number")}
	if w.number == "" {
		w.key = rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(rt, "key")
	}
	at, _ := h.sim.Order(no)
	total := orderstore.Fen(at.Total)
	w.amount = rapid.SampledFrom([]orderstore.Fen{total, total / 2, total / 3, 30, 1, total + 1, 0}).Draw(rt, "amount")
	user := admin
	if rapid.IntRange(0, 19).Draw(rt, "somebody else") == 19 {
		user = users[0]
	}
	patience := rapid.SampledFrom([]time.Duration{calm, calm, calm, 3 * time.Second}).Draw(rt, "patience")
	times := rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(rt, "clicks")
	return func() {
		var all sync.WaitGroup
		for range times {
			all.Go(func() { h.giveMoneyBack(rt, patience, user, w, total) })
		}
		all.Wait()
	}
}

// instalments are many refunds of one order, for each of which the admin gets
// an answer; WeChat takes 50.
func (h *history) instalments(rt *rapid.T) func() {
	no := h.anyToRefund(rt)
	if no == "" {
		return nil
	}
	times := rapid.SampledFrom([]int{2, 3, 4, 5, 4, 3, 2, 52}).Draw(rt, "instalments")
	at, _ := h.sim.Order(no)
	return func() {
		for range times {
			h.giveMoneyBack(rt, calm, admin, refundWish{no: no, amount: 1}, orderstore.Fen(at.Total))
		}
	}
}

// refundAnswer is what the endpoints say of a refund.
type refundAnswer struct {
	OutTradeNo  string                  `json:"out_trade_no"`
	OutRefundNo string                  `json:"out_refund_no"`
	Refund      orderstore.Fen          `json:"refund"`
	Status      orderstore.RefundStatus `json:"status"`
}

// giveMoneyBack posts a refund and holds the answer against what may be said.
func (h *history) giveMoneyBack(rt *rapid.T, patience time.Duration, user string, w refundWish, total orderstore.Fen) {
	b := map[string]any{"refund": w.amount, "reason": "不想要了"}
	var header []string
	if w.number != "" {
		b["out_refund_no"] = w.number
	}
	if w.key != "" {
		header = []string{"Idempotency-Key", w.key}
	}
	refusals := h.refusals.Load()
	r := h.send(rt, patience, "POST", "/pay/orders/"+w.no+"/refunds", user, b, header...)
	faltered := h.refusals.Load() != refusals
	switch {
	case r.status == 0 || r.status == 503 && faltered:
		return
	case user != admin && r.status != 403, w.amount < 1 && r.status != 400 && user == admin, w.amount > total && r.status < 400,
		r.status == 503:
		h.violate("law 4: %s wants to refund %+v of %d and is answered %d %s", user, w, total, r.status, r.raw)
	case r.status == 200:
		h.refundTold(w, r)
	}
}

// refundTold: what the admin was told is for ever, and one number is one refund.
func (h *history) refundTold(w refundWish, r reply) {
	var a refundAnswer
	if err := json.Unmarshal(r.Data, &a); err != nil || a.OutTradeNo != w.no || a.Refund != w.amount || w.number != "" && a.OutRefundNo != w.number {
		h.violate("law 4: to refund %+v is answered %s, %v", w, r.raw, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := refundOf{w.no, a.OutRefundNo}
	if amount, known := h.refunds.told[id]; known && amount != w.amount {
		h.broken = append(h.broken, fmt.Sprintf("law 4: refund %+v was of %d and is of %d", id, amount, w.amount))
	}
	h.refunds.told[id] = w.amount
	if key := w.no + " " + w.key; w.key != "" {
		if first, known := h.refunds.keyed[key]; known && first != a.OutRefundNo {
			h.broken = append(h.broken, fmt.Sprintf("law 4: key %s is refund %s, and refund %s", key, first, a.OutRefundNo))
		}
		h.refunds.keyed[key] = a.OutRefundNo
	}
}

// askRefund is GET of a refund that the store has.
func (h *history) askRefund(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	h.mu.Lock()
	refunds := h.last[no].Refunds
	h.mu.Unlock()
	if len(refunds) == 0 {
		return nil
	}
	known := rapid.SampledFrom(refunds).Draw(rt, "refund")
	user := asker(rt, owner)
	if user == owner && rapid.Bool().Draw(rt, "the admin") {
		user = admin
	}
	return func() {
		r := h.send(rt, calm, "GET", "/pay/orders/"+no+"/refunds/"+known.OutRefundNo, user, nil)
		if user != admin {
			h.own(r, user, owner)
		}
		var a refundAnswer
		if r.status != 200 {
			return
		}
		if err := json.Unmarshal(r.Data, &a); err != nil || a.OutTradeNo != no || a.OutRefundNo != known.OutRefundNo || a.Refund != known.Amount ||
			known.Status == orderstore.RefundSuccess && a.Status != orderstore.RefundSuccess {
			h.violate("law 4: %s of %s is %+v, but GET says %s, %v", known.OutRefundNo, no, known, r.raw, err)
		}
	}
}
