package orderstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// resultOf returns what WeChat says of the order's refund.
func resultOf(o orderstore.Order, r orderstore.Refund, status orderstore.RefundStatus) orderstore.RefundResult {
	p := orderstore.RefundResult{
		Source: orderstore.FromNotification, ID: "EV-2", Serial: "5157F09E",
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, TransactionID: o.TransactionID,
		OutRefundNo: r.OutRefundNo, RefundID: "5030000001", Status: status, Refund: r.Amount, Total: o.Total,
	}
	if status == orderstore.RefundSuccess {
		p.RefundedAt = noon.Add(90 * time.Second).In(time.FixedZone("Beijing", 8*60*60))
	}
	return p
}

// refundIn returns a paid order with refund_1 of 60 fen in that state, as read
// from a store; it was sent to WeChat a minute after noon, and again.
func refundIn(t testing.TB, status orderstore.RefundStatus) orderstore.Order {
	t.Helper()
	o := refunding(t, paidOrder(t), refundOf("refund_1", 60), noon.Add(time.Minute))
	o = withRefund(o, func(r *orderstore.Refund) {
		r.Status, r.Tries, r.Claims, r.Problem = status, 7, 9, "SYSTEM_ERROR"
		r.AppliedAt, r.OnItsWayUntil = noon.Add(time.Minute), noon.Add(time.Hour)
		if r.NextActionAt = noon.Add(90 * time.Second); status.Final() {
			r.NextActionAt = time.Time{}
		}
	})
	o.RefundStatus = status
	if status == orderstore.RefundSuccess {
		o.Refunded = 60
	}
	o.HandOverAt, o.HandedOverAt, o.NextActionAt = time.Time{}, noon.Add(time.Minute), o.Refunds[0].NextActionAt
	return o
}

// becomesRefund is the order after refund_1 was heard to be in that state.
func becomesRefund(o orderstore.Order, status orderstore.RefundStatus) orderstore.Order {
	kinds := map[orderstore.RefundStatus]orderstore.EventKind{
		orderstore.RefundProcessing: orderstore.EventRefundAccepted, orderstore.RefundSuccess: orderstore.EventRefunded,
		orderstore.RefundClosed: orderstore.EventRefundClosed, orderstore.RefundAbnormal: orderstore.EventRefundAbnormal,
	}
	next := map[orderstore.RefundStatus]time.Time{
		orderstore.RefundProcessing: later.Add(time.Minute), orderstore.RefundSuccess: later,
		orderstore.RefundAbnormal: later.Add(6 * time.Hour),
	}
	o = withRefund(o, func(r *orderstore.Refund) {
		r.Status, r.Tries, r.Problem, r.OnItsWayUntil = status, 0, "", time.Time{}
		r.RefundID, r.AcceptedAt, r.NextActionAt = "5030000001", later, next[status]
		if status == orderstore.RefundSuccess {
			r.RefundedAt = noon.Add(90 * time.Second)
		}
	})
	if status == orderstore.RefundSuccess {
		o.Refunded = 60
	}
	o.RefundStatus, o.NextActionAt, o.UpdatedAt = status, next[status], later
	o.Events = heard(kinds[status], "refund refund_1 of 0.60元")
	o.Events[0].ID = "EV-2"
	return o
}

// Every step from state to state, for each who can tell. Nil is no news.
func TestApplyRefundResult(t *testing.T) {
	t.Parallel()
	outcomes := map[orderstore.RefundStatus]orderstore.RefundOutcome{
		orderstore.RefundProcessing: orderstore.RefundAccepted, orderstore.RefundSuccess: orderstore.RefundSucceeded,
		orderstore.RefundClosed: orderstore.RefundBecameClosed, orderstore.RefundAbnormal: orderstore.RefundNeedsAction,
	}
	all := []orderstore.RefundStatus{
		orderstore.RefundApplying, orderstore.RefundProcessing, orderstore.RefundSuccess,
		orderstore.RefundClosed, orderstore.RefundAbnormal, orderstore.RefundRefused, "SHINY_NEW", "",
	}
	news := map[orderstore.RefundStatus]string{ // S success, C closed, A abnormal, P processing, p if it was asked
		orderstore.RefundApplying: "SCAP", orderstore.RefundProcessing: "SCA", orderstore.RefundRefused: "SCAP",
		orderstore.RefundAbnormal: "SCp", orderstore.RefundClosed: "S", orderstore.RefundSuccess: "",
	}
	letters := map[rune]orderstore.RefundStatus{
		'S': orderstore.RefundSuccess, 'C': orderstore.RefundClosed, 'A': orderstore.RefundAbnormal, 'P': orderstore.RefundProcessing,
	}
	for from, list := range news {
		for _, source := range []orderstore.Source{orderstore.FromNotification, orderstore.FromQuery, orderstore.FromRefund, orderstore.FromBill} {
			changes := make(map[orderstore.RefundStatus]bool)
			for _, c := range list {
				if c == 'p' {
					changes[orderstore.RefundProcessing] = source == orderstore.FromQuery
				} else {
					changes[letters[c]] = true
				}
			}
			for _, to := range all {
				o := refundIn(t, from)
				p := resultOf(o, o.Refunds[0], to)
				p.Source = source
				want, outcome := o, orderstore.RefundUnchanged
				if changes[to] {
					want, outcome = becomesRefund(o, to), outcomes[to]
					want.Events[0].Source = source
				}
				got, was, err := o.ApplyRefundResult(p, later)
				if was != outcome || err != nil {
					t.Errorf("%s, %s says %s: %q (%v), want %q", from, source, to, was, err, outcome)
				}
				wantOrder(t, got, want)
				if got.Changed(o) != changes[to] {
					t.Errorf("%s, %s says %s: Changed is %v", from, source, to, !changes[to])
				}
				wantOrder(t, o, refundIn(t, from))
			}
		}
	}
}

// What WeChat leaves out is not asked for, and is kept where it was known.
func TestBareRefundResult(t *testing.T) {
	t.Parallel()
	o := withRefund(refundIn(t, orderstore.RefundProcessing), func(r *orderstore.Refund) {
		r.RefundID, r.AcceptedAt = "5030000009", noon.Add(time.Minute)
	})
	p := resultOf(o, o.Refunds[0], orderstore.RefundSuccess)
	p.MchID, p.TransactionID, p.Total, p.RefundID, p.RefundedAt = "", "", 0, "", time.Time{}
	want := withRefund(becomesRefund(o, orderstore.RefundSuccess), func(r *orderstore.Refund) {
		r.RefundID, r.AcceptedAt, r.RefundedAt = "5030000009", noon.Add(time.Minute), later
	})
	got, outcome, err := o.ApplyRefundResult(p, later)
	if err != nil || outcome != orderstore.RefundSucceeded {
		t.Errorf("%q, %v", outcome, err)
	}
	wantOrder(t, got, want)
}

// A notification may come before anybody knew that the application was sent:
// whoever sent it died.
func TestHeardOfBeforeApplied(t *testing.T) {
	t.Parallel()
	o := refunding(t, paidOrder(t), refundOf("refund_1", 60), later)
	got, _, err := o.ApplyRefundResult(resultOf(o, o.Refunds[0], orderstore.RefundProcessing), later)
	if r := got.Refunds[0]; err != nil || r.AppliedAt != later || r.AcceptedAt != later {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestApplyRefundResultToUnpaid(t *testing.T) {
	t.Parallel()
	for _, o := range []orderstore.Order{newOrder(), closedOrder(t)} {
		got, outcome, err := o.ApplyRefundResult(resultOf(o, refundOf("refund_1", 60), orderstore.RefundSuccess), later)
		if outcome != orderstore.RefundNotPossible || !errors.Is(err, orderstore.ErrNotPaid) {
			t.Errorf("%q, %v", outcome, err)
		}
		wantOrder(t, got, o)
	}
}

// A refund made by hand becomes one of the order's, in whatever state.
func TestUnknownRefundIsAdopted(t *testing.T) {
	t.Parallel()
	for _, status := range []orderstore.RefundStatus{
		orderstore.RefundProcessing, orderstore.RefundSuccess, orderstore.RefundClosed, orderstore.RefundAbnormal,
	} {
		o := refundIn(t, orderstore.RefundClosed)
		o.Refunds, o.RefundStatus = nil, ""
		p := resultOf(o, orderstore.Refund{OutRefundNo: "refund_1", Amount: 60}, status)
		with := o
		with.Refunds = orderstore.Refunds{{
			OutRefundNo: "refund_1", Amount: 60, AskedBy: "WeChat Pay", CreatedAt: later, AppliedAt: later,
		}}
		got, outcome, err := o.ApplyRefundResult(p, later)
		if err != nil || outcome == orderstore.RefundUnchanged {
			t.Errorf("%s: %q, %v", status, outcome, err)
		}
		wantOrder(t, got, becomesRefund(with, status))
	}
	for _, status := range []orderstore.RefundStatus{"", "SHINY_NEW", orderstore.RefundApplying, orderstore.RefundRefused} {
		o := paidOrder(t)
		got, outcome, err := o.ApplyRefundResult(resultOf(o, refundOf("refund_1", 60), status), later)
		if err != nil || outcome != orderstore.RefundUnchanged {
			t.Errorf("%q: %q, %v", status, outcome, err)
		}
		wantOrder(t, got, o)
	}
}

// All that is left can have gone back by hand, and no fen more.
func TestTheRestIsAdopted(t *testing.T) {
	t.Parallel()
	o := refundIn(t, orderstore.RefundProcessing)
	got, outcome, err := o.ApplyRefundResult(resultOf(o, refundOf("by_hand", 40), orderstore.RefundSuccess), later)
	if err != nil || outcome != orderstore.RefundSucceeded || got.Refunded != 40 || got.Refundable() != 0 {
		t.Errorf("%q, %v: %+v", outcome, err, got.Refunds)
	}
}

// One that failed moved no money: its amount says nothing.
func TestClosedRefundIsAdoptedBesideAFullOne(t *testing.T) {
	t.Parallel()
	o := refundIn(t, orderstore.RefundSuccess)
	got, outcome, err := o.ApplyRefundResult(resultOf(o, refundOf("by_hand", 41), orderstore.RefundClosed), later)
	if err != nil || outcome != orderstore.RefundBecameClosed || len(got.Refunds) != 2 || got.Refunded != 60 || got.RefundStatus != orderstore.RefundSuccess {
		t.Errorf("%q, %v: %+v", outcome, err, got.Refunds)
	}
}

// Each row alters one fact of a good result.
func TestRefundMismatch(t *testing.T) {
	t.Parallel()
	type result = orderstore.RefundResult
	for name, c := range map[string]struct {
		alter            func(*result)
		field, want, got string
	}{
		"order":           {func(p *result) { p.OutTradeNo = "TZXZ_3CCA32F4BB_1" }, "out_trade_no", "tzxz_3cca32f4bb_1", "TZXZ_3CCA32F4BB_1"},
		"no order":        {func(p *result) { p.OutTradeNo = "" }, "out_trade_no", "tzxz_3cca32f4bb_1", ""},
		"merchant":        {func(p *result) { p.MchID = "1900000002" }, "mchid", "1900000001", "1900000002"},
		"transaction":     {func(p *result) { p.TransactionID = "4200000002" }, "transaction_id", "4200000001", "4200000002"},
		"total":           {func(p *result) { p.Total = 99 }, "amount.total", "100", "99"},
		"less":            {func(p *result) { p.Refund = 59 }, "amount.refund", "60", "59"},
		"more":            {func(p *result) { p.Refund = 61 }, "amount.refund", "60", "61"},
		"nothing":         {func(p *result) { p.Refund = 0 }, "amount.refund", "60", "0"},
		"no number":       {func(p *result) { p.OutRefundNo = "" }, "out_refund_no", "a number", ""},
		"unknown, all":    {func(p *result) { p.OutRefundNo, p.Refund = "by_hand", 41 }, "amount.refund", "1 to 40", "41"},
		"unknown, none":   {func(p *result) { p.OutRefundNo, p.Refund = "by_hand", 0 }, "amount.refund", "1 to 40", "0"},
		"unknown, minus":  {func(p *result) { p.OutRefundNo, p.Refund = "by_hand", -1 }, "amount.refund", "1 to 40", "-1"},
		"closed, nothing": {func(p *result) { p.OutRefundNo, p.Refund, p.Status = "by_hand", 0, orderstore.RefundClosed }, "amount.refund", "1 to 40", "0"},
	} {
		o := refundIn(t, orderstore.RefundProcessing)
		p := resultOf(o, o.Refunds[0], orderstore.RefundSuccess)
		c.alter(&p)
		got, outcome, err := o.ApplyRefundResult(p, later)
		var mismatch *orderstore.MismatchError
		if outcome != orderstore.RefundMismatched || !errors.Is(err, orderstore.ErrMismatch) || !errors.As(err, &mismatch) {
			t.Errorf("%s: %q (%v), want a mismatch", name, outcome, err)
			continue
		}
		if want := (orderstore.MismatchError{Field: c.field, Want: c.want, Got: c.got}); *mismatch != want {
			t.Errorf("%s: the mismatch is %+v, want %+v", name, *mismatch, want)
		}
		want := o
		want.Anomaly, want.UpdatedAt = "refund "+p.OutRefundNo+": "+err.Error(), later
		want.Events = heard(orderstore.EventMismatch, want.Anomaly)
		want.Events[0].ID = "EV-2"
		wantOrder(t, got, want)
		again, outcome, err := got.Saved().ApplyRefundResult(p, later.Add(time.Hour))
		if outcome != orderstore.RefundMismatched || !errors.Is(err, orderstore.ErrMismatch) {
			t.Errorf("%s: heard again, %q (%v)", name, outcome, err)
		}
		wantOrder(t, again, got.Saved())
	}
}

// Money that another refund has taken meanwhile cannot go back twice.
func TestRefusedRefundThatSucceedsAfterAll(t *testing.T) {
	t.Parallel()
	o := refused(t)
	p := resultOf(o, o.Refunds[0], orderstore.RefundSuccess)
	if got, outcome, err := o.ApplyRefundResult(p, later); err != nil || outcome != orderstore.RefundSucceeded || got.Refunded != 60 {
		t.Errorf("%q, %v: %+v", outcome, err, got)
	}
	o = refunding(t, o, refundOf("refund_2", 41), later)
	if got, outcome, err := o.ApplyRefundResult(p, later); outcome != orderstore.RefundMismatched || !errors.Is(err, orderstore.ErrMismatch) || got.Refunded != 0 {
		t.Errorf("%q, %v: %+v", outcome, err, got)
	}
}
