package wxpay_test

import (
	"context"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// TestRefundBesideAnother: two refunds that fit one by one and not together are
// asked for in two processes. The second is stored while the first is about to
// be, which must see it and be refused.
func TestRefundBesideAnother(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	s := open(t, store.use)
	s.store = store.Store
	no := s.bought()
	other := s.another()
	store.times(1, "save", func(context.Context) error {
		other.give(no, `{"refund":60,"out_refund_no":"R-2"}`).refund(t)
		return nil
	})
	s.give(no, `{"refund":60,"out_refund_no":"R-1"}`).refused(t, 409, 409, "退款金额超过可退金额")
	if o := s.stored(no); len(o.Refunds) != 1 || o.Refunds[0].OutRefundNo != "R-2" || o.Refundable() != 40 {
		t.Errorf("stored %+v, %v left", o.Refunds, o.Refundable())
	}
	if at := s.atWeChat(no); len(at) != 1 || at[0].OutRefundNo != "R-2" {
		t.Errorf("at WeChat: %+v", at)
	}
}
