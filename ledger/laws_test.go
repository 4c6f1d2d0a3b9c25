package ledger_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
)

// truth is what really happened to one order: it was paid on the day of the
// bill or on the day before, and perhaps something went back on the day of the
// bill. The damages are in what the store or the bill make of it.
type truth struct {
	no, transaction, refundNo string
	today                     bool
	refund                    int64  // 0 for none
	word                      string // 退款状态
	order, back               string // the damages
}

func anyTruth(t *rapid.T, i int) truth {
	w := truth{
		no: fmt.Sprintf("order%03d", i), transaction: fmt.Sprint("42", i), refundNo: fmt.Sprint("refund", i),
		today: rapid.Bool().Draw(t, "today"),
		order: rapid.SampledFrom([]string{
			"none", "none", "none", "unknown", "unpaid", "closed", "price", "app", "transaction", "no row", "revoked",
		}).Draw(t, "order"),
	}
	if rapid.Bool().Draw(t, "refunded") {
		w.refund = rapid.Int64Range(1, 100).Draw(t, "refund")
		w.word = rapid.SampledFrom([]string{"SUCCESS", "SUCCESS", "PROCESSING", "FAIL", "CHANGE"}).Draw(t, "word")
		w.back = rapid.SampledFrom([]string{"none", "none", "unknown", "amount", "behind", "refused", "no row"}).Draw(t, "back")
	}
	return w
}

// known reports whether the store knew of the payment.
func (w truth) known() bool {
	return w.order != "unknown" && w.order != "unpaid" && w.order != "closed"
}

func (w truth) store(t testing.TB, s *shop) {
	if w.order == "unknown" {
		return
	}
	var changes []func(*orderstore.Order)
	if w.known() {
		changes = append(changes, paidBy(w.transaction))
	}
	if w.known() && !w.today {
		changes = append(changes, paidAt(noon.AddDate(0, 0, -1)))
	}
	if w.known() && w.refund != 0 && w.back != "unknown" {
		amount, status := orderstore.Fen(w.refund), orderstore.RefundProcessing
		if w.word == "SUCCESS" && w.back != "behind" {
			status = orderstore.RefundSuccess
		} else if w.word == "FAIL" || w.word == "CHANGE" {
			status = orderstore.RefundAbnormal
		}
		switch w.back {
		case "amount":
			amount++
		case "refused":
			status = orderstore.RefundRefused
		}
		changes = append(changes, refunding(w.refundNo, amount, status))
	}
	changes = append(changes, func(o *orderstore.Order) {
		switch w.order {
		case "closed":
			o.PayStatus, o.ClosedAt = orderstore.Closed, noon
		case "price":
			o.Total++
		case "app":
			o.AppID = "wx2"
		case "transaction":
			o.TransactionID += "0"
		}
	})
	s.has(t, w.no, changes...)
}

func (w truth) rows() (list rows) {
	if w.today && w.order != "no row" {
		list = append(list, payment(w.no, w.transaction, func(r *row) {
			if w.order == "revoked" {
				r.TradeState = "REVOKED"
			}
		}))
	}
	if w.refund != 0 && w.back != "no row" {
		list = append(list, refund(w.no, w.transaction, w.refundNo, w.refund, w.word))
	}
	return list
}

// finding is a difference without words.
type finding struct {
	kind         ledger.Kind
	no, refundNo string
	repaired     bool
}

// want is what is to be found.
func (w truth) want() (list []finding) {
	add := func(kind ledger.Kind, refundNo string, repaired bool) {
		list = append(list, finding{kind, w.no, refundNo, repaired})
	}
	if w.today {
		switch w.order {
		case "unknown":
			add(ledger.UnknownOrder, "", false)
		case "unpaid", "closed":
			add(ledger.UnpaidHere, "", true)
		case "price":
			add(ledger.Amount, "", false)
		case "app":
			add(ledger.Identity, "", false)
		case "transaction":
			add(ledger.PaidTwice, "", false)
			add(ledger.MissingInBill, "", false)
		case "no row":
			add(ledger.MissingInBill, "", false)
		case "revoked":
			add(ledger.UnknownRow, "", false)
		}
	}
	switch {
	case w.refund == 0:
	case w.back == "no row":
		if w.known() && w.today {
			add(ledger.RefundMissingInBill, w.refundNo, false)
		}
	case w.order == "unknown":
		add(ledger.RefundUnknownOrder, w.refundNo, false)
	case !w.known() && !w.today:
		add(ledger.RefundUnpaidHere, w.refundNo, false)
	case w.order == "transaction":
		add(ledger.RefundIdentity, w.refundNo, false)
	case !w.known(), w.back == "unknown":
		add(ledger.UnknownRefund, w.refundNo, true)
	case w.back == "amount":
		add(ledger.RefundAmount, w.refundNo, false)
	case w.back == "refused", w.back == "behind" && w.word == "SUCCESS":
		add(ledger.RefundState, w.refundNo, w.word == "SUCCESS")
	}
	return list
}

// left is what the next comparison finds. A refund that the bill says has
// failed was adopted as one under way, and nobody asked WeChat since.
func (w truth) left() (list []finding) {
	for _, f := range w.want() {
		switch {
		case !f.repaired:
			list = append(list, f)
		case f.kind == ledger.UnknownRefund && (w.word == "FAIL" || w.word == "CHANGE"):
			f.kind, f.repaired = ledger.RefundState, false
			list = append(list, f)
		}
	}
	return list
}

func sorted(list []finding) []finding {
	slices.SortFunc(list, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.no, b.no), cmp.Compare(a.kind, b.kind), cmp.Compare(a.refundNo, b.refundNo))
	})
	return list
}

func findings(report ledger.Report) (list []finding) {
	for _, d := range report.Differences {
		list = append(list, finding{d.Kind, d.OutTradeNo, d.OutRefundNo, d.Repaired})
	}
	return sorted(list)
}

// Whatever went wrong, and in whatever order the bill has it: exactly that is
// reported, what the bill proves is repaired, nothing else is touched, and the
// next comparisons report the rest and write nothing.
func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop()
		var truths []truth
		var want, left []finding
		for i := range rapid.IntRange(0, 12).Draw(rt, "orders") {
			w := anyTruth(rt, i)
			truths = append(truths, w)
			w.store(t, s)
			s.rows = append(s.rows, w.rows()...)
			want, left = append(want, w.want()...), append(left, w.left()...)
		}
		s.rows = rapid.Permutation(s.rows).Draw(rt, "rows")
		if got := findings(s.compare(t)); !slices.Equal(got, sorted(want)) {
			rt.Fatalf("found %+v\nwant  %+v", got, want)
		}
		versions := make(map[string]int64)
		for _, w := range truths {
			versions[w.no] = w.check(rt, s)
		}
		for range 2 {
			s.now = s.now.Add(time.Hour)
			if got := findings(s.compare(t)); !slices.Equal(got, sorted(left)) {
				rt.Fatalf("found again %+v\nwant        %+v", got, left)
			}
		}
		for _, w := range truths {
			if now := w.check(rt, s); now != versions[w.no] {
				rt.Fatalf("%s was written again", w.no)
			}
		}
	})
}

// check sees that the store has the truth, as far as it can be known, and
// returns the order's version.
func (w truth) check(t *rapid.T, s *shop) int64 {
	o, err := s.Store.Get(context.Background(), w.no)
	if w.order == "unknown" {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(w.want()) == 0 && o.Version != 1 {
		t.Fatalf("nothing was wrong with %+v", o)
	}
	if paid := w.known() || w.today; paid != (o.PayStatus == orderstore.Paid) {
		t.Fatalf("%+v: %+v", w, o)
	}
	if w.order != "transaction" && o.PayStatus == orderstore.Paid && o.TransactionID != w.transaction {
		t.Fatalf("%+v: %+v", w, o)
	}
	for _, f := range w.want() {
		r, _ := o.Refund(w.refundNo)
		if f.repaired && f.refundNo != "" && (int64(r.Amount) != w.refund || w.word == "SUCCESS" && r.Status != orderstore.RefundSuccess) {
			t.Fatalf("%+v: %+v", w, r)
		}
	}
	return o.Version
}
