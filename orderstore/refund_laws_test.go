package orderstore_test

import (
	"fmt"
	"reflect"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
)

// number draws the number of a refund, most often one there is.
func number(t *rapid.T, o orderstore.Order) string {
	numbers := []string{"refund_a", "refund_b", "REFUND_A", fmt.Sprint("refund_", len(o.Refunds)), ""}
	for _, r := range o.Refunds {
		numbers = append(numbers, r.OutRefundNo, r.OutRefundNo)
	}
	return rapid.SampledFrom(numbers).Draw(t, "refund number")
}

// amount draws the amount of a refund, that of the number if there is one.
func amount(t *rapid.T, o orderstore.Order, number string) orderstore.Fen {
	amounts := []orderstore.Fen{1, 1, 2, o.Total / 3, o.Refundable(), o.Refundable() + 1, o.Total, o.Total + 1, 0, -1, 1<<63 - 1}
	if r, ok := o.Refund(number); ok {
		amounts = append(amounts, r.Amount, r.Amount, r.Amount, r.Amount, r.Amount, r.Amount, r.Amount, r.Amount)
	}
	return rapid.SampledFrom(amounts).Draw(t, "refund amount")
}

// claimed claims the refund that is due, if any.
func claimed(o orderstore.Order, now time.Time) (orderstore.Order, orderstore.Refund, bool) {
	r, due := o.RefundDue(now)
	if !due {
		return o, r, false
	}
	next, claim, err := o.BeginRefundStep(r.OutRefundNo, now, lease)
	return next, claim, err == nil
}

// anyRefundResult draws what WeChat, or somebody else, says of a refund.
func anyRefundResult(t *rapid.T, o orderstore.Order, now time.Time) orderstore.RefundResult {
	pick := func(name string, good string, others ...string) string {
		return rapid.SampledFrom(append([]string{good, good, good, good, good, good}, others...)).Draw(t, name)
	}
	no := number(t, o)
	return orderstore.RefundResult{
		Source: rapid.SampledFrom([]orderstore.Source{
			orderstore.FromNotification, orderstore.FromQuery, orderstore.FromRefund, orderstore.FromBill}).Draw(t, "source"),
		OutTradeNo: pick("out_trade_no", o.OutTradeNo, "another_order"), MchID: pick("mchid", o.MchID, "", "1900000002"),
		TransactionID: pick("transaction", o.TransactionID, "", "4200000009"), OutRefundNo: no,
		RefundID: pick("refund_id", "5030000001", ""), Refund: amount(t, o, no),
		Status: orderstore.RefundStatus(rapid.SampledFrom([]string{
			"SUCCESS", "SUCCESS", "PROCESSING", "PROCESSING", "CLOSED", "ABNORMAL", "APPLYING", "REFUSED", "SHINY_NEW", ""}).Draw(t, "status")),
		Total:      rapid.SampledFrom([]orderstore.Fen{o.Total, o.Total, o.Total, 0, o.Total + 1}).Draw(t, "total"),
		RefundedAt: rapid.SampledFrom([]time.Time{{}, now}).Draw(t, "refunded at"),
	}
}

// refundSteps are what can happen to the refunds of an order.
func refundSteps() map[string]step {
	notTaken := func(v orderstore.RefundVerdict) step {
		return func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			o, claim, _ := claimed(o, now)
			claim.Claims -= rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(t, "claims ago")
			next, _ := o.RefundNotTaken(claim, rapid.SampledFrom([]string{"SYSTEM_ERROR", "NOT_ENOUGH"}).Draw(t, "problem"), v, now)
			return next
		}
	}
	return map[string]step{
		"refund": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			no := number(t, o)
			next, err := o.BeginRefund(refundOf(no, amount(t, o, no)), now)
			if err != nil && next.Changed(o) {
				t.Fatalf("BeginRefund: %v, and the order is changed", err)
			}
			return next
		},
		"refunds": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order { // to come to the 51st
			for i := range rapid.IntRange(1, 60).Draw(t, "refunds") {
				o, _ = o.BeginRefund(refundOf(fmt.Sprint("refund_", i, "_", len(o.Refunds)), 1), now)
			}
			return o
		},
		"refund claimed": func(_ *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, _, _ := claimed(o, now)
			return next
		},
		"refund unclear":      notTaken(orderstore.RefundUnclear),
		"refund put off":      notTaken(orderstore.RefundLater),
		"refund never taken":  notTaken(orderstore.RefundNever),
		"refund result":       anyResult,
		"refund result again": anyResult,
		"refund asked in vain": func(_ *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			o, claim, _ := claimed(o, now)
			return o.RefundAskedInVain(claim, now)
		},
		"refund handed over": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			return o.RefundHandedOver(number(t, o), now)
		},
		"refund hand-over failed": func(_ *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			o, claim, _ := claimed(o, now)
			return o.RefundHandOverFailed(claim, "the application is down", now)
		},
		"give back": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, err := o.GiveBack(refundOf(number(t, o), 0), orderstore.GivenBackLate, now)
			if err != nil && next.Changed(o) {
				t.Fatalf("GiveBack: %v, and the order is changed", err)
			}
			return next
		},
		"paid again": func(_ *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			return o.PaidAgain(orderstore.Payment{TransactionID: o.TransactionID, Total: o.Total}, "another_order", now)
		},
		"claim ref": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, winner := o.ClaimRef(rapid.SampledFrom([]string{o.OutTradeNo, "another_order"}).Draw(t, "attempt"), now)
			if winner != next.RefPaidBy {
				t.Fatalf("the winner is %q, in the order is %q", winner, next.RefPaidBy)
			}
			return next
		},
	}
}

func anyResult(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
	next, outcome, err := o.ApplyRefundResult(anyRefundResult(t, o, now), now)
	if outcome == orderstore.RefundUnchanged && next.Changed(o) {
		t.Fatalf("unchanged, but %+v became %+v", o, next)
	}
	if (err != nil) != (outcome == orderstore.RefundMismatched || outcome == orderstore.RefundNotPossible) {
		t.Fatalf("%q: %v", outcome, err)
	}
	return next
}

// checkRefundsStep compares the refunds of an order with those before.
func checkRefundsStep(t *rapid.T, name string, before, after orderstore.Order) {
	if len(after.Refunds) < len(before.Refunds) {
		t.Fatalf("%s: a refund is gone: %+v became %+v", name, before.Refunds, after.Refunds)
	}
	for i, was := range before.Refunds {
		is := after.Refunds[i]
		if is.OutRefundNo != was.OutRefundNo || is.Amount != was.Amount || is.Request != was.Request ||
			is.Reason != was.Reason || is.AskedBy != was.AskedBy || !is.CreatedAt.Equal(was.CreatedAt) {
			t.Fatalf("%s: another refund has the number: %+v became %+v", name, was, is)
		}
		if was.Status == orderstore.RefundSuccess && (is.Status != was.Status || !is.RefundedAt.Equal(was.RefundedAt)) {
			t.Fatalf("%s: a refund that was done is not: %+v became %+v", name, was, is)
		}
		if !was.HandedOverAt.IsZero() && is != was {
			t.Fatalf("%s: a refund that was handed over changed: %+v became %+v", name, was, is)
		}
		if is.Claims < was.Claims {
			t.Fatalf("%s: a claim comes again: %+v became %+v", name, was, is)
		}
		if sent := !is.AppliedAt.Equal(was.AppliedAt); sent && was.Status == orderstore.RefundApplying && is.Claims > was.Claims {
			for _, other := range before.Refunds {
				if other.OutRefundNo != is.OutRefundNo && other.AppliedAt.Add(spacing).After(is.AppliedAt) {
					t.Fatalf("%s: %s is sent within a minute of %s: %+v", name, is.OutRefundNo, other.OutRefundNo, after.Refunds)
				}
			}
		}
		if name == "refund never taken" && is.Status != was.Status && (is.Status != orderstore.RefundRefused || was.OnItsWayUntil.After(after.UpdatedAt)) {
			t.Fatalf("%s: WeChat may have it still: %+v became %+v", name, was, is)
		}
	}
	if before.GivenBack != "" && (after.GivenBack != before.GivenBack || after.HandOverTries != before.HandOverTries ||
		!after.HandedOverAt.Equal(before.HandedOverAt) || after.ToHandOver()) {
		t.Fatalf("%s: what was given back is handed over: %+v became %+v", name, before, after)
	}
	if before.RefPaidBy != "" && after.RefPaidBy != before.RefPaidBy {
		t.Fatalf("%s: %q had paid, now %q", name, before.RefPaidBy, after.RefPaidBy)
	}
}

// checkRefunds looks at the refunds of an order by themselves.
func checkRefunds(t *rapid.T, name string, o orderstore.Order) {
	var held, done orderstore.Fen
	begun, numbers := 0, make(map[string]bool)
	earliest := time.Time{}
	meet := func(at time.Time) {
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	for _, r := range o.Refunds {
		if r.Amount < 1 || numbers[r.OutRefundNo] || r.OutRefundNo == "" {
			t.Fatalf("%s: no refund, or one twice: %+v", name, o.Refunds)
		}
		numbers[r.OutRefundNo] = true
		if r.Status != orderstore.RefundClosed && r.Status != orderstore.RefundRefused {
			held += r.Amount
		}
		if r.Status == orderstore.RefundSuccess {
			done += r.Amount
		}
		if r.AskedBy != "WeChat Pay" {
			begun++
		}
		if toDo := !r.Status.Final() || r.ToHandOver(); toDo == r.NextActionAt.IsZero() {
			t.Fatalf("%s: nobody looks at it again, or for nothing: %+v", name, r)
		}
		if !r.NextActionAt.IsZero() {
			meet(r.NextActionAt)
		}
	}
	if len(o.Refunds) > 0 && o.PayStatus != orderstore.Paid || begun > orderstore.MaxRefunds || held > o.Total {
		t.Fatalf("%s: %d refunds that hold %d of %d fen (%v)", name, begun, held, o.Total, o.PayStatus)
	}
	if o.Refunded != done || (o.RefundStatus == "") != (len(o.Refunds) == 0) {
		t.Fatalf("%s: %d refunded, status %q: %+v", name, o.Refunded, o.RefundStatus, o.Refunds)
	}
	if o.ToHandOver() {
		meet(o.HandOverAt)
	}
	if o.PayStatus == orderstore.Paid && !o.NextActionAt.Equal(earliest) {
		t.Fatalf("%s: the next action is at %v, the earliest appointment %v: %+v", name, o.NextActionAt, earliest, o)
	}
	text, err := o.Refunds.Value()
	var read orderstore.Refunds
	if err := read.Scan(text); err != nil || !reflect.DeepEqual(read, o.Refunds.Stored()) {
		t.Fatalf("%s: %+v is stored as %s and read as %+v (%v)", name, o.Refunds, text, read, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
