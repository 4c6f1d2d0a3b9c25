package wxpay_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
)

func (h *history) product(rt *rapid.T) orderstore.Product {
	return rapid.SampledFrom(orderstore.Products()).Draw(rt, "product")
}

// wishBody is a prepay with all that a product needs, and with prices of the
// client's own, which must not matter.
func wishBody(product orderstore.Product) map[string]any {
	b := map[string]any{"total": 1, "amount": map[string]any{"total": 1}, "price": "0.01"}
	switch product {
	case orderstore.JSAPI, orderstore.MiniProgram:
		b["openid"] = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	case orderstore.App:
		b["app_name"], b["app_channel"], b["device"] = "示例", "master", "小米 18 pro"
	}
	return b
}

func (h *history) prepay(rt *rapid.T) func() {
	place := h.place(rt)
	return func() { place() }
}

// buy is a prepay and its payment.
func (h *history) buy(rt *rapid.T) func() {
	place, pay := h.place(rt), h.sim.Pay
	if rapid.IntRange(0, 3).Draw(rt, "quietly") == 3 {
		pay = h.sim.PayQuietly
	}
	return func() {
		if no := place(); no != "" {
			rt.Logf("%v pay %s: %v", h.now(), no, pay(no))
		}
	}
}

// place is a prepay of anything; it returns the order's number.
func (h *history) place(rt *rapid.T) func() string {
	product, user := h.product(rt), rapid.SampledFrom(users).Draw(rt, "user")
	what := rapid.SampledFrom([]string{"vip-month", "vip-year", "cart-1", "cart-2", "cart-1"}).Draw(rt, "what")
	patience := rapid.SampledFrom([]time.Duration{calm, calm, calm, 3 * time.Second}).Draw(rt, "patience")
	b := wishBody(product)
	var header []string
	key := ""
	if strings.HasPrefix(what, "cart-") {
		b["order_ref"], user = what, asker(rt, users[slices.Index(carts, what)])
	} else {
		b["goods_id"] = what
		if key = rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(rt, "key"); key != "" {
			header = []string{"Idempotency-Key", key}
		}
	}
	return func() string {
		refusals, paid := h.refusals.Load(), h.paidRef(what)
		r := h.send(rt, patience, "POST", "/pay/prepay/"+string(product), user, b, header...)
		if r.status == 0 {
			return ""
		}
		if paid != "" && (r.status == 200 || r.status != 409 && r.status != 403 && h.refusals.Load() == refusals) {
			h.violate("law 7: %s is paid by %s, but a prepay is answered %d %s", what, paid, r.status, r.raw)
		}
		return h.prepaid(r, user, key, product, what)
	}
}

// prepaid looks at the answer to a prepay, and returns the order's number.
func (h *history) prepaid(r reply, user, key string, product orderstore.Product, what string) string {
	var a order
	_ = json.Unmarshal(r.Data, &a)
	if a.OutTradeNo == "" {
		return ""
	}
	h.mu.Lock()
	first, known := h.keyed[user+" "+key]
	if key != "" && !known {
		h.keyed[user+" "+key] = a.OutTradeNo
	}
	h.mu.Unlock()
	if known && key != "" && first != a.OutTradeNo {
		h.violate("law 8: key %s of %s is order %s, and order %s", key, user, first, a.OutTradeNo)
	}
	o, err := h.store.Get(context.Background(), a.OutTradeNo)
	if err != nil || o.UserID != user || o.Product != product || o.GoodsID+o.Ref != what {
		h.violate("law 8: %s wants %s by %s and gets %+v, %v", user, what, product, o, err)
	}
	at, known := h.sim.Order(a.OutTradeNo)
	stray := at.Prepays > 1 && at.PlacedAt.After(o.PrepaidAt.Add(-8*time.Second)) // a try that was given up arrived after the one whose answer was on its way
	if r.status == 200 && (!known || a.CodeURL != at.CodeURL && !h.storming && !stray) {
		h.violate("law 8: %s gets code_url %q, at WeChat it is %+v", a.OutTradeNo, a.CodeURL, at)
	}
	return a.OutTradeNo
}

// paidRef is the attempt by which an order of the app is paid. One that was
// given back because it was late has not paid for it.
func (h *history) paidRef(ref string) string {
	attempts, err := h.store.Find(context.Background(), ref)
	if err != nil {
		h.violate("find: %v", err)
	}
	for _, o := range attempts {
		if o.PayStatus == orderstore.Paid && o.GivenBack != orderstore.GivenBackLate {
			return o.OutTradeNo
		}
	}
	return ""
}

func (h *history) prepayAgain(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	user, product := asker(rt, owner), h.product(rt)
	o, _ := h.store.Get(context.Background(), no)
	if rapid.IntRange(0, 4).Draw(rt, "other product") > 0 {
		product = o.Product
	}
	return func() {
		b := wishBody(product)
		b["out_trade_no"] = no
		r := h.send(rt, calm, "POST", "/pay/prepay/"+string(product), user, b)
		h.own(r, user, owner)
		h.prepaid(r, user, "", product, o.GoodsID+o.Ref)
	}
}

func (h *history) paySign(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	user := asker(rt, owner)
	return func() {
		h.own(h.send(rt, calm, "POST", "/pay/paysign", user, map[string]string{"out_trade_no": no}), user, owner)
	}
}

// ask is GET: at once, or when all questions asked before have been answered.
// Then the answer is the truth, or marked as stale, or will be when it is asked
// for again: what the worker asks for in the same moment counts as fresh.
func (h *history) ask(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	user, later := asker(rt, owner), rapid.Bool().Draw(rt, "later")
	return func() {
		if later {
			time.Sleep(21 * time.Second)
		}
		for tries := 1; ; tries++ {
			r, doubt := h.askOnce(rt, no, user, owner)
			switch {
			case !doubt || !later || h.storming:
				return
			case tries == 3:
				h.violate("law 1: %s is paid, but GET says %s", no, r.raw)
				return
			}
			time.Sleep(17 * time.Second) // the worker's question was under way, or had just failed
		}
	}
}

// askOnce is one GET. It reports whether the answer is out of date, and does
// not say so.
func (h *history) askOnce(rt *rapid.T, no, user, owner string) (r reply, doubt bool) {
	at, _ := h.sim.Order(no)
	h.mu.Lock()
	_, paid := h.paid[no]
	h.mu.Unlock()
	r = h.send(rt, calm, "GET", "/pay/orders/"+no, user, nil)
	h.own(r, user, owner)
	if r.status != 200 {
		return r, false
	}
	var o order
	if err := json.Unmarshal(r.Data, &o); err != nil {
		h.violate("%v", err)
	}
	if o.PayStatus != 1 && paid {
		h.violate("law 1: %s was paid, but GET says %s", no, r.raw)
	}
	return r, o.PayStatus != 1 && !o.Stale && paidThere(at) && !h.closedEarly(no)
}

func (h *history) close(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	user := asker(rt, owner)
	return func() {
		r := h.send(rt, calm, "POST", "/pay/orders/"+no+"/close", user, nil)
		h.own(r, user, owner)
		if at, ok := h.sim.Order(no); r.status == 200 && ok && at.TradeState != "CLOSED" && !h.closedEarly(no) {
			h.violate("law 5: %s is answered as closed, at WeChat it is %s", no, at.TradeState)
		}
	}
}

// atWeChat is something that a customer does on the phone.
func (h *history) atWeChat(what string, do func(no string) error) action {
	return func(rt *rapid.T) func() {
		no, _ := h.anyOrder(rt)
		if no == "" {
			return nil
		}
		return func() { rt.Logf("%v %s %s: %v", h.now(), what, no, do(no)) }
	}
}
