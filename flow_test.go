package wxpay_test

import (
	"slices"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// TestBuy is the kit's whole promise, for each product: placed, paid, told,
// handed over, and every step in the history.
func TestBuy(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"app", "jsapi", "miniprogram", "h5", "native"} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			placed := s.buy(product, "u1")
			if got := s.do("GET", "/pay/orders/"+placed.OutTradeNo, "u1", "").order(t); got.PayStatus != 0 || got.TradeState != "NOTPAY" || got.Stale {
				t.Fatalf("before payment: %+v", got)
			}
			if err := s.sim.Pay(placed.OutTradeNo); err != nil {
				t.Fatal(err)
			}
			paid := s.do("GET", "/pay/orders/"+placed.OutTradeNo, "u1", "").order(t)
			if paid.PayStatus != 1 || paid.TradeState != "SUCCESS" || paid.Total != 100 || paid.Amount != "1.00元" || paid.TradeNo == "" || paid.PayTime == "" {
				t.Fatalf("after payment: %+v", paid)
			}
			eventually(t, "the order is handed over", func() bool { return !s.stored(placed.OutTradeNo).HandedOverAt.IsZero() })
			if n := s.grants.count(placed.OutTradeNo); n != 1 {
				t.Errorf("granted %d times", n)
			}
			want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventPaid, orderstore.EventHandedOver}
			if got := s.events(placed.OutTradeNo); !slices.Equal(got, want) {
				t.Errorf("history %v, want %v", got, want)
			}
			sent := s.sim.Notifications()
			if len(sent) != 1 || sent[0].Status != 204 || sent[0].Body != "" {
				t.Errorf("notifications: %+v", sent)
			}
		})
	}
}
