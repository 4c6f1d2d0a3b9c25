package till_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// wish is a draft that pays for the app's order cart-1.
func (w *world) wish(product orderstore.Product, change ...func(*orderstore.Order)) orderstore.Order {
	return w.draft("", append([]func(*orderstore.Order){func(o *orderstore.Order) {
		o.Ref, o.GoodsID, o.Product, o.DeviceIP = "cart-1", "", product, "203.0.113.7"
	}}, change...)...)
}

// open are the numbers that a customer could pay at WeChat.
func (w *world) open() []string {
	var open []string
	for _, o := range w.sim.Orders() {
		if o.TradeState == "NOTPAY" {
			open = append(open, o.OutTradeNo)
		}
	}
	return open
}

// TestAttemptsAreNumbered, so that two processes that open the first one at
// the same time open the same one.
func TestAttemptsAreNumbered(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		for i := range 4 {
			product := []orderstore.Product{orderstore.Native, orderstore.H5}[i%2]
			o, err := tl.Attempt(t.Context(), w.wish(product))
			if err != nil || o.OutTradeNo != till.Number("ref", "cart-1", fmt.Sprint(i)) || o.Product != product {
				t.Errorf("attempt %d: %+v, %v", i, o, err)
			}
			if got := w.open(); !slices.Equal(got, []string{o.OutTradeNo}) {
				t.Errorf("open at WeChat: %v", got)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestAttemptsInTwoProcesses for one product are one attempt, also when each of
// them has looked for one before the other has stored its own.
func TestAttemptsInTwoProcesses(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.slowPrepay(time.Second)
		w.store.set(func(call string) error {
			if call == "create" {
				time.Sleep(time.Second)
			}
			return nil
		})
		tills := []*till.Till{w.till(), w.till()}
		var got [8]orderstore.Order
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() {
				var err error
				if got[i], err = tills[i%2].Attempt(t.Context(), w.wish(orderstore.Native)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, o := range got {
			if o.OutTradeNo != got[0].OutTradeNo || o.CodeURL != got[0].CodeURL || o.CodeURL == "" {
				t.Errorf("%+v and %+v", o, got[0])
			}
		}
		if n := w.sim.Requests("prepay"); n != 1 {
			t.Errorf("%d prepays", n)
		}
	})
}

// TestAttemptsInOneProcess wait for each other, so that everybody gets what
// they asked for, though WeChat takes its time.
func TestAttemptsInOneProcess(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.slowPrepay(2 * time.Second)
		tl := w.till()
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				product := []orderstore.Product{orderstore.Native, orderstore.H5}[i%2]
				o, err := tl.Attempt(t.Context(), w.wish(product))
				if err != nil || o.Product != product || o.Credential.IsZero() {
					t.Errorf("%s: %+v, %v", product, o, err)
				}
				if got := w.open(); len(got) != 1 {
					t.Errorf("open at WeChat: %v", got)
				}
			})
			synctest.Wait()
		}
		all.Wait()
	})
}

// TestAttemptWhileAnotherProcessOpensOne: as long as it may be on its way, it
// is not closed, and there is no second one.
func TestAttemptWhileAnotherProcessOpensOne(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.till(), w.till()
		w.slowPrepay(3 * time.Second)
		var first orderstore.Order
		var all sync.WaitGroup
		all.Go(func() {
			var err error
			if first, err = a.Attempt(t.Context(), w.wish(orderstore.Native)); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // it is stored, and WeChat does not know it yet
		if _, err := b.Attempt(t.Context(), w.wish(orderstore.H5)); !errors.Is(err, till.ErrWeChat) || !errors.Is(err, till.ErrNotAtWeChat) {
			t.Errorf("error %v", err)
		}
		all.Wait()
		if got := w.open(); !slices.Equal(got, []string{first.OutTradeNo}) || w.stored(first.OutTradeNo).PayStatus != orderstore.Unpaid {
			t.Errorf("open at WeChat: %v", got)
		}
		next, err := b.Attempt(t.Context(), w.wish(orderstore.H5))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.open(); !slices.Equal(got, []string{next.OutTradeNo}) || w.stored(first.OutTradeNo).PayStatus != orderstore.Closed {
			t.Errorf("open at WeChat: %v", got)
		}
	})
}

// TestAttemptBesideAStranger: somebody who is refused at the same moment takes
// nobody with him.
func TestAttemptBesideAStranger(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		first, err := tl.Attempt(t.Context(), w.wish(orderstore.Native))
		if err != nil {
			t.Fatal(err)
		}
		w.store.set(func(call string) error {
			if call == "find" {
				time.Sleep(time.Second)
			}
			return nil
		})
		var all sync.WaitGroup
		all.Go(func() {
			_, err := tl.Attempt(t.Context(), w.wish(orderstore.Native, func(o *orderstore.Order) { o.UserID = "u2" }))
			if !errors.Is(err, till.ErrForeign) {
				t.Errorf("the stranger got %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				if o, err := tl.Attempt(t.Context(), w.wish(orderstore.Native)); err != nil || o.OutTradeNo != first.OutTradeNo {
					t.Errorf("the owner got %+v, %v", o, err)
				}
			})
		}
		all.Wait()
	})
}

// TestAttemptOfAPaidOrder, whichever attempt was paid, and however late.
func TestAttemptOfAPaidOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		paid int // which of three attempts
		late bool
	}{{"the last", 2, false}, {"the one before, late", 1, true}, {"the first, late", 0, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				tl := w.till()
				var attempts []orderstore.Order
				for _, product := range []orderstore.Product{orderstore.Native, orderstore.H5, orderstore.Native} {
					o, err := tl.Attempt(t.Context(), w.wish(product))
					if err != nil {
						t.Fatal(err)
					}
					attempts = append(attempts, o)
					time.Sleep(time.Second)
				}
				if _, err := tl.Settle(t.Context(), payment(attempts[c.paid])); err != nil {
					t.Fatal(err)
				}
				if want := map[bool]string{false: "notification: paid ", true: "notification: paid_late "}[c.late] + attempts[c.paid].OutTradeNo; !slices.Contains(w.heard(), want) {
					t.Errorf("heard %q", w.heard())
				}
				calls := len(w.sim.Calls())
				for _, product := range []orderstore.Product{orderstore.Native, orderstore.H5, orderstore.App} {
					if o, err := tl.Attempt(t.Context(), w.wish(product)); !errors.Is(err, orderstore.ErrPaid) {
						t.Errorf("%s: %+v, %v", product, o, err)
					}
				}
				if n := len(w.sim.Calls()); n != calls {
					t.Errorf("%d calls to WeChat", n-calls)
				}
			})
		})
	}
}

// TestAttemptAfterARefusal: what WeChat clearly did not take stands in the way
// of nothing; what it may have taken does, for a while.
func TestAttemptAfterARefusal(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		refused, err := tl.Attempt(t.Context(), w.wish(orderstore.App)) // under an appid that is no app's
		if !errors.Is(err, till.ErrWeChat) {
			t.Fatal(err)
		}
		next, err := tl.Attempt(t.Context(), w.wish(orderstore.Native))
		if err != nil || next.OutTradeNo == refused.OutTradeNo || w.stored(refused.OutTradeNo).PayStatus != orderstore.Closed {
			t.Errorf("%+v, %v", next, err)
		}
		w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
		if _, err := tl.Attempt(t.Context(), w.wish(orderstore.H5)); !errors.Is(err, till.ErrWeChat) {
			t.Fatal(err)
		}
		if _, err := tl.Attempt(t.Context(), w.wish(orderstore.Native)); !errors.Is(err, till.ErrNotAtWeChat) {
			t.Errorf("error %v", err)
		}
		if o, err := tl.Attempt(t.Context(), w.wish(orderstore.H5)); err != nil || o.H5URL == "" {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// TestAttemptStoreFails: nothing is closed or opened on a guess.
func TestAttemptStoreFails(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		first, err := tl.Attempt(t.Context(), w.wish(orderstore.Native))
		if err != nil {
			t.Fatal(err)
		}
		calls := len(w.sim.Calls())
		w.store.set(func(call string) error {
			if call == "find" {
				return errDown
			}
			return nil
		})
		for _, product := range []orderstore.Product{orderstore.Native, orderstore.H5} {
			if _, err := tl.Attempt(t.Context(), w.wish(product)); !errors.Is(err, till.ErrStore) || !errors.Is(err, errDown) {
				t.Errorf("%s: %v", product, err)
			}
		}
		if n := len(w.sim.Calls()); n != calls || w.stored(first.OutTradeNo).PayStatus != orderstore.Unpaid {
			t.Errorf("%d calls to WeChat", n-calls)
		}
	})
}
