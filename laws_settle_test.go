package wxpay_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// settle ends all troubles, waits for every appointment, and looks at what
// must have come of it.
func (h *history) settle() {
	h.heal()
	time.Sleep(h.options.OrderTTL + 90*time.Minute)
	h.check()
	h.tellOfLateMoney()
	h.rest()
	h.tellOfHandMade()
	h.rest()
	for round := 0; h.helpGivenBack(round) && round < 10; round++ {
		h.rest()
	}
	for _, no := range h.numbers {
		o := h.last[no]
		at, _ := h.sim.Order(no)
		switch {
		case o.PayStatus == orderstore.Unpaid:
			h.rt.Fatalf("law 5: nobody ever learnt what became of %+v", o)
		case paidThere(at) && o.PayStatus != orderstore.Paid:
			h.rt.Fatalf("law 3: the customer paid %+v, and got nothing: %+v", at, o)
		case o.PayStatus == orderstore.Paid && o.GivenBack == "" && (o.HandedOverAt.IsZero() || h.granted[no] == 0):
			h.rt.Fatalf("law 6: paid and handed over %d times: %+v", h.granted[no], o)
		case o.PayStatus == orderstore.Closed && at.TradeState != "CLOSED" && at.TradeState != "" && !h.early[no]:
			h.rt.Fatalf("law 7: %+v is still open at WeChat: %+v", o, at)
		}
		h.checkEnd(o, at)
	}
}

// heal ends all troubles but time.
func (h *history) heal() {
	h.sim.ClearFaults()
	h.sim.SetBalance(true)
	h.road.lengthen()
	for _, p := range h.processes {
		p.store.falter(0, 0, false)
	}
	for _, at := range h.sim.Orders() {
		_ = h.sim.SetPayerGone(at.OutTradeNo, false)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hookDown, h.hookSlow, h.refunds.moods = 0, 0, nil
}

// rest waits until nothing is to be done any more; what WeChat holds back goes
// on. The longest pause is the six hours after an abnormal refund.
func (h *history) rest() {
	for range 60 {
		for _, r := range h.sim.Refunds() {
			_ = h.sim.DecideRefund(r.OutRefundNo, "SUCCESS") // unless it has ended
		}
		time.Sleep(20 * time.Minute)
		h.check()
		if h.resting() {
			return
		}
	}
}

// resting reports whether all appointments are kept, and what is abnormal here
// is so at WeChat: nobody knows for how long.
func (h *history) resting() bool {
	for _, no := range h.numbers {
		o := h.last[no]
		if o.ToHandOver() || o.PayStatus == orderstore.Unpaid {
			return false
		}
		for _, r := range o.Refunds {
			at, known := h.sim.Refund(r.OutRefundNo)
			if !r.NextActionAt.IsZero() && !(known && r.Status == orderstore.RefundAbnormal && at.Status == "ABNORMAL") {
				return false
			}
		}
	}
	return true
}

// tellOfHandMade is WeChat's word of the refunds made by hand: WeChat's XML
// here, or the bill.
func (h *history) tellOfHandMade() {
	for _, r := range h.sim.Refunds() {
		if !strings.HasPrefix(r.OutRefundNo, handMade) {
			continue
		}
		if m, ok := h.refundMessage(r); ok {
			if status := h.deliver(h.rt, "news of "+r.OutRefundNo, m); status != 204 {
				h.violate("news of %+v is answered %d", r, status)
			}
		}
	}
}

// helpGivenBack is the admin, who is asked to act where WeChat refused to give
// money back, or failed. It reports whether there was something to do.
func (h *history) helpGivenBack(round int) (helped bool) {
	for _, no := range h.numbers {
		o := h.last[no]
		if o.GivenBack == "" || o.Refundable() == 0 || h.beyondHelp(o) {
			continue
		}
		w := refundWish{no: no, number: fmt.Sprint("again-", round, "-", no), amount: o.Refundable()}
		if o.Refunds[0].Status == orderstore.RefundRefused && w.amount == o.Total {
			w.number = o.Refunds[0].OutRefundNo
		}
		h.giveMoneyBack(h.rt, calm, admin, w, o.Total)
		helped = true
	}
	return helped
}

// beyondHelp reports whether the rest of the order's money cannot go back: of
// 50 refunds too many failed, or somebody took of it on the platform.
func (h *history) beyondHelp(o orderstore.Order) bool {
	return len(o.Refunds) >= orderstore.MaxRefunds || slices.ContainsFunc(o.Refunds, func(r orderstore.Refund) bool {
		return strings.HasPrefix(r.OutRefundNo, handMade)
	})
}

// checkEnd: refunds have ended, as WeChat's books have it, and the application
// has taken them over; what was to be given back is back in full.
func (h *history) checkEnd(o orderstore.Order, at wxsim.Order) {
	var worst orderstore.RefundStatus
	var waits orderstore.Fen // for a person
	for _, r := range o.Refunds {
		there, known := h.sim.Refund(r.OutRefundNo)
		known = known && there.OutTradeNo == o.OutTradeNo
		taken := h.refunds.returned[refundOf{o.OutTradeNo, r.OutRefundNo}]
		switch {
		case r.Status != orderstore.RefundRefused && string(r.Status) != there.Status,
			known == (r.Status == orderstore.RefundRefused),
			r.Status == orderstore.RefundApplying, r.Status == orderstore.RefundProcessing:
			h.rt.Fatalf("law 4: in the end a refund is %+v, at WeChat %v %+v", r, known, there)
		case r.Status == orderstore.RefundSuccess && (taken == 0 || r.HandedOverAt.IsZero()):
			h.rt.Fatalf("law 6: refunded and handed over %d times: %+v", taken, r)
		case r.Status == orderstore.RefundAbnormal:
			waits += r.Amount
		}
		if worst != orderstore.RefundAbnormal && (r.Status == orderstore.RefundAbnormal || r.Status == orderstore.RefundSuccess) {
			worst = r.Status
		}
	}
	for _, there := range h.sim.Refunds() {
		if _, known := o.Refund(there.OutRefundNo); there.OutTradeNo == o.OutTradeNo && !known {
			h.rt.Fatalf("law 4: nobody here knows of %+v", there)
		}
	}
	switch {
	case int64(o.Refunded) != at.Refunded, worst != "" && o.RefundStatus != worst:
		h.rt.Fatalf("law 4: %d is back, %s, at WeChat %d, %s: %+v", o.Refunded, o.RefundStatus, at.Refunded, worst, o)
	case o.GivenBack != "" && o.Refunded+waits != o.Total && !h.beyondHelp(o):
		h.rt.Fatalf("law 3: only %d of it is back, and %d waits: %+v", o.Refunded, waits, o)
	}
}
