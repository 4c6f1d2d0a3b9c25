package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/worker"
)

// unpaid stores an order placed at this moment, with half an hour to pay.
func unpaid(t *testing.T, s orderstore.Store, no string) {
	t.Helper()
	now := time.Now()
	o := orderstore.Order{
		OutTradeNo: no, UserID: "u1", Total: 100, Currency: orderstore.CNY, Product: orderstore.Native,
		MchID: "1600000000", AppID: "wx1", ExpiresAt: now.Add(30 * time.Minute), UpdatedAt: now,
	}
	if err := s.Create(t.Context(), o.Opened(now, 15*time.Second)); err != nil {
		t.Fatal(err)
	}
}

// weChat notes what it is asked, and when.
type weChat struct {
	mu    sync.Mutex
	begin time.Time
	asked []string
	close func(context.Context, orderstore.Order) error
	ask   func(context.Context, orderstore.Order) error
}

func (a *app) weChat(conf *worker.Config) *weChat {
	w := &weChat{begin: time.Now()}
	note := func(what string, o orderstore.Order) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, fmt.Sprintf("%s %s after %v", what, o.OutTradeNo, time.Since(w.begin).Round(10*time.Second)))
	}
	conf.MayAsk = func(string, time.Time) bool { return true }
	conf.Ask = func(ctx context.Context, o orderstore.Order) error {
		note("ask", o)
		if w.ask != nil {
			return w.ask(ctx, o)
		}
		return nil
	}
	conf.Close = func(ctx context.Context, o orderstore.Order) error {
		note("close", o)
		if w.close != nil {
			return w.close(ctx, o)
		}
		_, err := orderstore.Update(ctx, a.store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
			next, err := o.Close(orderstore.FromClose, "", time.Now())
			return next, err == nil
		})
		return err
	}
	return w
}

func (w *weChat) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// TestSilentOrder: an order of which nothing is heard is asked about on the
// schedule, and closed when its time is over; then there is peace.
func TestSilentOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nil)
		w := a.weChat(&conf)
		unpaid(t, a.store, "order-1")
		stop := a.run(worker.New(conf), worker.New(conf)) // two share the work
		time.Sleep(24 * time.Hour)
		stop()
		got := w.heard()
		if len(got) != 7 || !strings.HasPrefix(got[0], "ask order-1 after 10s") || got[6] != "close order-1 after 30m0s" {
			t.Errorf("heard %q", got)
		}
	})
}

// TestCloseFails: a try to close that fails is repeated, less and less often,
// and never given up.
func TestCloseFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nil)
		w := a.weChat(&conf)
		w.close = func(context.Context, orderstore.Order) error { return errDown }
		unpaid(t, a.store, "order-1")
		stop := a.run(worker.New(conf))
		time.Sleep(24 * time.Hour)
		stop()
		if n := len(w.heard()); n < 130 || n > 160 { // every ten to eleven minutes
			t.Errorf("%d calls in a day", n)
		}
		if n := strings.Count(a.log(), "expired order could not be closed"); n != len(w.heard())-6 {
			t.Errorf("%d lines in the log for %d calls", n, len(w.heard()))
		}
	})
}

// TestBudget: what the budget does not allow now is asked later, and does not
// hold up what is to be handed over.
func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(func(context.Context, orderstore.Order) error { return nil })
		w := a.weChat(&conf)
		open := time.Now().Add(2 * time.Minute)
		conf.MayAsk = func(_ string, now time.Time) bool { return !now.Before(open) }
		for i := range 300 {
			unpaid(t, a.store, fmt.Sprintf("silent-%03d", i))
		}
		stop := a.run(worker.New(conf))
		time.Sleep(time.Minute)
		paid(t, a.store, "order-1")
		time.Sleep(2 * time.Second)
		a.handedOver("order-1", true, 1)
		if got := w.heard(); len(got) != 0 {
			t.Errorf("asked without budget: %q", got[0])
		}
		time.Sleep(time.Minute)
		stop()
		if got := w.heard(); len(got) != 300 {
			t.Errorf("%d of 300 were asked about when the budget allowed it", len(got))
		}
	})
}

// TestHungHook: a hook that heeds no deadline blocks neither other orders nor
// the questions, and its own order is not handed over a second time beside it.
func TestHungHook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		release := make(chan struct{})
		conf := a.config(func(_ context.Context, o orderstore.Order) error {
			if o.OutTradeNo == "hung" {
				<-release
			}
			return nil
		})
		conf.Parallel = 1
		w := a.weChat(&conf)
		paid(t, a.store, "hung")
		stop := a.run(worker.New(conf))
		synctest.Wait()
		paid(t, a.store, "good")
		unpaid(t, a.store, "silent")
		time.Sleep(10 * time.Second)
		if got := w.heard(); len(got) != 1 {
			t.Errorf("asked %q while a hook hangs", got)
		}
		time.Sleep(2 * time.Hour)
		a.handedOver("good", true, 1)
		a.handedOver("hung", false, 1)
		if !strings.Contains(a.log(), "OnPaid did not return at its deadline") {
			t.Error("the log does not say that a hook hangs")
		}
		close(release)
		time.Sleep(time.Hour)
		stop()
		a.handedOver("hung", true, 2)
	})
}

// TestAskFails: an error of WeChat's is a line in the log and changes nothing;
// the next appointment stands.
func TestAskFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nil)
		w := a.weChat(&conf)
		w.ask = func(context.Context, orderstore.Order) error { return errors.New("WeChat is down") }
		unpaid(t, a.store, "order-1")
		stop := a.run(worker.New(conf))
		time.Sleep(40 * time.Second)
		stop()
		if n := strings.Count(a.log(), "order could not be asked for at WeChat"); n != 2 || len(w.heard()) != 2 {
			t.Errorf("%d lines for %q", n, w.heard())
		}
	})
}
