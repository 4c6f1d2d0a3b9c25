package ledger_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
)

func TestCompareRefunds(t *testing.T) {
	t.Parallel()
	for _, test := range refundCases() {
		t.Run(test.name, test.run)
	}
}

func refundCases() []comparison {
	d := func(kind ledger.Kind, here, there string) ledger.Difference {
		return ledger.Difference{
			Kind: kind, OutTradeNo: "order1", OutRefundNo: "refund1", TransactionID: "4201", Here: here, There: there,
		}
	}
	repaired := func(d ledger.Difference) ledger.Difference { d.Repaired = true; return d }
	// with is an order paid the day before, so that only refunds matter.
	with := func(refunds ...func(*orderstore.Order)) opt {
		return append(opt{paidBy("4201"), paidAt(noon.AddDate(0, 0, -1))}, refunds...)
	}
	bill := func(amount int64, state string, changes ...func(*row)) rows {
		return rows{refund("order1", "4201", "refund1", amount, state, changes...)}
	}
	is := func(status orderstore.RefundStatus) func(orderstore.Order) bool {
		return func(o orderstore.Order) bool {
			r, _ := o.Refund("refund1")
			return len(o.Refunds) == 1 && r.Status == status && r.Amount == 30
		}
	}
	noRefund := func(o orderstore.Order) bool { return len(o.Refunds) == 0 }
	const (
		success    = orderstore.RefundSuccess
		processing = orderstore.RefundProcessing
		done       = "refund of 0.30元, SUCCESS"
	)
	evening := noon.Add(8 * time.Hour)
	cases := []comparison{
		{name: "both say done", store: with(refunding("refund1", 30, success)), rows: bill(30, "SUCCESS"), after: is(success)},
		{
			name: "an order we never saw", rows: bill(30, "SUCCESS"), again: 1,
			want: []ledger.Difference{d(ledger.RefundUnknownOrder, "no such order", done)},
		},
		{
			name: "of an order unpaid here", store: opt{}, rows: bill(30, "SUCCESS"), again: 1, after: noRefund,
			want: []ledger.Difference{d(ledger.RefundUnpaidHere, "unpaid, 1.00元", done)},
		},
		{
			name: "made on the merchant platform", store: with(), rows: bill(30, "SUCCESS", func(r *row) { r.RefundedAt = evening }),
			want:   []ledger.Difference{repaired(d(ledger.UnknownRefund, "no such refund", done))},
			events: []orderstore.EventKind{orderstore.EventRefunded},
			after: func(o orderstore.Order) bool {
				return is(success)(o) && o.Refunds[0].RefundedAt.Equal(evening) && o.Refunds[0].RefundID == "50refund1" && o.Refunded == 30
			},
		},
		{
			name: "its row before that of the payment, both unknown", store: opt{},
			rows: rows{refund("order1", "4201", "refund1", 30, "SUCCESS"), payment("order1", "4201")},
			want: []ledger.Difference{
				{Kind: ledger.UnpaidHere, OutTradeNo: "order1", TransactionID: "4201", Here: "unpaid, 1.00元", There: "paid 1.00元, transaction 4201", Repaired: true},
				repaired(d(ledger.UnknownRefund, "no such refund", done)),
			},
			events: []orderstore.EventKind{orderstore.EventPaid, orderstore.EventRefunded}, after: is(success),
		},
		{
			name: "unknown, and more than is left", store: with(refunding("refund2", 80, success)), rows: bill(30, "SUCCESS"), again: 1,
			want:   []ledger.Difference{d(ledger.UnknownRefund, "no such refund", done)},
			events: []orderstore.EventKind{orderstore.EventMismatch},
			after:  func(o orderstore.Order) bool { return len(o.Refunds) == 1 && o.Refunds[0].OutRefundNo == "refund2" },
		},
		{
			name: "another amount", store: with(refunding("refund1", 30, processing)), rows: bill(31, "SUCCESS"), again: 1,
			want:   []ledger.Difference{d(ledger.RefundAmount, "refund of 0.30元, PROCESSING", "refund of 0.31元, SUCCESS")},
			events: []orderstore.EventKind{orderstore.EventMismatch}, after: is(processing),
		},
		{
			name: "less went back because of coupons", store: with(refunding("refund1", 30, success)),
			rows: bill(30, "SUCCESS", func(r *row) { r.Refund = 20 }), after: is(success),
		},
		{
			name: "of a second payment", store: with(), rows: rows{refund("order1", "4202", "refund1", 30, "SUCCESS")}, again: 1,
			want: []ledger.Difference{{
				Kind: ledger.RefundIdentity, OutTradeNo: "order1", OutRefundNo: "refund1", TransactionID: "4202",
				Here: `mchid "1600000000", transaction 4201`, There: `mchid "1600000000", transaction 4202`,
			}},
			events: []orderstore.EventKind{orderstore.EventMismatch}, after: noRefund,
		},
		{
			name: "of a sub-merchant's order with our number", store: with(), again: 1,
			rows: bill(30, "SUCCESS", func(r *row) { r.SubMchID = "1700000000" }),
			want: []ledger.Difference{d(ledger.RefundIdentity,
				`mchid "1600000000", transaction 4201`, `mchid "1700000000", transaction 4201`)},
			events: []orderstore.EventKind{orderstore.EventMismatch}, after: noRefund,
		},
		{
			name: "refused here, done there, and the money promised to another", again: 1, rows: bill(30, "SUCCESS"),
			store:  with(refunding("refund1", 30, orderstore.RefundRefused), refunding("refund2", 100, success)),
			want:   []ledger.Difference{d(ledger.RefundState, "refund of 0.30元, REFUSED", done)},
			events: []orderstore.EventKind{orderstore.EventMismatch},
			after:  func(o orderstore.Order) bool { return o.Refunds[0].Status == orderstore.RefundRefused },
		},
		{
			name: "missing in the bill", store: opt{paidBy("4201"), refunding("refund1", 30, success)}, again: 1,
			rows: rows{payment("order1", "4201")}, after: is(success),
			want: []ledger.Difference{d(ledger.RefundMissingInBill, done, "not in the bill")},
		},
		{
			name: "accepted the day after", after: is(success), rows: rows{payment("order1", "4201")},
			store: opt{paidBy("4201"), refunding("refund1", 30, success, func(r *orderstore.Refund) { r.AcceptedAt = day.AddDate(0, 0, 1) })},
		},
		{
			name: "of an order paid the day before", after: is(success), store: with(refunding("refund1", 30, success)),
		},
		{
			name: "never accepted", after: is(orderstore.RefundRefused), rows: rows{payment("order1", "4201")},
			store: opt{paidBy("4201"), refunding("refund1", 30, orderstore.RefundRefused)},
		},
	}
	for _, word := range []string{"PROCESSING", "FAIL", "CHANGE", "SHINY_NEW"} {
		cases = append(cases, comparison{
			name: "unknown and " + word, store: with(), rows: bill(30, word),
			want:   []ledger.Difference{repaired(d(ledger.UnknownRefund, "no such refund", "refund of 0.30元, "+word))},
			again:  map[bool]int{true: 0, false: 1}[word == "PROCESSING"],
			events: []orderstore.EventKind{orderstore.EventRefundAccepted}, after: is(processing),
		})
	}
	return append(cases, stateCases(with, bill, is, d, repaired)...)
}

// stateCases are each state here against each word there.
func stateCases(
	with func(...func(*orderstore.Order)) opt, bill func(int64, string, ...func(*row)) rows, is func(orderstore.RefundStatus) func(orderstore.Order) bool,
	d func(ledger.Kind, string, string) ledger.Difference, repaired func(ledger.Difference) ledger.Difference,
) (cases []comparison) {
	const agreed, differs, mended = ' ', 'd', 'r'
	table := []struct {
		state orderstore.RefundStatus
		words string // SUCCESS, PROCESSING, FAIL, CHANGE
	}{
		{orderstore.RefundApplying, "rddd"},
		{orderstore.RefundProcessing, "r dd"},
		{orderstore.RefundSuccess, "    "},
		{orderstore.RefundClosed, "r   "},
		{orderstore.RefundAbnormal, "r   "},
		{orderstore.RefundRefused, "rddd"},
	}
	for _, line := range table {
		for i, word := range []string{"SUCCESS", "PROCESSING", "FAIL", "CHANGE"} {
			c := comparison{
				name: string(line.state) + " here, " + word + " there", store: with(refunding("refund1", 30, line.state)),
				rows: bill(30, word), after: is(line.state),
			}
			difference := d(ledger.RefundState, "refund of 0.30元, "+string(line.state), "refund of 0.30元, "+word)
			switch line.words[i] {
			case differs:
				c.want, c.again = []ledger.Difference{difference}, 1
			case mended:
				c.want, c.after = []ledger.Difference{repaired(difference)}, is(orderstore.RefundSuccess)
				c.events = []orderstore.EventKind{orderstore.EventRefunded}
			case agreed:
			}
			cases = append(cases, c)
		}
	}
	return cases
}
