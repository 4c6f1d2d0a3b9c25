package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestLaws holds the laws of money against random histories of the whole kit:
// customers, processes that stop, stores that falter, a WeChat that is down,
// and notifications that are lost, doubled, old, changed. -rapid.checks runs
// more of them.
//
// The histories are the same in every run, so that a red one is about the
// change; -rapid.checks (with -rapid.seed) goes looking for new ones.
func TestLaws(t *testing.T) {
	if seed, checks := flag.Lookup("rapid.seed"), flag.Lookup("rapid.checks"); seed.Value.String() == seed.DefValue && checks.Value.String() == checks.DefValue {
		if err := seed.Value.Set("20261121"); err != nil { // before any test runs in parallel
			t.Fatal(err)
		}
	}
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		live(t, 40, func(*rapid.T) (orderstore.Store, func()) { return memory.New(), func() {} })
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir, files := t.TempDir(), 0
		live(t, 10, func(rt *rapid.T) (orderstore.Store, func()) {
			files++
			store, err := sqlite.Open(filepath.Join(dir, fmt.Sprint(files, ".db")))
			if err != nil {
				rt.Fatal(err)
			}
			return store, func() { _ = store.Close() }
		})
	})
}

// live runs so many histories, or as many as -rapid.checks says.
func live(t *testing.T, most int, open func(*rapid.T) (orderstore.Store, func())) {
	n, failed := 0, false
	if f := flag.Lookup("rapid.checks"); f.Value.String() != f.DefValue {
		most = 1 << 30
	}
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > most && !failed {
			return
		}
		lived := false
		defer func() { failed = failed || !lived }()
		inBubble(t, func() {
			store, closeStore := open(rt)
			defer closeStore()
			h := begin(rt, store)
			defer h.end()
			rt.Repeat(h.actions())
			h.settle()
		})
		lived = true
	})
}

// inBubble runs a history. Its end by panic, which is how package rapid stops
// one, is carried out of the bubble: a failure from another line than draws
// that ran out, because rapid knows failures apart by where they come from.
func inBubble(t *testing.T, run func()) {
	var stopped any
	synctest.Test(t, func(*testing.T) {
		defer func() { stopped = recover() }()
		run()
	})
	switch {
	case stopped == nil:
	case fmt.Sprintf("%T", stopped) == "rapid.stopTest":
		panic(stopped)
	default:
		panic(stopped)
	}
}

// action draws what is to happen and returns what makes it happen, or nil when
// it cannot happen now.
type action func(rt *rapid.T) func()

// actions are the random steps of a history. After each of them everybody
// comes to rest, and the laws are checked.
func (h *history) actions() map[string]func(*rapid.T) {
	all := map[string]func(*rapid.T){
		"":            func(*rapid.T) { h.check() },
		"storm":       h.storm,
		"other storm": h.storm,
		"third storm": h.storm,
	}
	for _, acts := range []map[string]action{h.people(), h.weather()} {
		for name, act := range acts {
			all[name] = func(rt *rapid.T) {
				if run := act(rt); run != nil {
					run()
					return
				}
				rt.Skip()
			}
		}
	}
	return all
}

// ways are how long the next requests to WeChat take; see [road].
var ways = rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, time.Second, -time.Second, 4 * time.Second, -4 * time.Second, 8 * time.Second}), 0, 6)

// storm lets several people do something at the same time, or nearly so.
func (h *history) storm(rt *rapid.T) {
	people := h.people()
	names := slices.Sorted(maps.Keys(people))
	var runs []func()
	for range rapid.IntRange(2, 5).Draw(rt, "people") {
		run := people[rapid.SampledFrom(names).Draw(rt, "who")](rt)
		after := rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 6 * time.Second, 20 * time.Second}).Draw(rt, "after")
		if run != nil {
			runs = append(runs, func() { time.Sleep(after); run() })
		}
	}
	h.road.lengthen(ways.Draw(rt, "road")...)
	h.storming = true
	var all sync.WaitGroup
	for _, run := range runs {
		all.Go(run)
	}
	all.Wait()
	h.storming = false
}

// people are what customers and WeChat do.
func (h *history) people() map[string]action {
	return map[string]action{
		"prepay":              h.prepay,
		"prepay for a cart":   h.prepay,
		"prepay again":        h.prepayAgain,
		"pay sign":            h.paySign,
		"ask":                 h.ask,
		"close":               h.close,
		"pay":                 h.atWeChat("pay", func(no string) error { return h.sim.Pay(no) }),
		"pay, nobody is told": h.atWeChat("pay quietly", func(no string) error { return h.sim.PayQuietly(no) }),
		"cancel":              h.atWeChat("cancel", func(no string) error { return h.sim.Cancel(no) }),
		"notify":              h.notify,
		"notify as before":    h.notifyAsBefore,
		"notify a lie":        h.notifyLie,
		"notify a second":     h.notifySecond,
	}
}

// weather is what happens to all of them.
func (h *history) weather() map[string]action {
	return map[string]action{
		"time": func(rt *rapid.T) func() {
			d := rapid.SampledFrom([]time.Duration{
				time.Second, 3 * time.Second, 16 * time.Second, 61 * time.Second, 4 * time.Minute,
				6 * time.Minute, 20 * time.Minute, time.Hour,
			}).Draw(rt, "time")
			return func() { time.Sleep(d) }
		},
		"fault": func(rt *rapid.T) func() {
			target := rapid.SampledFrom([]string{"prepay", "query", "close", "notify"}).Draw(rt, "target")
			faults := []string{"status_500", "status_429", "timeout", "slow", "reset", "unsigned", "bad_signature", "garbage"}
			if target == "notify" {
				faults = []string{"drop", "delay", "duplicate", "reorder", "forge", "probe", "wrong_amount", "old_timestamp", "wrong_key"}
			}
			f := wxsim.Fault{Target: target, Fault: rapid.SampledFrom(faults).Draw(rt, "fault"), Count: rapid.IntRange(1, 6).Draw(rt, "count")}
			return func() { h.sim.Fault(f) }
		},
		"faults end": func(*rapid.T) func() { return h.sim.ClearFaults },
		"never arrives": func(rt *rapid.T) func() { // all tries of a prepay, and then nobody is at it any more
			prepay := h.prepay(rt)
			return func() {
				h.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
				prepay()
				time.Sleep(100 * time.Second)
			}
		},
		"long road": func(rt *rapid.T) func() {
			long := ways.Draw(rt, "road")
			return func() { h.road.lengthen(long...) }
		},
		"app": func(rt *rapid.T) func() {
			down, slow := rapid.IntRange(0, 4).Draw(rt, "down"), rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Second, 25 * time.Second}).Draw(rt, "slow")
			return func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.hookDown, h.hookSlow = down, slow
			}
		},
		"store falters": func(rt *rapid.T) func() {
			p := rapid.SampledFrom(h.processes).Draw(rt, "process")
			skip, fail, late := rapid.IntRange(0, 6).Draw(rt, "skip"), rapid.IntRange(1, 5).Draw(rt, "fail"), rapid.Bool().Draw(rt, "late")
			return func() { p.store.falter(skip, fail, late) }
		},
		"restart": func(rt *rapid.T) func() {
			p := rapid.SampledFrom(h.processes).Draw(rt, "process")
			return func() { h.boot(p) }
		},
		"prices rise": func(rt *rapid.T) func() {
			cart := rapid.SampledFrom(carts).Draw(rt, "cart")
			return func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.prices[cart]++
			}
		},
	}
}

var (
	users = []string{"u1", "u2", "u3"}
	carts = []string{"cart-1", "cart-2"}
)

// send asks the shop as user, who hangs up after patience. It checks what
// every answer has: the envelope, with a code that is known and fits.
func (h *history) send(rt *rapid.T, patience time.Duration, method, path, user string, body any, header ...string) reply {
	raw := []byte(nil)
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, shopURL+path, bytes.NewReader(raw))
	if err != nil {
		h.violate("%v", err)
		return reply{}
	}
	req.Header.Set("X-User", user)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := h.client.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			h.violate("%s %s: %v", method, path, err)
		}
		rt.Logf("%v %s %s %s %s %v: no answer", h.now(), user, method, path, raw, header)
		return reply{}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(text)}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	rt.Logf("%v %s %s %s %s %v: %d %.120s", h.now(), user, method, path, raw, header, r.status, text)
	if status, known := codes[r.Code]; ctx.Err() == nil && (err != nil || !known || status != r.status) {
		h.violate("%s %s is answered %d %s, %v", method, path, r.status, text, err)
	}
	return r
}

// codes of the envelope, with their HTTP status, that this shop may answer. 500
// is none of them: nothing that happens here is beyond the kit.
var codes = map[int]int{200: 200, 301: 400, 403: 403, 409: 409, 429: 429, 502: 502, 503: 503}

// calm is how long somebody waits who does not hang up.
const calm = 10 * time.Minute

// now is the time since the history began, for the log.
func (h *history) now() time.Duration { return time.Since(h.start).Round(time.Millisecond) }

// anyOrder draws an order that is stored.
func (h *history) anyOrder(rt *rapid.T) (no, owner string) {
	h.mu.Lock()
	numbers := slices.Clone(h.numbers)
	h.mu.Unlock()
	if len(numbers) == 0 {
		return "", ""
	}
	no = numbers[len(numbers)-1-rapid.IntRange(0, len(numbers)-1).Draw(rt, "order, from the last")]
	o, err := h.store.Get(context.Background(), no)
	if err != nil {
		rt.Fatalf("%s: %v", no, err)
	}
	return no, o.UserID
}

// asker draws who asks for an order: hardly ever somebody else.
func asker(rt *rapid.T, owner string) string {
	if rapid.IntRange(0, 9).Draw(rt, "stranger") == 9 {
		return users[(slices.Index(users, owner)+1)%len(users)]
	}
	return owner
}

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
	return func() {
		refusals, paid := h.refusals.Load(), h.paidRef(what)
		r := h.send(rt, patience, "POST", "/pay/prepay/"+string(product), user, b, header...)
		if r.status == 0 {
			return
		}
		if paid != "" && (r.status == 200 || r.status != 409 && r.status != 403 && h.refusals.Load() == refusals) {
			h.violate("law 7: %s is paid by %s, but a prepay is answered %d %s", what, paid, r.status, r.raw)
		}
		h.prepaid(r, user, key, product, what)
	}
}

// prepaid looks at the answer to a prepay.
func (h *history) prepaid(r reply, user, key string, product orderstore.Product, what string) {
	var a order
	_ = json.Unmarshal(r.Data, &a)
	if a.OutTradeNo == "" {
		return
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
	stray := at.PlacedAt.After(o.PrepaidAt) // a try that was given up arrived after the one that was answered
	if r.status == 200 && (!known || a.CodeURL != at.CodeURL && !h.storming && !stray) {
		h.violate("law 8: %s gets code_url %q, at WeChat it is %+v", a.OutTradeNo, a.CodeURL, at)
	}
}

// paidRef is the attempt by which an order of the app is paid.
func (h *history) paidRef(ref string) string {
	attempts, err := h.store.Find(context.Background(), ref)
	if err != nil {
		h.violate("find: %v", err)
	}
	for _, o := range attempts {
		if o.PayStatus == orderstore.Paid {
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

// own: nobody sees or moves the order of another.
func (h *history) own(r reply, user, owner string) {
	if user != owner && r.status != 403 && r.status != 503 {
		h.violate("%s is answered %d %s about an order of %s", user, r.status, r.raw, owner)
	}
}

// ask is GET: at once, or when all questions asked before have been answered.
// Then the answer is the truth, or marked as stale.
func (h *history) ask(rt *rapid.T) func() {
	no, owner := h.anyOrder(rt)
	if no == "" {
		return nil
	}
	user, later := asker(rt, owner), rapid.Bool().Draw(rt, "later")
	return func() {
		if later {
			time.Sleep(20 * time.Second)
		}
		at, _ := h.sim.Order(no)
		h.mu.Lock()
		_, paid := h.paid[no]
		h.mu.Unlock()
		r := h.send(rt, calm, "GET", "/pay/orders/"+no, user, nil)
		h.own(r, user, owner)
		if r.status != 200 {
			return
		}
		var o order
		if err := json.Unmarshal(r.Data, &o); err != nil {
			h.violate("%v", err)
		}
		truth := later && !h.storming && !o.Stale && at.TradeState == "SUCCESS"
		if o.PayStatus != 1 && (paid || truth) {
			h.violate("law 1: %s is paid, but GET says %s", no, r.raw)
		}
	}
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
		if at, ok := h.sim.Order(no); r.status == 200 && ok && at.TradeState != "CLOSED" {
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

// anyPaid draws an order that is paid at the simulator.
func (h *history) anyPaid(rt *rapid.T) string {
	var paid []string
	for _, o := range h.sim.Orders() {
		if o.TradeState == "SUCCESS" {
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

// notifySecond is another transaction of an order that is paid, genuinely
// signed: WeChat says that the customer paid twice.
func (h *history) notifySecond(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	tx := "42000009" + rapid.SampledFrom([]string{"01", "02"}).Draw(rt, "transaction")
	return func() {
		h.mu.Lock()
		h.signed[no] = append(h.signed[no], tx)
		h.mu.Unlock()
		refusals := h.refusals.Load()
		m := h.message(no, func(n *wxsim.Notification) { n.Plaintext["transaction_id"] = tx })
		if status := h.deliver(rt, "a second transaction", m); status != 204 && h.refusals.Load() == refusals {
			h.violate("a second transaction of %s is answered %d", no, status)
		}
	}
}

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

// TestCloseOvertakenByAPrepay: an order that never reached WeChat is given up.
// While WeChat's word that it does not know the order is on its way, the
// customer tries again and gets a credential. The order must not be closed
// here and open there.
func TestCloseOvertakenByAPrepay(t *testing.T) {
	t.Parallel()
	way := &heldAnswer{answered: make(chan struct{}), release: make(chan struct{})}
	s := open(t, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: way} })
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
	r := s.do("POST", "/pay/prepay/app", "u1", body("app", "vip-month"))
	var o order
	if err := json.Unmarshal(r.Data, &o); err != nil || r.status != 502 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	s.clock.advance(2 * time.Minute)

	closed := make(chan reply)
	go func() { closed <- s.do("POST", "/pay/orders/"+o.OutTradeNo+"/close", "u1", "") }()
	<-way.answered
	signed := s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+o.OutTradeNo+`"}`)
	close(way.release)
	r = <-closed
	at, _ := s.sim.Order(o.OutTradeNo)
	if here := s.stored(o.OutTradeNo); here.PayStatus == orderstore.Closed && at.TradeState != "CLOSED" {
		t.Errorf("paysign is answered %d with %q, close %d: the order is closed here, at WeChat it is %s until %v",
			signed.status, here.PrepayID, r.status, at.TradeState, at.TimeExpire)
	}
}

// heldAnswer keeps the first answer to a query back.
type heldAnswer struct {
	once              sync.Once
	answered, release chan struct{}
}

func (h *heldAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := wire.RoundTrip(r)
	if r.Method == http.MethodGet {
		h.once.Do(func() { close(h.answered); <-h.release })
	}
	return resp, err
}
