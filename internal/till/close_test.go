package till_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestCloseAtOnce: many closes, of one process or two, are one change, told
// once.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tills := []*till.Till{w.till(), w.till()}
		o := w.place(tills[0], "order-1")
		w.onTheWay(func(string) { time.Sleep(time.Second) })
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if got, err := tills[i%2].Close(t.Context(), o); err != nil || got.PayStatus != orderstore.Closed {
					t.Errorf("%v, %v", got.PayStatus, err)
				}
			})
		}
		all.Wait()
		if got := w.heard(); !slices.Equal(got, []string{"close: closed order-1"}) {
			t.Errorf("heard %q", got)
		}
		if got := w.history("order-1"); !slices.Equal(got, []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventClosed}) {
			t.Errorf("history %v", got)
		}
	})
}

// TestCloseIsWeChats: until WeChat has said "closed", nothing here says so.
func TestCloseIsWeChats(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		o := w.place(tl, "order-1")
		w.onTheWay(func(path string) {
			if at, _ := w.sim.Order("order-1"); at.TradeState == "NOTPAY" && w.stored("order-1").PayStatus != orderstore.Unpaid {
				t.Errorf("closed here before %s", path)
			}
		})
		if _, err := tl.Close(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, c := range w.sim.Calls()[1:] {
			paths = append(paths, c.Target)
		}
		if !slices.Equal(paths, []string{"query", "close"}) { // 关单前先查单
			t.Errorf("calls %v", paths)
		}
	})
}

// TestCloseOfAnOrderOnItsWay: WeChat does not know it, and may well know it in
// a moment. That it said no is another thing.
func TestCloseOfAnOrderOnItsWay(t *testing.T) {
	t.Parallel()
	unclear := func(w *world) error {
		w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
		_, err := w.till().Place(w.t.Context(), w.draft("order-1"))
		return err
	}
	refused := func(w *world) error {
		_, err := w.till().Place(w.t.Context(), w.draft("order-1", func(o *orderstore.Order) { o.AppID = "wx0000000000000000" }))
		return err
	}
	died := func(w *world) error { // when the order was stored, and nothing sent
		w.onTheWay(func(string) { runtime.Goexit() })
		go func() { _, _ = w.till().Place(w.t.Context(), w.draft("order-1")) }()
		synctest.Wait()
		w.onTheWay(nil)
		return till.ErrWeChat
	}
	for _, c := range []struct {
		name   string
		place  func(w *world) error
		age    time.Duration // since then
		closed bool
	}{
		{"unclear, at once", unclear, 0, false},
		{"unclear, a minute less", unclear, time.Minute - time.Second, false},
		{"unclear, a minute", unclear, time.Minute, true},
		{"unclear, an hour", unclear, time.Hour, true},
		{"refused, at once", refused, 0, true},
		{"died, a minute", died, time.Minute, false},
		{"died, a minute and 15 s", died, time.Minute + 15*time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				if err := c.place(w); !errors.Is(err, till.ErrWeChat) {
					t.Fatal(err)
				}
				time.Sleep(c.age)
				tl, o := w.till(), w.stored("order-1")
				got, err := tl.Close(t.Context(), o)
				switch {
				case c.closed && (err != nil || got.PayStatus != orderstore.Closed || !slices.Equal(w.heard(), []string{"close: closed order-1"})):
					t.Errorf("%+v, %v, heard %q", got, err, w.heard())
				case !c.closed && (!errors.Is(err, till.ErrWeChat) || w.stored("order-1").PayStatus != orderstore.Unpaid):
					t.Errorf("%+v, %v", got, err)
				}
				if n := w.sim.Requests("close"); n != 0 {
					t.Errorf("%d closes", n)
				}
			})
		})
	}
}

// TestCloseLosesToAPayment that is written here while WeChat is closing: paid
// is for ever.
func TestCloseLosesToAPayment(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		o := w.place(tl, "order-1")
		w.onTheWay(func(path string) {
			if strings.HasSuffix(path, "/close") {
				if _, err := tl.Settle(t.Context(), payment(o)); err != nil {
					t.Error(err)
				}
			}
		})
		if got, err := tl.Close(t.Context(), o); !errors.Is(err, orderstore.ErrPaid) || got.PayStatus != orderstore.Paid {
			t.Errorf("%v, %v", got.PayStatus, err)
		}
		if got := w.heard(); w.stored("order-1").PayStatus != orderstore.Paid || !slices.Equal(got, []string{"notification: paid order-1"}) {
			t.Errorf("order is %v, heard %q", w.stored("order-1").PayStatus, got)
		}
	})
}

// TestCloseTakesLong at most: WeChat that does not answer is given up.
func TestCloseTakesLong(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"query", "close"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				tl := w.till()
				o := w.place(tl, "order-1")
				w.sim.Fault(wxsim.Fault{Target: target, Fault: "timeout"})
				got, err := tl.Close(t.Context(), o)
				took := w.elapsed()
				// A close that was done and never answered is found out by asking.
				if target == "close" && (err != nil || got.PayStatus != orderstore.Closed) || target == "query" && !errors.Is(err, till.ErrWeChat) || took > 20*time.Second {
					t.Errorf("after %v: %v, %v", took, got.PayStatus, err)
				}
			})
		})
	}
}

// TestAsk shares the question, and tells the kinds of no answer apart.
func TestAsk(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		o := w.place(tl, "order-1")
		if err := w.sim.PayQuietly("order-1"); err != nil {
			t.Fatal(err)
		}
		w.onTheWay(func(string) { time.Sleep(time.Second) })
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if got, err := tl.Ask(t.Context(), o); err != nil || got.PayStatus != orderstore.Paid {
					t.Errorf("%v, %v", got.PayStatus, err)
				}
			})
		}
		all.Wait()
		if n := w.sim.Requests("query"); n != 1 {
			t.Errorf("%d queries", n)
		}
		if got := w.heard(); !slices.Equal(got, []string{"query: paid order-1"}) {
			t.Errorf("heard %q", got)
		}
		unknown := o
		unknown.OutTradeNo = "order-2"
		if _, err := tl.Ask(t.Context(), unknown); !errors.Is(err, till.ErrNotAtWeChat) || errors.Is(err, till.ErrWeChat) {
			t.Errorf("unknown order: %v", err)
		}
		w.sim.Fault(wxsim.Fault{Target: "query", Fault: "unsigned"})
		if _, err := tl.Ask(t.Context(), o); !errors.Is(err, till.ErrWeChat) || errors.Is(err, till.ErrNotAtWeChat) {
			t.Errorf("unsigned answer: %v", err)
		}
		w.sim.ClearFaults()
		w.store.set(func(call string) error { return errDown })
		if _, err := tl.Ask(t.Context(), o); !errors.Is(err, till.ErrStore) {
			t.Errorf("store down: %v", err)
		}
	})
}

// TestCloseWhileSomebodyPlaces: WeChat does not know the order yet, because its
// prepay, begun since the order was read, is on its way. It is not closed here
// while it comes into being there.
func TestCloseWhileSomebodyPlaces(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
		if _, err := w.till().Place(t.Context(), w.draft("order-1")); !errors.Is(err, till.ErrWeChat) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		read := w.stored("order-1")
		w.onTheWay(func(path string) {
			if !strings.HasSuffix(path, "/native") {
				return
			}
			w.onTheWay(nil)
			if _, err := w.till().Close(t.Context(), read); !errors.Is(err, till.ErrWeChat) {
				t.Errorf("closed with %v", err)
			}
		})
		if _, err := w.till().Place(t.Context(), read); err != nil {
			t.Error(err)
		}
		o, _ := w.sim.Order("order-1")
		if got := w.stored("order-1").PayStatus; got != orderstore.Unpaid || o.TradeState != "NOTPAY" {
			t.Errorf("here it is %v, at WeChat %s", got, o.TradeState)
		}
	})
}
