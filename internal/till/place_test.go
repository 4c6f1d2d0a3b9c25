package till_test

import (
	"context"
	"errors"
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

// slowPrepay makes every prepay take a while on its way to WeChat.
func (w *world) slowPrepay(d time.Duration) {
	w.onTheWay(func(path string) {
		if strings.HasPrefix(path, "/v3/pay/transactions/native") {
			time.Sleep(d)
		}
	})
}

// bodies are the prepays that reached WeChat.
func (w *world) bodies() []string {
	var all []string
	for _, c := range w.sim.Calls() {
		if c.Target == "prepay" {
			all = append(all, string(c.Body))
		}
	}
	return all
}

// TestPlaceInTwoProcesses: the second one gets the first one's code, as soon
// as it is there. Another prepay would have made it worthless.
func TestPlaceInTwoProcesses(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.slowPrepay(3 * time.Second)
		a, b := w.till(), w.till()
		var codes [8]string
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() {
				codes[i] = w.place([]*till.Till{a, b}[i%2], "order-1").CodeURL
			})
		}
		all.Wait()
		if took := w.elapsed(); took < 3*time.Second || took > 3200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if got := slices.Compact(codes[:]); len(got) != 1 || got[0] == "" || w.sim.Requests("prepay") != 1 {
			t.Errorf("codes %q, %d prepays", got, w.sim.Requests("prepay"))
		}
	})
}

// TestReplayInTwoProcesses: of two codes that WeChat gave for one order the
// later is the one that works, and the one that is kept, whosever answer comes
// last.
func TestReplayInTwoProcesses(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.till(), w.till()
		w.place(a, "order-1", func(o *orderstore.Order) { o.ExpiresAt = o.ExpiresAt.Add(24 * time.Hour) })
		time.Sleep(2 * time.Hour)
		o := w.stored("order-1")
		n := 0
		w.mu.Lock()
		w.after = func(string) {
			if n++; n == 1 {
				time.Sleep(3 * time.Second) // the first answer is slow
			}
		}
		w.mu.Unlock()
		var all sync.WaitGroup
		for _, tl := range []*till.Till{a, b} {
			all.Go(func() {
				if _, err := tl.Place(t.Context(), o); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		at, _ := w.sim.Order("order-1")
		if got := w.stored("order-1").CodeURL; got != at.CodeURL {
			t.Errorf("kept %q after %d prepays, the one that works is %q", got, w.sim.Requests("prepay"), at.CodeURL)
		}
	})
}

// TestPlaceAfterACreatorThatDied: nobody is waited for longer than it could
// have lived.
func TestPlaceAfterACreatorThatDied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		age  time.Duration // of the order when it is asked for
		wait time.Duration
	}{
		{"at once", 0, 15 * time.Second},
		{"after 10 s", 10 * time.Second, 5 * time.Second},
		{"after 15 s", 15 * time.Second, 0},
		{"after a minute", time.Minute, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				w.store.set(func(call string) error { // the process dies before anything else is written
					if call == "save" {
						return errDown
					}
					return nil
				})
				if _, err := w.till().Place(t.Context(), w.draft("order-1")); !errors.Is(err, till.ErrStore) {
					t.Fatalf("error %v", err)
				}
				w.store.set(nil)
				first := w.stored("order-1")
				time.Sleep(c.age)
				w.start = time.Now()
				o := w.place(w.till(), "order-1")
				if took := w.elapsed(); took < c.wait || took > c.wait+200*time.Millisecond {
					t.Errorf("it took %v, want %v", took, c.wait)
				}
				if got := w.bodies(); len(got) != 2 || got[0] != got[1] || got[0] != first.PrepayRequest || o.CodeURL == "" {
					t.Errorf("prepays %q, order %+v", got, o)
				}
			})
		})
	}
}

// TestPlaceAfterACreatorThatFailed goes ahead at once, with the same bytes.
func TestPlaceAfterACreatorThatFailed(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
		o, err := w.till().Place(t.Context(), w.draft("order-1"))
		if !errors.Is(err, till.ErrWeChat) || o.OutTradeNo != "order-1" || o.Version == 0 || o.PayStatus != orderstore.Unpaid {
			t.Fatalf("%+v, %v", o, err)
		}
		w.start = time.Now()
		again := w.place(w.till(), "order-1", func(o *orderstore.Order) { o.Total, o.Description = 1, "cheaper" })
		if took := w.elapsed(); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if got := slices.Compact(w.bodies()); len(got) != 1 || again.Total != 100 || again.CodeURL == "" {
			t.Errorf("prepays %q, order %+v", got, again)
		}
	})
}

// TestPlaceHasADeadline: WeChat that never answers is not waited for for ever,
// and what happened is written down.
func TestPlaceHasADeadline(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "timeout"})
		_, err := w.till().Place(t.Context(), w.draft("order-1"))
		if took := w.elapsed(); !errors.Is(err, till.ErrWeChat) || took < 14*time.Second || took > 15*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if got := w.history("order-1"); !slices.Equal(got, []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepayFailed}) {
			t.Errorf("history %v", got)
		}
	})
}

// TestPlaceGoesOn when the one who asked does not wait any more.
func TestPlaceGoesOn(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.slowPrepay(3 * time.Second)
		tl := w.till()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tl.Place(ctx, w.draft("order-1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := w.elapsed(); took != time.Second {
			t.Errorf("it took %v", took)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if o := w.stored("order-1"); o.CodeURL == "" || w.sim.Requests("prepay") != 1 {
			t.Errorf("stored %+v", o)
		}
	})
}

// TestPlaceFreezes: what WeChat cannot be sent is neither stored nor sent.
func TestPlaceFreezes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*orderstore.Order){
		"number":      func(o *orderstore.Order) { o.OutTradeNo = "a/../b" },
		"total":       func(o *orderstore.Order) { o.Total = 0 },
		"description": func(o *orderstore.Order) { o.Description = "" },
		"currency":    func(o *orderstore.Order) { o.Currency = "USD" },
		"user":        func(o *orderstore.Order) { o.UserID = "" },
		"appid":       func(o *orderstore.Order) { o.AppID = "" },
		"merchant":    func(o *orderstore.Order) { o.MchID = "" },
		"product":     func(o *orderstore.Order) { o.Product = "cash" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				w.store.set(func(call string) error { t.Errorf("%s was called", call); return nil })
				for _, place := range []func(context.Context, orderstore.Order) (orderstore.Order, error){w.till().Place, w.till().PlaceNew} {
					if o, err := place(t.Context(), w.draft("order-1", change)); !errors.Is(err, till.ErrFreeze) || o.Version != 0 {
						t.Errorf("%+v, %v", o, err)
					}
				}
				if n := w.sim.Requests("prepay"); n != 0 {
					t.Errorf("%d prepays", n)
				}
			})
		})
	}
}

// TestPlaceNew: one of many gets the number, and nobody else's order.
func TestPlaceNew(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tills := []*till.Till{w.till(), w.till()}
		w.slowPrepay(time.Second)
		var won []int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				o, err := tills[i%2].PlaceNew(t.Context(), w.draft("order-1", func(o *orderstore.Order) { o.Total = orderstore.Fen(i + 1) }))
				switch {
				case err == nil && o.Total == orderstore.Fen(i+1) && o.CodeURL != "":
					mu.Lock()
					defer mu.Unlock()
					won = append(won, i)
				case !errors.Is(err, orderstore.ErrExists) || o.OutTradeNo != "":
					t.Errorf("caller %d: %+v, %v", i, o, err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 || w.stored("order-1").Total != orderstore.Fen(won[0]+1) || w.sim.Requests("prepay") != 1 {
			t.Errorf("winners %v, stored %v, %d prepays", won, w.stored("order-1").Total, w.sim.Requests("prepay"))
		}
	})
}

// TestPlaceBesidePlaceNew: somebody else's search for a free number, which
// finds this one taken, is no answer to those who want this very order.
func TestPlaceBesidePlaceNew(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		o := w.place(tl, "order-1")
		w.store.set(func(call string) error {
			if call == "create" {
				time.Sleep(time.Second)
			}
			return nil
		})
		go func() { _, _ = tl.PlaceNew(t.Context(), w.draft("order-1")) }()
		synctest.Wait() // it is about to find the number taken
		again, err := tl.Place(t.Context(), o)
		if err != nil || again.CodeURL != o.CodeURL {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

// TestPlaceKeepsNoCredentialOfAnEndedOrder: WeChat's answer comes too late for
// an order that was paid or closed meanwhile.
func TestPlaceKeepsNoCredentialOfAnEndedOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state string
		want  error
	}{{orderstore.TradeSuccess, orderstore.ErrPaid}, {orderstore.TradeClosed, orderstore.ErrClosed}} {
		t.Run(c.state, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				tl := w.till()
				w.slowPrepay(time.Second)
				var got orderstore.Order
				var err error
				var all sync.WaitGroup
				all.Go(func() { got, err = tl.Place(t.Context(), w.draft("order-1")) })
				synctest.Wait()
				_, settleErr := tl.Settle(t.Context(), payment(w.stored("order-1"), func(p *orderstore.Payment) { p.TradeState = c.state }))
				all.Wait()
				if settleErr != nil || !errors.Is(err, c.want) || !got.Credential.IsZero() || !w.stored("order-1").Credential.IsZero() {
					t.Errorf("%+v, %v, %v", got, err, settleErr)
				}
			})
		})
	}
}

// TestPlaceWhatIsOver asks nothing of WeChat.
func TestPlaceWhatIsOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(w *world, tl *till.Till, o orderstore.Order)
		want error
	}{
		{"paid", func(w *world, tl *till.Till, o orderstore.Order) { _, _ = tl.Settle(w.t.Context(), payment(o)) }, orderstore.ErrPaid},
		{"closed", func(w *world, tl *till.Till, o orderstore.Order) { _, _ = tl.Close(w.t.Context(), o) }, orderstore.ErrClosed},
		{"expired", func(*world, *till.Till, orderstore.Order) { time.Sleep(30 * time.Minute) }, orderstore.ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				tl := w.till()
				o := w.place(tl, "order-1")
				c.end(w, tl, o)
				for _, draft := range []orderstore.Order{o, w.draft("order-1")} { // as it was loaded before, and as it is wished again
					if got, err := tl.Place(t.Context(), draft); !errors.Is(err, c.want) || got.OutTradeNo != "order-1" {
						t.Errorf("%+v, %v", got, err)
					}
				}
				if n := w.sim.Requests("prepay"); n != 1 {
					t.Errorf("%d prepays", n)
				}
			})
		})
	}
}
