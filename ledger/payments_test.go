package ledger_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
)

func TestComparePayments(t *testing.T) {
	t.Parallel()
	for _, test := range paymentCases() {
		t.Run(test.name, test.run)
	}
}

func paymentCases() []comparison {
	d := func(kind ledger.Kind, here, there string) ledger.Difference {
		return ledger.Difference{Kind: kind, OutTradeNo: "order1", TransactionID: "4201", Here: here, There: there}
	}
	repaired := func(d ledger.Difference) ledger.Difference { d.Repaired = true; return d }
	const paid = "paid 1.00元, transaction 4201"
	closed := func(o *orderstore.Order) {
		o.PayStatus, o.TradeState, o.ClosedAt = orderstore.Closed, orderstore.TradeClosed, noon
	}
	stillPaid := func(o orderstore.Order) bool { return o.PayStatus == orderstore.Paid && o.TransactionID == "4201" }
	stillUnpaid := func(o orderstore.Order) bool { return o.PayStatus == orderstore.Unpaid }
	mismatch := []orderstore.EventKind{orderstore.EventMismatch}
	none := func(changes ...func(*row)) rows { return rows{payment("order1", "4201", changes...)} }
	return []comparison{
		{name: "both say paid", store: opt{paidBy("4201")}, rows: none(), after: stillPaid},
		{
			name: "both say paid, here on the day before", store: opt{paidBy("4201"), paidAt(noon.AddDate(0, 0, -1))},
			rows: none(), after: stillPaid,
		},
		{name: "an order we never saw", rows: none(), want: []ledger.Difference{d(ledger.UnknownOrder, "no such order", paid)}, again: 1},
		{
			name: "unpaid here", store: opt{}, rows: none(func(r *row) { r.SettlementTotal, r.CouponTotal = 90, 20 }),
			want:   []ledger.Difference{repaired(d(ledger.UnpaidHere, "unpaid, 1.00元", paid))},
			events: []orderstore.EventKind{orderstore.EventPaid},
			after: func(o orderstore.Order) bool {
				return stillPaid(o) && o.PaidAt.Equal(noon) && o.PayerTotal == 70 && o.TradeState == "SUCCESS" && o.ToHandOver()
			},
		},
		{
			name: "closed here", store: opt{closed}, rows: none(),
			want:   []ledger.Difference{repaired(d(ledger.UnpaidHere, "closed, 1.00元", paid))},
			events: []orderstore.EventKind{orderstore.EventPaidLate}, after: stillPaid,
		},
		{
			name: "another amount, unpaid", store: opt{}, rows: none(func(r *row) { r.OrderTotal = 1 }),
			want:  []ledger.Difference{d(ledger.Amount, "unpaid, 1.00元", "paid 0.01元, transaction 4201")},
			again: 1, events: mismatch, after: stillUnpaid,
		},
		{
			name: "another amount, paid", store: opt{paidBy("4201")}, rows: none(func(r *row) { r.OrderTotal = 101 }),
			want:  []ledger.Difference{d(ledger.Amount, paid, "paid 1.01元, transaction 4201")},
			again: 1, events: mismatch, after: stillPaid,
		},
		{
			name: "only what is settled differs", store: opt{paidBy("4201")},
			rows: none(func(r *row) { r.SettlementTotal = 60 }), after: stillPaid,
		},
		{
			name: "another currency", store: opt{}, rows: none(func(r *row) { r.Currency = "USD" }),
			want:  []ledger.Difference{d(ledger.Amount, "unpaid, 1.00元", `paid 1.00元 in "USD", transaction 4201`)},
			again: 1, events: mismatch, after: stillUnpaid,
		},
		{
			name: "another app", store: opt{}, rows: none(func(r *row) { r.AppID = "wx2" }),
			want: []ledger.Difference{d(ledger.Identity,
				`mchid "1600000000", appid "wx1000000000000001"`, `mchid "1600000000", appid "wx2"`)},
			again: 1, events: mismatch, after: stillUnpaid,
		},
		{
			name: "a bill that does not say the app", store: opt{}, rows: none(func(r *row) { r.AppID = "" }),
			want: []ledger.Difference{d(ledger.Identity,
				`mchid "1600000000", appid "wx1000000000000001"`, `mchid "1600000000", appid ""`)},
			again: 1, events: mismatch, after: stillUnpaid,
		},
		{
			name: "a sub-merchant's order with our number", store: opt{}, rows: none(func(r *row) { r.SubMchID = "1700000000" }),
			want: []ledger.Difference{d(ledger.Identity,
				`mchid "1600000000", appid "wx1000000000000001"`, `mchid "1700000000", appid "wx1000000000000001"`)},
			again: 1, events: mismatch, after: stillUnpaid,
		},
		{
			name: "paid twice", store: opt{paidBy("4201")}, rows: rows{payment("order1", "4202"), payment("order1", "4201")},
			want: []ledger.Difference{{
				Kind: ledger.PaidTwice, OutTradeNo: "order1", TransactionID: "4202",
				Here: paid, There: "paid 1.00元, transaction 4202",
			}},
			again: 1, events: []orderstore.EventKind{orderstore.EventSecondPayment}, after: stillPaid,
		},
		{
			name: "paid twice, neither known", store: opt{}, rows: rows{payment("order1", "4201"), payment("order1", "4202")},
			want: []ledger.Difference{
				repaired(d(ledger.UnpaidHere, "unpaid, 1.00元", paid)),
				{Kind: ledger.PaidTwice, OutTradeNo: "order1", TransactionID: "4202", Here: paid, There: "paid 1.00元, transaction 4202"},
			},
			again: 1, events: []orderstore.EventKind{orderstore.EventPaid, orderstore.EventSecondPayment}, after: stillPaid,
		},
		{
			name: "paid by a transaction that the bill does not have", store: opt{paidBy("4201")}, rows: rows{payment("order1", "4202")},
			want: []ledger.Difference{
				{Kind: ledger.PaidTwice, OutTradeNo: "order1", TransactionID: "4202", Here: paid, There: "paid 1.00元, transaction 4202"},
				d(ledger.MissingInBill, paid, "not in the bill"),
			},
			again: 2, events: []orderstore.EventKind{orderstore.EventSecondPayment}, after: stillPaid,
		},
		{
			name: "a payment taken back", store: opt{paidBy("4201")}, rows: none(func(r *row) { r.TradeState = "REVOKED" }),
			want: []ledger.Difference{d(ledger.UnknownRow, paid, "REVOKED 1.00元, transaction 4201")}, again: 1, after: stillPaid,
		},
		{
			name: "missing in the bill", store: opt{paidBy("4201")},
			want: []ledger.Difference{d(ledger.MissingInBill, paid, "not in the bill")}, again: 1, after: stillPaid,
		},
		{
			name: "paid at the first moment of the day", store: opt{paidBy("4201"), paidAt(day)},
			want: []ledger.Difference{d(ledger.MissingInBill, paid, "not in the bill")}, again: 1, after: stillPaid,
		},
		{
			name: "paid at the last moment of the day", store: opt{paidBy("4201"), paidAt(day.AddDate(0, 0, 1).Add(-time.Microsecond))},
			want: []ledger.Difference{d(ledger.MissingInBill, paid, "not in the bill")}, again: 1, after: stillPaid,
		},
		{name: "paid the day before", store: opt{paidBy("4201"), paidAt(day.Add(-time.Microsecond))}, after: stillPaid},
		{name: "paid the day after", store: opt{paidBy("4201"), paidAt(day.AddDate(0, 0, 1))}, after: stillPaid},
		{
			name: "an order of another merchant", store: opt{paidBy("4201"), func(o *orderstore.Order) { o.MchID = "1700000000" }},
			after: stillPaid,
		},
		{name: "an order nobody paid", store: opt{}, after: stillUnpaid},
	}
}
