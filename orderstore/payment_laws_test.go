package orderstore_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
)

// step is one thing that can happen to an order, whoever does it.
type step func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order

func steps() map[string]step {
	return map[string]step{
		"payment": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, _, _ := o.Apply(anyPayment(t, o, now), now)
			return next
		},
		"close": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, _ := o.Close(orderstore.FromClose, "closed", now)
			return next
		},
		"prepaid": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, _ := o.Prepaid(orderstore.Credential{PrepayID: fmt.Sprint("wx", now.Unix())}, now)
			return next
		},
		"prepay failed": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			return o.PrepayFailed("timeout", true, now)
		},
		"handed over": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			if next, err := o.BeginHandOver(now, time.Minute); err == nil {
				return next.HandedOver(now)
			}
			return o
		},
		"hand-over failed": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			if next, err := o.BeginHandOver(now, time.Minute); err == nil {
				return next.HandOverFailed(next.HandOverTries, "the application is down", now)
			}
			return o.HandOverFailed(o.HandOverTries, "too late", now)
		},
		"hand-over died": func(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Order {
			next, _ := o.BeginHandOver(now, time.Minute)
			return next
		},
		"saved and read": func(_ *rapid.T, o orderstore.Order, _ time.Time) orderstore.Order { return o.Saved() },
	}
}

// anyPayment draws a message about the order, true or not.
func anyPayment(t *rapid.T, o orderstore.Order, now time.Time) orderstore.Payment {
	pick := func(name string, good string, others ...string) string {
		return rapid.SampledFrom(append([]string{good, good, good, good}, others...)).Draw(t, name)
	}
	total := rapid.SampledFrom([]orderstore.Fen{o.Total, o.Total, o.Total, o.Total - 1, o.Total + 1, 0, -o.Total}).Draw(t, "total")
	return orderstore.Payment{
		Source:     rapid.SampledFrom([]orderstore.Source{orderstore.FromNotification, orderstore.FromQuery, orderstore.FromClose}).Draw(t, "source"),
		OutTradeNo: pick("out_trade_no", o.OutTradeNo, "another_order", ""),
		MchID:      pick("mchid", o.MchID, "1900000002", ""),
		AppID:      pick("appid", o.AppID, "wx0000000000000000", ""),
		TradeState: pick("trade_state", orderstore.TradeSuccess, "REFUND", "NOTPAY", "CLOSED", "REVOKED", "PAYERROR", "USERPAYING", "", "SHINY_NEW"),
		TransactionID: rapid.SampledFrom([]string{
			"4200000001", "4200000001", "4200000002", "4200000003", ""}).Draw(t, "transaction"),
		Total: total, PayerTotal: total, Currency: pick("currency", o.Currency, "USD", ""),
		PaidAt: rapid.SampledFrom([]time.Time{{}, now, now.Add(-time.Hour)}).Draw(t, "paid at"),
	}
}

// Whatever happens to an order, in any order and any number of times, the laws
// hold after each step.
func TestLaws(t *testing.T) {
	t.Parallel()
	all := steps()
	maps.Copy(all, refundSteps())
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		o, now := newOrder(), noon
		if rapid.Bool().Draw(t, "paid already") { // else most steps find nothing to refund
			o, _, _ = o.Apply(paymentOf(o), noon)
		} else if rapid.Bool().Draw(t, "to be asked about") {
			o.NextActionAt = noon.Add(time.Minute)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "step")
			now = now.Add(time.Duration(rapid.IntRange(1, 3600_000).Draw(t, "wait")) * time.Millisecond)
			before, history, refunds := o, slices.Clone(o.Events), slices.Clone(o.Refunds)
			o = all[name](t, o, now)
			if !reflect.DeepEqual(before.Events, history) || !reflect.DeepEqual(before.Refunds, refunds) {
				t.Fatalf("%s: the order before was changed", name)
			}
			if name != "saved and read" {
				checkStep(t, name, before, o)
				checkRefundsStep(t, name, before, o)
			}
			checkOrder(t, name, o)
			checkRefunds(t, name, o)
		}
	})
}

// checkStep compares an order with the one before it.
func checkStep(t *rapid.T, name string, before, after orderstore.Order) {
	if before.PayStatus == orderstore.Paid {
		if after.PayStatus != orderstore.Paid || after.TransactionID != before.TransactionID ||
			!after.PaidAt.Equal(before.PaidAt) || after.PayerTotal != before.PayerTotal {
			t.Fatalf("%s: paid is for ever, but %+v became %+v", name, before, after)
		}
	}
	if !before.HandedOverAt.IsZero() && (!after.HandedOverAt.Equal(before.HandedOverAt) || !after.HandOverAt.IsZero()) {
		t.Fatalf("%s: an order that was handed over is due again: %+v", name, after)
	}
	if n := len(before.Events); len(after.Events) < n || !slices.Equal(after.Events[:n], before.Events) {
		t.Fatalf("%s: the history was rewritten: %+v became %+v", name, before.Events, after.Events)
	}
	if changed := !reflect.DeepEqual(before, after); after.Changed(before) != changed {
		t.Fatalf("%s: Changed is %v, but %+v became %+v", name, !changed, before, after)
	}
	frozen := after
	frozen.Credential, frozen.PrepaidAt = before.Credential, before.PrepaidAt
	frozen.PlacingUntil, frozen.OnItsWayUntil = before.PlacingUntil, before.OnItsWayUntil
	frozen.PayStatus, frozen.TradeState, frozen.TransactionID = before.PayStatus, before.TradeState, before.TransactionID
	frozen.PayerTotal, frozen.PaidAt, frozen.ClosedAt, frozen.Anomaly = before.PayerTotal, before.PaidAt, before.ClosedAt, before.Anomaly
	frozen.HandOverAt, frozen.Refunds, frozen.RefundStatus, frozen.Refunded = before.HandOverAt, before.Refunds, before.RefundStatus, before.Refunded
	frozen.GivenBack, frozen.RefPaidBy = before.GivenBack, before.RefPaidBy
	frozen.NextActionAt, frozen.HandOverTries, frozen.HandedOverAt = before.NextActionAt, before.HandOverTries, before.HandedOverAt
	frozen.UpdatedAt, frozen.Events = before.UpdatedAt, before.Events
	if !reflect.DeepEqual(frozen, before) {
		t.Fatalf("%s: what was bought changed: %+v became %+v", name, before, after)
	}
}

// checkOrder looks at an order by itself.
func checkOrder(t *rapid.T, name string, o orderstore.Order) {
	if (o.PayStatus == orderstore.Paid) != (o.TransactionID != "") || (o.PayStatus == orderstore.Paid) != !o.PaidAt.IsZero() {
		t.Fatalf("%s: half paid: %+v", name, o)
	}
	if o.ToHandOver() && o.NextActionAt.IsZero() {
		t.Fatalf("%s: paid, not handed over and never due: a person paid and gets nothing: %+v", name, o)
	}
	if o.PayStatus == orderstore.Closed && (o.ClosedAt.IsZero() || !o.NextActionAt.IsZero()) {
		t.Fatalf("%s: half closed: %+v", name, o)
	}
	if o.PayStatus != orderstore.Paid && o.HandOverTries > 0 {
		t.Fatalf("%s: handed over without being paid: %+v", name, o)
	}
}

// Alter any fact of a good payment, at any order: it never pays.
func TestMismatchNeverPays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := newOrder()
		if rapid.Bool().Draw(t, "closed") {
			o, _ = o.Close(orderstore.FromClose, "", noon)
		}
		good, p := paymentOf(o), anyPayment(t, o, noon)
		next, outcome, err := o.Apply(p, noon.Add(time.Minute))
		own := p.OutTradeNo == good.OutTradeNo && p.MchID == good.MchID && p.AppID == good.AppID &&
			p.Total == good.Total && p.Currency == good.Currency && p.TransactionID != ""
		money := p.TradeState == orderstore.TradeSuccess || p.TradeState == orderstore.TradeRefund
		if pays := next.PayStatus == orderstore.Paid; pays != (own && money) {
			t.Fatalf("%+v: paid is %v", p, pays)
		}
		if money && !own && (outcome != orderstore.Mismatched || !errors.Is(err, orderstore.ErrMismatch)) {
			t.Fatalf("%+v: the outcome is %q, %v", p, outcome, err)
		}
	})
}
