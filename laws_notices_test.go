package wxpay_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/wxsim"
)

// mail is a notification as it was sent.
type mail struct {
	header http.Header
	body   []byte
	no     string
}

// anyPaid draws an order that is paid at the simulator.
func (h *history) anyPaid(rt *rapid.T) string {
	var paid []string
	for _, o := range h.sim.Orders() {
		if paidThere(o) {
			paid = append(paid, o.OutTradeNo)
		}
	}
	if len(paid) == 0 {
		return ""
	}
	return rapid.SampledFrom(paid).Draw(rt, "paid order")
}

// deliver hands notifications to the shop as WeChat would.
func (h *history) deliver(rt *rapid.T, what string, m mail) int {
	req, err := http.NewRequest("POST", shopURL+"/pay/notify", bytes.NewReader(m.body))
	if err != nil {
		h.violate("%v", err)
		return 0
	}
	req.Header = m.header.Clone()
	resp, err := h.notifier.Do(req)
	if err != nil {
		h.violate("notify: %v", err)
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	rt.Logf("%v %s for %s: %d", h.now(), what, m.no, resp.StatusCode)
	return resp.StatusCode
}

// message is a notification of an order that is paid, changed or not.
func (h *history) message(no string, change ...func(*wxsim.Notification)) mail {
	req, err := h.sim.Notification(no, change...)
	if err != nil {
		h.violate("%v", err)
		return mail{}
	}
	body, _ := io.ReadAll(req.Body)
	return mail{req.Header, body, no}
}

// notify sends a genuine notification, now and then many at once.
func (h *history) notify(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	times := rapid.SampledFrom([]int{1, 1, 3, 5}).Draw(rt, "times")
	return func() {
		m := h.message(no)
		h.mu.Lock()
		h.kept = append(h.kept, m)
		h.mu.Unlock()
		refusals := h.refusals.Load()
		var all sync.WaitGroup
		for range times {
			all.Go(func() {
				if status := h.deliver(rt, "a notification", m); status != 204 && h.refusals.Load() == refusals {
					h.violate("a genuine notification of %s is answered %d", no, status)
				}
			})
		}
		all.Wait()
	}
}

func (h *history) notifyAsBefore(rt *rapid.T) func() {
	h.mu.Lock()
	kept := slices.Clone(h.kept)
	h.mu.Unlock()
	if len(kept) == 0 {
		return nil
	}
	m := kept[rapid.IntRange(0, len(kept)-1).Draw(rt, "message")]
	return func() { h.deliver(rt, "an old notification", m) }
}

// lies change one thing of a genuine notification.
var lies = map[string]func(*wxsim.Notification){
	"amount":    func(n *wxsim.Notification) { n.Plaintext["amount"].(map[string]any)["total"] = 1 },
	"currency":  func(n *wxsim.Notification) { n.Plaintext["amount"].(map[string]any)["currency"] = "USD" },
	"merchant":  func(n *wxsim.Notification) { n.Plaintext["mchid"] = "1900000001" },
	"app":       func(n *wxsim.Notification) { n.Plaintext["appid"] = "wx0000000000000000" },
	"state":     func(n *wxsim.Notification) { n.Plaintext["trade_state"] = "CLOSED" },
	"order":     func(n *wxsim.Notification) { n.Plaintext["out_trade_no"] = "order-nobody-has" },
	"body":      func(n *wxsim.Notification) { n.AfterSigning = func(b []byte) []byte { return append(b, ' ') } },
	"timestamp": func(n *wxsim.Notification) { n.Timestamp = fmt.Sprint(time.Now().Add(-time.Hour).Unix()) },
	"serial":    func(n *wxsim.Notification) { n.Serial = "PUB_KEY_ID_0000000000000000000000000000" },
}

func (h *history) notifyLie(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	lie := rapid.SampledFrom(slices.Sorted(maps.Keys(lies))).Draw(rt, "lie")
	return func() {
		if status := h.deliver(rt, "a lie about the "+lie, h.message(no, lies[lie])); status < 400 {
			h.violate("law 2: a notification with a wrong %s is answered %d", lie, status)
		}
	}
}

// notifySecond is another transaction of an order that is known as paid,
// genuinely signed: WeChat says that the customer paid twice.
func (h *history) notifySecond(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	h.mu.Lock()
	_, known := h.paid[no]
	h.mu.Unlock()
	if !known {
		return nil
	}
	tx := "42000009" + rapid.SampledFrom([]string{"01", "02"}).Draw(rt, "transaction")
	return func() {
		refusals := h.refusals.Load()
		m := h.message(no, func(n *wxsim.Notification) { n.Plaintext["transaction_id"] = tx })
		if status := h.deliver(rt, "a second transaction", m); status != 204 && h.refusals.Load() == refusals {
			h.violate("a second transaction of %s is answered %d", no, status)
		}
	}
}
