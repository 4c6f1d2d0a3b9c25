package wxpay_test

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

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
// change; -rapid.checks (with -rapid.seed) goes looking for new ones. Under the
// race detector, where a history takes several times as long, the first quarter
// of them is lived: it looks at what processes do beside each other, and every
// history has that.
func TestLaws(t *testing.T) {
	if seed, checks := flag.Lookup("rapid.seed"), flag.Lookup("rapid.checks"); seed.Value.String() == seed.DefValue && checks.Value.String() == checks.DefValue {
		if err := seed.Value.Set("20261121"); err != nil { // before any test runs in parallel
			t.Fatal(err)
		}
	}
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		live(t, 100, func(*rapid.T) (orderstore.Store, func()) { return memory.New(), func() {} })
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir, files := t.TempDir(), 0
		live(t, 25, func(rt *rapid.T) (orderstore.Store, func()) {
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
	if underRace {
		most = (most + 3) / 4
	}
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
		"buy":                 h.buy,
		"buy for a cart":      h.buy,
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

		"refund":             h.refund,
		"refund more":        h.refund,
		"refund bit by bit":  h.instalments,
		"ask for a refund":   h.askRefund,
		"refund comes late":  h.lateRefund,
		"refund by hand":     h.byHand,
		"refund sent on":     h.sendOn,
		"notify a refund":    h.notifyRefund,
		"lie about a refund": h.notifyRefundLie,
		"rivals":             h.rivals,
		"closed too early":   h.closeEarly,
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
			target := rapid.SampledFrom([]string{"prepay", "query", "close", "refund", "refund", "notify", "notify"}).Draw(rt, "target")
			faults := []string{"status_500", "status_429", "timeout", "slow", "reset", "unsigned", "bad_signature", "garbage"}
			if target == "refund" {
				faults = append(faults, "late")
			}
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
		"refund is decided": h.decide,
		"balance":           h.balance,
		"payer":             h.payer,
		"app and refunds":   h.badApp,
		"process dies": func(rt *rapid.T) func() {
			p := rapid.SampledFrom(h.processes).Draw(rt, "process")
			return func() { h.die(p) }
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
