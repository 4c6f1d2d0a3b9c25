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

// bank is WeChat as far as refunds go: it takes the steps of refunds, and notes
// them.
type bank struct {
	app   *app
	begin time.Time

	mu    sync.Mutex
	steps []string
	says  []orderstore.RefundStatus // the answers, one a step; the last one stays; "" is no answer
}

func (b *bank) step(ctx context.Context, o orderstore.Order, claim orderstore.Refund) error {
	b.mu.Lock()
	b.steps = append(b.steps, fmt.Sprintf("%s %s at %v", claim.OutRefundNo, string(claim.Status), time.Since(b.begin).Round(time.Second)))
	says := b.says[0]
	if len(b.says) > 1 {
		b.says = b.says[1:]
	}
	b.mu.Unlock()
	if says == "" {
		return errors.New("no answer")
	}
	_, err := orderstore.Update(ctx, b.app.store, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		next, _, _ := o.ApplyRefundResult(orderstore.RefundResult{
			Source: orderstore.FromQuery, OutTradeNo: o.OutTradeNo, OutRefundNo: claim.OutRefundNo, Status: says, Refund: claim.Amount,
		}, time.Now())
		return next, next.Changed(o)
	})
	return err
}

func (b *bank) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.steps)
}

// refunds gives the worker a bank, and an application that takes refunds over.
func (a *app) refunds(conf *worker.Config, onRefunded func(orderstore.Refund) error, says ...orderstore.RefundStatus) *bank {
	b := &bank{app: a, begin: time.Now(), says: says}
	conf.MayAsk = func(string, time.Time) bool { return true }
	conf.StepRefund, conf.RefundLease = b.step, 30*time.Second
	conf.OnRefunded = func(_ context.Context, o orderstore.Order, r orderstore.Refund) error {
		a.mu.Lock()
		a.calls = append(a.calls, fmt.Sprint(r.OutRefundNo, " at ", time.Since(a.start).Seconds()))
		a.mu.Unlock()
		return onRefunded(r)
	}
	return b
}

// refunding stores a paid order with a refund to be applied for. Whether the
// order itself was handed over already is a matter of taken.
func refunding(t *testing.T, s orderstore.Store, no string, taken bool) {
	t.Helper()
	paid(t, s, no)
	_, err := orderstore.Update(t.Context(), s, no, func(o orderstore.Order) (orderstore.Order, bool) {
		if taken {
			o = o.HandedOver(time.Now())
		}
		next, err := o.BeginRefund(orderstore.Refund{OutRefundNo: "R-" + no, Amount: 100, Request: "{}"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return next, true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func refundOf(t *testing.T, s orderstore.Store, no string) orderstore.Refund {
	t.Helper()
	o, err := s.Get(context.Background(), no)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := o.Refund("R-" + no)
	return r
}

func nothing(context.Context, orderstore.Order) error { return nil }

// A refund is applied for, asked about at its pace, and handed over, once.
func TestRefundGoesItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nothing)
		b := a.refunds(&conf, func(r orderstore.Refund) error {
			if r.Status != orderstore.RefundSuccess || r.Amount != 100 || r.HandOverTries != 1 {
				t.Errorf("refund is %+v", r)
			}
			return nil
		}, orderstore.RefundProcessing, orderstore.RefundProcessing, orderstore.RefundSuccess)
		refunding(t, a.store, "order-1", true)
		stop := a.run(worker.New(conf), worker.New(conf))
		time.Sleep(time.Hour)
		stop()
		if got := b.taken(); len(got) < 3 || got[0] != "R-order-1 APPLYING at 0s" {
			t.Errorf("steps %q", got)
		}
		if got := a.called(); len(got) != 1 || !strings.HasPrefix(got[0], "R-order-1 at ") {
			t.Errorf("calls %q", got)
		}
		if r := refundOf(t, a.store, "order-1"); r.HandedOverAt.IsZero() || !r.NextActionAt.IsZero() {
			t.Errorf("in the end %+v", r)
		}
		if !strings.Contains(a.log(), "refund handed over") {
			t.Errorf("log: %s", a.log())
		}
	})
}

// A holder that dies in a step is replaced when its lease is over, not before.
func TestRefundStepIsALease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nothing)
		b := a.refunds(&conf, func(orderstore.Refund) error { return nil }, "", orderstore.RefundSuccess)
		refunding(t, a.store, "order-1", true)
		stop := a.run(worker.New(conf), worker.New(conf), worker.New(conf))
		time.Sleep(10 * time.Minute)
		stop()
		if got, want := b.taken(), []string{"R-order-1 APPLYING at 0s", "R-order-1 APPLYING at 30s"}; !slices.Equal(got, want) {
			t.Errorf("steps %q, want %q", got, want)
		}
		if !strings.Contains(a.log(), "refund is not done yet") {
			t.Errorf("log: %s", a.log())
		}
	})
}

// What fails, panics or hangs is called again, and holds up nobody else.
func TestRefundHandOverFails(t *testing.T) {
	t.Parallel()
	for how, fails := range map[string]func() error{
		"error":  func() error { return errors.New("the membership service is down") },
		"panic":  func() error { panic("no such member") },
		"hanger": func() error { time.Sleep(2 * time.Minute); return errors.New("too late") },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t)
				conf := a.config(nothing)
				var mu sync.Mutex
				calls := map[string]int{}
				a.refunds(&conf, func(r orderstore.Refund) error {
					mu.Lock()
					calls[r.OutRefundNo]++
					n := calls[r.OutRefundNo]
					mu.Unlock()
					if r.OutRefundNo == "R-bad" && n <= 2 {
						return fails()
					}
					return nil
				}, orderstore.RefundSuccess)
				refunding(t, a.store, "bad", true)
				refunding(t, a.store, "good", true)
				stop := a.run(worker.New(conf))
				time.Sleep(20 * time.Second)
				if r := refundOf(t, a.store, "good"); r.HandedOverAt.IsZero() {
					t.Error("a refund is held up by another")
				}
				time.Sleep(30 * time.Minute)
				stop()
				if r := refundOf(t, a.store, "bad"); r.HandedOverAt.IsZero() || r.HandOverTries != 3 || calls["R-bad"] != 3 || calls["R-good"] != 1 {
					t.Errorf("%d tries, handed over at %v, calls %v", r.HandOverTries, r.HandedOverAt, calls)
				}
			})
		})
	}
}

// An order that the application does not take holds up its refund as little as
// the other way round.
func TestOrderAndRefundAreTwoThings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		release := make(chan struct{})
		conf := a.config(func(context.Context, orderstore.Order) error { <-release; return nil })
		b := a.refunds(&conf, func(orderstore.Refund) error { return nil }, orderstore.RefundSuccess)
		refunding(t, a.store, "order-1", false)
		stop := a.run(worker.New(conf))
		time.Sleep(5 * time.Second)
		if r := refundOf(t, a.store, "order-1"); len(b.taken()) != 1 || r.HandedOverAt.IsZero() {
			t.Errorf("while OnPaid hangs: %d steps, refund %+v", len(b.taken()), r)
		}
		close(release)
		time.Sleep(5 * time.Second)
		stop()
		if o, _ := a.store.Get(t.Context(), "order-1"); o.HandedOverAt.IsZero() {
			t.Error("the order was never handed over")
		}
	})
}

// The budget of questions to WeChat is for refunds too.
func TestRefundWaitsForTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		conf := a.config(nothing)
		b := a.refunds(&conf, func(orderstore.Refund) error { return nil }, orderstore.RefundSuccess)
		begin := time.Now()
		conf.MayAsk = func(number string, now time.Time) bool {
			return number == "R-order-1" && now.Sub(begin) >= 10*time.Second
		}
		refunding(t, a.store, "order-1", true)
		stop := a.run(worker.New(conf))
		time.Sleep(time.Minute)
		stop()
		if got, want := b.taken(), []string{"R-order-1 APPLYING at 10s"}; !slices.Equal(got, want) {
			t.Errorf("steps %q, want %q", got, want)
		}
	})
}
