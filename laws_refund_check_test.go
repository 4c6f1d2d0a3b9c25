package wxpay_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// checkRefunds holds laws 1 and 4 against the refunds of an order, here.
func (h *history) checkRefunds(o orderstore.Order) {
	var held, back orderstore.Fen
	own := 0
	for _, r := range o.Refunds {
		id := refundOf{o.OutTradeNo, r.OutRefundNo}
		if r.Status != orderstore.RefundClosed && r.Status != orderstore.RefundRefused {
			held += r.Amount
		}
		if r.Status == orderstore.RefundSuccess {
			back += r.Amount
		}
		if !strings.HasPrefix(r.OutRefundNo, handMade) {
			own++
		}
		first, known := h.refunds.last[id]
		if known && (first.Amount != r.Amount || first.Request != r.Request ||
			first.Status == orderstore.RefundSuccess && (r.Status != first.Status || !r.RefundedAt.Equal(first.RefundedAt)) ||
			!first.HandedOverAt.IsZero() && !r.HandedOverAt.Equal(first.HandedOverAt)) {
			h.rt.Fatalf("law 4: a refund was %+v and is %+v", first, r)
		}
		h.refunds.last[id] = r
		h.checkRefundAtWeChat(o, r)
		if n := h.refunds.returned[id]; n > 1+h.refunds.excused[id] {
			h.rt.Fatalf("law 6: OnRefunded returned nil %d times for %+v", n, r)
		}
	}
	if held > o.Total || own > orderstore.MaxRefunds || o.Refunded != back || (o.RefundStatus == "") != (len(o.Refunds) == 0) {
		h.rt.Fatalf("law 4: refunds of %d, done %d: %+v", held, back, o)
	}
	for _, r := range h.last[o.OutTradeNo].Refunds {
		if _, still := o.Refund(r.OutRefundNo); !still {
			h.rt.Fatalf("law 4: a refund is gone: %+v", r)
		}
	}
}

// checkRefundAtWeChat: what is said of a refund here is true there.
func (h *history) checkRefundAtWeChat(o orderstore.Order, r orderstore.Refund) {
	at, known := h.sim.Refund(r.OutRefundNo)
	known = known && at.OutTradeNo == o.OutTradeNo // another order's may have taken the number
	bad := known && (at.Refund != int64(r.Amount) || at.Total != int64(o.Total))
	switch r.Status {
	case orderstore.RefundApplying:
	case orderstore.RefundRefused:
		bad = bad || known
	case orderstore.RefundSuccess, orderstore.RefundClosed:
		bad = bad || at.Status != string(r.Status)
	default:
		bad = bad || !known
	}
	if bad {
		h.rt.Fatalf("law 4: a refund is %+v, at WeChat %v %+v", r, known, at)
	}
}

// checkRefundsAtWeChat holds law 4 against WeChat's books.
func (h *history) checkRefundsAtWeChat() {
	sum, count := map[string]int64{}, map[string]int{}
	for _, at := range h.sim.Refunds() {
		no := at.OutTradeNo
		if count[no]++; at.Status != "CLOSED" {
			sum[no] += at.Refund
		}
		if _, known := h.last[no].Refund(at.OutRefundNo); !known && !strings.HasPrefix(at.OutRefundNo, handMade) {
			h.rt.Fatalf("law 4: WeChat has a refund that the store has not: %+v", at)
		}
		if sum[no] > at.Total || count[no] > orderstore.MaxRefunds {
			h.rt.Fatalf("law 4: %d refunds of %s sum to %d of %d", count[no], no, sum[no], at.Total)
		}
	}
	for id, amount := range h.refunds.told {
		if r, known := h.last[id.no].Refund(id.number); !known || r.Amount != amount {
			h.rt.Fatalf("law 4: the admin was told of refund %+v of %d, the store has %+v", id, amount, r)
		}
	}
}

// checkApplication: all applications for a refund are the same bytes.
func (h *history) checkApplication(c wxsim.Call) {
	var b struct {
		OutTradeNo  string `json:"out_trade_no"`
		OutRefundNo string `json:"out_refund_no"`
	}
	if c.Method != http.MethodPost || strings.HasSuffix(c.Path, "/apply-abnormal-refund") {
		return
	}
	if err := json.Unmarshal(c.Body, &b); err != nil {
		h.rt.Fatalf("%s: %v", c.Body, err)
	}
	id := refundOf{b.OutTradeNo, b.OutRefundNo}
	r, known := h.last[id.no].Refund(id.number)
	if first, again := h.refunds.sent[id]; again && first != string(c.Body) {
		h.rt.Fatalf("law 4: an application for a refund was %s\nand then %s", first, c.Body)
	}
	if !strings.HasPrefix(id.number, handMade) && (!known || r.Request != string(c.Body)) {
		h.rt.Fatalf("law 4: WeChat was sent %s, the store has %+v", c.Body, r)
	}
	h.refunds.sent[id] = string(c.Body)
}

// checkRefundEvents: the history tells each step of each refund.
func checkRefundEvents(o orderstore.Order, events []orderstore.Event) error {
	count := func(r orderstore.Refund, kind orderstore.EventKind) (n int) {
		for _, e := range events {
			if e.Kind == kind && (r.OutRefundNo == "" || strings.HasPrefix(e.Note, fmt.Sprintf("refund %s of ", r.OutRefundNo))) {
				n++
			}
		}
		return n
	}
	for _, r := range o.Refunds {
		asked := count(r, orderstore.EventRefundAsked)
		accepted := count(r, orderstore.EventRefundAccepted)
		refunded := count(r, orderstore.EventRefunded)
		taken := count(r, orderstore.EventRefundHandedOver)
		switch closed, abnormal := count(r, orderstore.EventRefundClosed), count(r, orderstore.EventRefundAbnormal); {
		case (asked > 0) == strings.HasPrefix(r.OutRefundNo, handMade),
			asked > 1 && count(r, orderstore.EventRefundRefused) < asked-1,
			r.Status == orderstore.RefundRefused && count(r, orderstore.EventRefundRefused) == 0,
			r.Status == orderstore.RefundProcessing && accepted == 0,
			r.Status == orderstore.RefundAbnormal && abnormal == 0,
			r.Status == orderstore.RefundClosed && closed == 0,
			!r.AcceptedAt.IsZero() && accepted+refunded+closed+abnormal == 0,
			r.Problem != "" && count(r, orderstore.EventRefundFailed)+count(r, orderstore.EventRefundRefused) == 0,
			(r.Status == orderstore.RefundSuccess) != (refunded == 1) || refunded > 1,
			r.HandedOverAt.IsZero() != (taken == 0) || taken > 1:
			return fmt.Errorf("%+v is not told by %+v", r, events)
		}
	}
	if (o.GivenBack != "") != (count(orderstore.Refund{}, orderstore.EventGivenBack) == 1) {
		return fmt.Errorf("given back for %q is not told by %+v", o.GivenBack, events)
	}
	return nil
}
