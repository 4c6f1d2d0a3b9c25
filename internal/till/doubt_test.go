package till_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

var errConnection = errors.New("connection lost")

// doubtful is a store whose answer to a Save gets lost, once, when armed: of a
// write that was done, or of one that was not.
type doubtful struct {
	orderstore.Store
	mu    sync.Mutex
	armed bool
	done  bool   // whether the write is done
	then  func() // what happens meanwhile
	deaf  bool   // nor is there an answer to a question afterwards
}

func (d *doubtful) arm(done bool, then func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed, d.done, d.then = true, done, then
}

func (d *doubtful) Save(ctx context.Context, o orderstore.Order) error {
	d.mu.Lock()
	armed := d.armed
	d.armed = false
	d.mu.Unlock()
	if !armed {
		return d.Store.Save(ctx, o)
	}
	if d.done {
		if err := d.Store.Save(ctx, o); err != nil {
			return err
		}
	}
	d.then()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errConnection
}

func (d *doubtful) Get(ctx context.Context, no string) (orderstore.Order, error) {
	if err := ctx.Err(); err != nil {
		return orderstore.Order{}, err
	}
	return d.Store.Get(ctx, no)
}

func (d *doubtful) Events(ctx context.Context, no string) ([]orderstore.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.deaf {
		return nil, errConnection
	}
	return d.Store.Events(ctx, no)
}

// TestWriteInDoubt: what was written is told, once, whether the store's answer
// gets through or not; what was not written is not told before it is.
func TestWriteInDoubt(t *testing.T) {
	t.Parallel()
	nothing := func(context.CancelFunc) {}
	for _, c := range []struct {
		name  string
		done  bool
		deaf  bool
		then  func(context.CancelFunc)
		err   error
		first int // how many facts are told at once
		again int // and when WeChat has said it again
	}{
		{"the connection is lost", true, false, nothing, nil, 1, 1},
		{"the context ends", true, false, func(cancel context.CancelFunc) { cancel() }, nil, 1, 1},
		{"nothing was written", false, false, nothing, errConnection, 0, 1},
		{"nobody can tell", true, true, nothing, errConnection, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				store := &doubtful{Store: w.store, deaf: c.deaf}
				var told []string
				tl := w.till(func(cfg *till.Config) {
					cfg.Store = store
					cfg.SettledRefund = func(_ context.Context, s till.RefundSettlement) {
						told = append(told, fmt.Sprint(s.Source, ": ", s.Outcome, " ", string(s.Refund.Status), " ", string(s.Order.RefundStatus)))
					}
				})
				o := w.place(tl, "order-1")
				settle := func(settle func(context.Context) error, want error) {
					t.Helper()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					store.arm(c.done, func() { c.then(cancel) })
					if err := settle(ctx); !errors.Is(err, want) {
						t.Errorf("error %v, want %v", err, want)
					}
				}
				check := func(got []string, n int, want string) {
					t.Helper()
					if len(got) != n || n > 0 && got[0] != want {
						t.Errorf("told %q, want %d times %q", got, n, want)
					}
				}
				pay := func(ctx context.Context) error { _, err := tl.Settle(ctx, payment(o)); return err }
				settle(pay, c.err)
				check(w.heard(), c.first, "notification: paid order-1")
				if err := pay(t.Context()); err != nil {
					t.Fatal(err)
				}
				check(w.heard(), c.again, "notification: paid order-1")

				back := orderstore.RefundResult{
					Source: orderstore.FromNotification, OutTradeNo: "order-1", OutRefundNo: "R-1", Status: orderstore.RefundAbnormal, Refund: 30, Total: 100,
				}
				refund := func(ctx context.Context) error { _, err := tl.SettleRefund(ctx, back); return err }
				settle(refund, c.err)
				check(told, c.first, "notification: abnormal ABNORMAL ABNORMAL")
				if err := refund(t.Context()); err != nil {
					t.Fatal(err)
				}
				check(told, c.again, "notification: abnormal ABNORMAL ABNORMAL")
			})
		})
	}
}

// TestRefusalInDoubt: WeChat's refusal of a refund needs a person, too.
func TestRefusalInDoubt(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		store := &doubtful{Store: w.store}
		var told []string
		tl := w.till(func(cfg *till.Config) {
			cfg.Store = store
			cfg.SettledRefund = func(_ context.Context, s till.RefundSettlement) {
				told = append(told, fmt.Sprint(s.Source, ": ", s.Outcome, " ", string(s.Refund.Status), " ", s.Err != nil))
			}
		})
		o := w.place(tl, "order-1")
		if err := errors.Join(w.sim.PayQuietly("order-1"), w.sim.SetPayerGone("order-1", true)); err != nil {
			t.Fatal(err)
		}
		if _, err := tl.Ask(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		w.onTheWay(func(string) { store.arm(true, func() {}) }) // the write after WeChat's answer
		if _, r, err := tl.Refund(t.Context(), "order-1", till.RefundWish{OutRefundNo: "R-1", Amount: 30}); err != nil || r.Status != orderstore.RefundRefused {
			t.Errorf("refund is %s, %v", r.Status, err)
		}
		if len(told) != 1 || told[0] != "refund: refused REFUSED true" {
			t.Errorf("told %q", told)
		}
	})
}

// TestCloseInDoubt: that an order was closed is told, whether WeChat closed it or
// never knew it.
func TestCloseInDoubt(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("known to WeChat: %t", known), func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				if !known {
					w.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
				}
				if _, err := w.till().Place(t.Context(), w.draft("order-1")); known != (err == nil) {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Minute)
				store := &doubtful{Store: w.store}
				tl := w.till(func(cfg *till.Config) { cfg.Store = store })
				w.onTheWay(func(path string) { // the write after WeChat's last answer
					if !known || strings.HasSuffix(path, "/close") {
						store.arm(true, func() {})
					}
				})
				if o, err := tl.Close(t.Context(), w.stored("order-1")); err != nil || o.PayStatus != orderstore.Closed {
					t.Errorf("%v, %v", o.PayStatus, err)
				}
				if got := w.heard(); !slices.Equal(got, []string{"close: closed order-1"}) {
					t.Errorf("heard %q", got)
				}
			})
		})
	}
}
