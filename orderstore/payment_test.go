package orderstore_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// later is when the payments of the tests are heard of.
var later = noon.Add(2 * time.Minute)

// applyCase is one fact heard about one order, and the exact order after it.
type applyCase struct {
	name    string
	order   orderstore.Order
	hear    func(*orderstore.Payment)
	outcome orderstore.Outcome
	becomes func(*orderstore.Order)
}

func state(s string) func(*orderstore.Payment) {
	return func(p *orderstore.Payment) { p.TradeState = s }
}

// bare is what WeChat says of an order without money: no amount, no number.
func bare(s string) func(*orderstore.Payment) {
	return func(p *orderstore.Payment) {
		*p = orderstore.Payment{
			Source: orderstore.FromQuery, OutTradeNo: p.OutTradeNo, MchID: p.MchID, AppID: p.AppID, TradeState: s,
		}
	}
}

// heard is the event that a payment of the tests leaves.
func heard(kind orderstore.EventKind, note string) []orderstore.Event {
	return []orderstore.Event{{
		At: later, Kind: kind, Source: orderstore.FromNotification, ID: "EV-1", Serial: "5157F09E", Note: note,
	}}
}

func becomesPaid(kind orderstore.EventKind) func(*orderstore.Order) {
	return func(o *orderstore.Order) {
		o.PayStatus, o.TradeState, o.TransactionID = orderstore.Paid, orderstore.TradeSuccess, "4200000001"
		o.PayerTotal, o.PaidAt, o.HandOverAt, o.NextActionAt, o.UpdatedAt = 90, noon.Add(time.Minute), later, later, later
		o.Events = heard(kind, "transaction 4200000001")
	}
}

func becomesClosed(s string) func(*orderstore.Order) {
	return func(o *orderstore.Order) {
		o.PayStatus, o.TradeState, o.ClosedAt, o.UpdatedAt = orderstore.Closed, s, later, later
		o.NextActionAt = time.Time{}
		o.Events = []orderstore.Event{{At: later, Kind: orderstore.EventClosed, Source: orderstore.FromQuery, Note: "trade_state " + s}}
	}
}

func notes(s string) func(*orderstore.Order) {
	return func(o *orderstore.Order) { o.TradeState, o.UpdatedAt = s, later }
}

func stays(*orderstore.Order) {}

func applyCases(t *testing.T) []applyCase {
	unpaid, paid, closed := newOrder(), paidOrder(t), closedOrder(t)
	asked := newOrder()
	asked.NextActionAt, asked.TradeState = later, orderstore.TradeNotPay
	refunded := paidOrder(t)
	refunded.TradeState = orderstore.TradeRefund
	second := "transaction 4200000002 of 1.00元 beside 4200000001"
	return []applyCase{
		{"paid", unpaid, state("SUCCESS"), orderstore.BecamePaid, becomesPaid(orderstore.EventPaid)},
		{"paid after questions", asked, state("SUCCESS"), orderstore.BecamePaid, becomesPaid(orderstore.EventPaid)},
		{"paid, time unknown", unpaid, func(p *orderstore.Payment) { p.PaidAt = time.Time{} }, orderstore.BecamePaid, func(o *orderstore.Order) {
			becomesPaid(orderstore.EventPaid)(o)
			o.PaidAt = later
		}},
		{"paid and refunded since", unpaid, state("REFUND"), orderstore.BecamePaid, func(o *orderstore.Order) {
			becomesPaid(orderstore.EventPaid)(o)
			o.TradeState = orderstore.TradeRefund
		}},
		{"paid after closing", closed, state("SUCCESS"), orderstore.BecamePaidLate, becomesPaid(orderstore.EventPaidLate)},
		{"paid, said again", paid, state("SUCCESS"), orderstore.Unchanged, stays},
		{"refunded after paying", paid, state("REFUND"), orderstore.Noted, notes("REFUND")},
		{"refunded, said again", refunded, state("REFUND"), orderstore.Unchanged, stays},
		{"paid, said after refunding", refunded, state("SUCCESS"), orderstore.Unchanged, stays},
		{"paid twice", paid, func(p *orderstore.Payment) { p.TransactionID = "4200000002" }, orderstore.SecondPayment, func(o *orderstore.Order) {
			o.Anomaly, o.UpdatedAt, o.Events = second, later, heard(orderstore.EventSecondPayment, second)
		}},
		{"not paid yet", unpaid, bare("NOTPAY"), orderstore.Noted, notes("NOTPAY")},
		{"not paid yet, said again", asked, bare("NOTPAY"), orderstore.Unchanged, stays},
		{"paying", asked, bare("USERPAYING"), orderstore.Noted, notes("USERPAYING")},
		{"a word of tomorrow", unpaid, bare("SHINY_NEW"), orderstore.Noted, notes("SHINY_NEW")},
		{"closed", unpaid, bare("CLOSED"), orderstore.BecameClosed, becomesClosed("CLOSED")},
		{"closed after questions", asked, bare("CLOSED"), orderstore.BecameClosed, becomesClosed("CLOSED")},
		{"revoked", unpaid, bare("REVOKED"), orderstore.BecameClosed, becomesClosed("REVOKED")},
		{"failed", unpaid, bare("PAYERROR"), orderstore.BecameClosed, becomesClosed("PAYERROR")},
		{"closed, said again", closed, bare("CLOSED"), orderstore.Unchanged, stays},
		{"not paid, said after closing", closed, bare("NOTPAY"), orderstore.Unchanged, stays},
		{"not paid, said after paying", paid, bare("NOTPAY"), orderstore.Unchanged, stays},
		{"closed, said after paying", paid, bare("CLOSED"), orderstore.Unchanged, stays},
		{"revoked, said after paying", paid, bare("REVOKED"), orderstore.Unchanged, stays},
		{"failed, said after paying", paid, bare("PAYERROR"), orderstore.Unchanged, stays},
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	for _, c := range applyCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := paymentOf(newOrder())
			c.hear(&p)
			want := c.order
			c.becomes(&want)
			got, outcome, err := c.order.Apply(p, later)
			if outcome != c.outcome || err != nil {
				t.Errorf("the outcome is %q (%v), want %q", outcome, err, c.outcome)
			}
			wantOrder(t, got, want)
			if changed := got.Changed(c.order); changed != (c.outcome != orderstore.Unchanged) {
				t.Errorf("Changed is %v after %q", changed, outcome)
			}
		})
	}
}
