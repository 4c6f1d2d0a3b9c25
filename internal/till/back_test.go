package till_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// TestNotGivenBack: money that is to go back and finds no refund is told, with
// the reason. A refund that begins is told when WeChat has spoken, not here.
func TestNotGivenBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		paidAt time.Duration // before now
		want   []string
		why    error
	}{
		{"it goes back", 0, nil, nil},
		{"too late for a refund", 366 * 24 * time.Hour, []string{"notification: not_begun 100"}, orderstore.ErrRefundTooLate},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				var told []string
				var why error
				tl := w.till(func(cfg *till.Config) {
					cfg.RefundLate = true
					cfg.SettledRefund = func(_ context.Context, s till.RefundSettlement) {
						told = append(told, fmt.Sprint(s.Source, ": ", s.Outcome, " ", int64(s.Refund.Amount)))
						why = s.Err
					}
				})
				o, err := tl.Close(t.Context(), w.place(tl, "order-1"))
				if err != nil {
					t.Fatal(err)
				}
				p := payment(o, func(p *orderstore.Payment) { p.PaidAt = time.Now().Add(-test.paidAt) })
				for range 2 { // heard again, it is no news
					if o, err = tl.Settle(t.Context(), p); err != nil || o.GivenBack != orderstore.GivenBackLate {
						t.Fatalf("%q, %v", o.GivenBack, err)
					}
				}
				p.TransactionID = "4200009999" // an anomaly, and no news of the first
				if _, err := tl.Settle(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(told, test.want) || !errors.Is(why, test.why) {
					t.Errorf("told %q because of %v, want %q because of %v", told, why, test.want, test.why)
				}
			})
		})
	}
}

// TestPlaced: an order is told once, however often it is placed.
func TestPlaced(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		var told []string
		tl := w.till(func(cfg *till.Config) {
			cfg.Placed = func(_ context.Context, o orderstore.Order) { told = append(told, o.OutTradeNo) }
		})
		o := w.place(tl, "order-1")
		for range 2 {
			if _, err := tl.Place(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		w.place(tl, "order-2")
		if want := []string{"order-1", "order-2"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
