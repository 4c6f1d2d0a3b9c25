package orderstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Each row alters one fact of a good payment.
func TestMismatchIsNoPayment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter            func(*orderstore.Payment)
		field, want, got string
	}{
		"number":         {func(p *orderstore.Payment) { p.OutTradeNo = "TZXZ_3CCA32F4BB_1" }, "out_trade_no", "tzxz_3cca32f4bb_1", "TZXZ_3CCA32F4BB_1"},
		"merchant":       {func(p *orderstore.Payment) { p.MchID = "1900000002" }, "mchid", "1900000001", "1900000002"},
		"no merchant":    {func(p *orderstore.Payment) { p.MchID = "" }, "mchid", "1900000001", ""},
		"app":            {func(p *orderstore.Payment) { p.AppID = "wx0000000000000000" }, "appid", "wxd678efh567hg6787", "wx0000000000000000"},
		"no app":         {func(p *orderstore.Payment) { p.AppID = "" }, "appid", "wxd678efh567hg6787", ""},
		"less":           {func(p *orderstore.Payment) { p.Total = 99 }, "amount.total", "100", "99"},
		"more":           {func(p *orderstore.Payment) { p.Total = 101 }, "amount.total", "100", "101"},
		"nothing":        {func(p *orderstore.Payment) { p.Total = 0 }, "amount.total", "100", "0"},
		"payer's amount": {func(p *orderstore.Payment) { p.Total, p.PayerTotal = 90, 100 }, "amount.total", "100", "90"},
		"currency":       {func(p *orderstore.Payment) { p.Currency = "USD" }, "amount.currency", "CNY", "USD"},
		"no currency":    {func(p *orderstore.Payment) { p.Currency = "" }, "amount.currency", "CNY", ""},
		"no transaction": {func(p *orderstore.Payment) { p.TransactionID = "" }, "transaction_id", "a number", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tradeState := range []string{orderstore.TradeSuccess, orderstore.TradeRefund} {
				for _, o := range []orderstore.Order{newOrder(), paidOrder(t), closedOrder(t)} {
					p := paymentOf(newOrder())
					p.TradeState = tradeState
					c.alter(&p)
					checkMismatch(t, o, p, orderstore.MismatchError{Field: c.field, Want: c.want, Got: c.got})
				}
			}
		})
	}
}

func checkMismatch(t *testing.T, o orderstore.Order, p orderstore.Payment, want orderstore.MismatchError) {
	t.Helper()
	got, outcome, err := o.Apply(p, later)
	var mismatch *orderstore.MismatchError
	if outcome != orderstore.Mismatched || !errors.Is(err, orderstore.ErrMismatch) || !errors.As(err, &mismatch) {
		t.Fatalf("the outcome is %q (%v), want a mismatch", outcome, err)
	}
	if *mismatch != want {
		t.Errorf("the mismatch is %+v, want %+v", *mismatch, want)
	}
	anomalous := o
	note := "transaction " + p.TransactionID + ": " + err.Error()
	anomalous.Anomaly, anomalous.UpdatedAt = note, later
	anomalous.Events = heard(orderstore.EventMismatch, note)
	wantOrder(t, got, anomalous)

	again, outcome, err := got.Saved().Apply(p, later.Add(time.Hour))
	if outcome != orderstore.Mismatched || !errors.Is(err, orderstore.ErrMismatch) {
		t.Errorf("heard again, the outcome is %q (%v), want a mismatch", outcome, err)
	}
	wantOrder(t, again, got.Saved())
}

// Whoever WeChat speaks of, it is not this order's owner: nothing is closed
// or noted either.
func TestMismatchWithoutMoney(t *testing.T) {
	t.Parallel()
	for _, tradeState := range []string{orderstore.TradeNotPay, orderstore.TradeClosed, "USERPAYING"} {
		p := paymentOf(newOrder())
		bare(tradeState)(&p)
		p.MchID = "1900000002"
		got, outcome, err := newOrder().Apply(p, later)
		if outcome != orderstore.Mismatched || !errors.Is(err, orderstore.ErrMismatch) {
			t.Errorf("%s: the outcome is %q (%v), want a mismatch", tradeState, outcome, err)
		}
		if got.PayStatus != orderstore.Unpaid || got.TradeState != "" || len(got.Events) != 1 {
			t.Errorf("%s: the order is %+v", tradeState, got)
		}
	}
}

// A second payment is in the history once, however often it is told, and every
// other one as well. None replaces the first.
func TestSecondPaymentsAreRecordedOnceEach(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	for i, transaction := range []string{"4200000002", "4200000002", "4200000003", "4200000002", "4200000001"} {
		p := paymentOf(o)
		p.TransactionID = transaction
		next, outcome, err := o.Apply(p, later.Add(time.Duration(i)*time.Second))
		if err != nil || (outcome == orderstore.SecondPayment) != (transaction != "4200000001") {
			t.Errorf("%s: the outcome is %q (%v)", transaction, outcome, err)
		}
		if want := []int{1, 1, 2, 2, 2}[i]; len(next.Events) != want {
			t.Errorf("after %d arrivals the history has %d events, want %d", i+1, len(next.Events), want)
		}
		o = next
	}
	want := paidOrder(t)
	want.Anomaly = "transaction 4200000002 of 1.00元 beside 4200000001\ntransaction 4200000003 of 1.00元 beside 4200000001"
	want.Events, want.UpdatedAt = o.Events, o.UpdatedAt
	wantOrder(t, o, want)
}

// Two customers who paid the same wrong amount are two anomalies: each one's
// money must leave a trace.
func TestSameMismatchOfTwoTransactions(t *testing.T) {
	t.Parallel()
	p := paymentOf(newOrder())
	p.Total = 1
	o, _, _ := newOrder().Apply(p, later)
	p.TransactionID = "4200000002"
	o, _, _ = o.Apply(p, later)
	if len(o.Events) != 2 {
		t.Errorf("the history has %d events, want 2", len(o.Events))
	}
}
