package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// mood is how a call of OnRefunded goes.
type mood string

const (
	fails  mood = "fails"
	slow   mood = "is slow"
	hangs  mood = "hangs until its deadline"
	stuck  mood = "does not heed its deadline"
	panics mood = "panics"
)

// badApp draws how the next calls of OnRefunded go.
func (h *history) badApp(rt *rapid.T) func() {
	moods := rapid.SliceOfN(rapid.SampledFrom([]mood{fails, slow, hangs, stuck, panics}), 1, 4).Draw(rt, "moods")
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.refunds.moods = moods
	}
}

// onRefunded is the app that takes refunds over: sometimes down, slow, stuck or
// broken.
func (h *history) onRefunded(ctx context.Context, o wxpay.Order, r wxpay.Refund) error {
	id := refundOf{o.OutTradeNo, r.OutRefundNo}
	how := h.beginRefunded(ctx, id)
	s, err := h.store.Get(ctx, o.OutTradeNo)
	stored, _ := s.Refund(r.OutRefundNo)
	at, _ := h.sim.Refund(r.OutRefundNo)
	if err != nil || stored.Status != orderstore.RefundSuccess || at.Status != "SUCCESS" || at.OutTradeNo != o.OutTradeNo || at.Refund != int64(r.Amount) {
		h.violate("law 6: refund %+v is handed over, the store has %+v, WeChat %+v, %v", r, stored, at, err)
	}
	defer h.endRefunded(ctx, id)
	switch how {
	case fails:
		return errors.New("the membership service is down")
	case slow:
		time.Sleep(5 * time.Second)
	case hangs:
		<-ctx.Done()
		return ctx.Err()
	case stuck:
		time.Sleep(100 * time.Second)
	case panics:
		panic("the membership service is broken")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil { // the kit does not wait any more
		h.refunds.excused[id]++
		return nil
	}
	h.refunds.returned[id]++
	return nil
}

// beginRefunded counts the call; another that still has time must not be there.
func (h *history) beginRefunded(ctx context.Context, id refundOf) (how mood) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, other := range h.refunds.handing[id] {
		if other.Err() == nil {
			h.broken = append(h.broken, fmt.Sprintf("law 6: refund %+v is handed over twice at the same time", id))
		}
	}
	h.refunds.handing[id] = append(h.refunds.handing[id], ctx)
	if len(h.refunds.moods) > 0 {
		how, h.refunds.moods = h.refunds.moods[0], h.refunds.moods[1:]
	}
	return how
}

func (h *history) endRefunded(ctx context.Context, id refundOf) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refunds.handing[id] = slices.DeleteFunc(h.refunds.handing[id], func(c context.Context) bool { return c == ctx })
}

// acknowledgedRefund looks into the store at the moment of a 2xx to WeChat.
func (h *history) acknowledgedRefund(plaintext []byte) {
	var p struct {
		OutTradeNo  string                  `json:"out_trade_no"`
		OutRefundNo string                  `json:"out_refund_no"`
		Status      orderstore.RefundStatus `json:"refund_status"`
	}
	if err := json.Unmarshal(plaintext, &p); err != nil {
		h.violate("an unreadable notification was acknowledged: %v", err)
		return
	}
	o, err := h.store.Get(context.Background(), p.OutTradeNo)
	r, known := o.Refund(p.OutRefundNo)
	if err != nil || !known || p.Status != orderstore.RefundAbnormal && r.Status != p.Status && r.Status != orderstore.RefundSuccess {
		h.violate("news of refund %s, %s, was acknowledged, but the store has %+v, %v", p.OutRefundNo, p.Status, r, err)
	}
}
