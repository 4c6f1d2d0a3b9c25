package ledger_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi"
)

const (
	mchID = "1600000000"
	appID = "wx1000000000000001"
)

// The day of the bills here, in Beijing, and when they are compared.
var (
	beijing = time.FixedZone("CST", 8*60*60)
	day     = time.Date(2026, 3, 9, 0, 0, 0, 0, beijing)
	noon    = day.Add(12 * time.Hour)
	morning = day.Add(34 * time.Hour)
)

// shop is a store with the two ways to write to it, and the bill of the day.
type shop struct {
	orderstore.Store
	rows    []wxapi.BillRow
	rowsErr error // comes behind the rows
	billErr error
	now     time.Time
	settle  func() error // called before anything is settled
	get     func(outTradeNo string) error
	paid    func() error
	close   func() error

	asked   []time.Time // for a bill
	settled int
	open    int // bills
}

func newShop() *shop { return &shop{Store: memory.New(), now: morning} }

func (s *shop) ledger() *ledger.Ledger {
	return ledger.New(ledger.Config{
		Store: s, MchID: mchID, Bill: s.bill, Settle: s.pay, SettleRefund: s.giveBack,
		Now: func() time.Time { return s.now },
	})
}

func (s *shop) bill(_ context.Context, day time.Time) (ledger.Bill, error) {
	s.asked = append(s.asked, day)
	if s.billErr != nil {
		return nil, s.billErr
	}
	s.open++
	return bill{s}, nil
}

type bill struct{ *shop }

func (b bill) Rows() iter.Seq2[wxapi.BillRow, error] {
	return func(yield func(wxapi.BillRow, error) bool) {
		for _, row := range b.rows {
			if !yield(row, nil) {
				return
			}
		}
		if b.rowsErr != nil {
			yield(wxapi.BillRow{}, b.rowsErr)
		}
	}
}

func (b bill) Close() error {
	b.open--
	if b.shop.close != nil {
		return b.shop.close()
	}
	return nil
}

func (s *shop) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	if s.get != nil {
		if err := s.get(outTradeNo); err != nil {
			return orderstore.Order{}, err
		}
	}
	return s.Store.Get(ctx, outTradeNo)
}

func (s *shop) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	if s.paid != nil {
		if err := s.paid(); err != nil {
			return nil, err
		}
	}
	return s.Store.Paid(ctx, from, to, after, limit)
}

func (s *shop) pay(ctx context.Context, p orderstore.Payment) (orderstore.Order, error) {
	return s.update(ctx, p.OutTradeNo, func(o orderstore.Order) (orderstore.Order, error) {
		o, _, err := o.Apply(p, s.now)
		return o, err
	})
}

func (s *shop) giveBack(ctx context.Context, r orderstore.RefundResult) (orderstore.Order, error) {
	return s.update(ctx, r.OutTradeNo, func(o orderstore.Order) (orderstore.Order, error) {
		o, _, err := o.ApplyRefundResult(r, s.now)
		return o, err
	})
}

func (s *shop) update(ctx context.Context, outTradeNo string, change func(orderstore.Order) (orderstore.Order, error)) (orderstore.Order, error) {
	s.settled++
	if s.settle != nil {
		if err := s.settle(); err != nil {
			return orderstore.Order{}, err
		}
	}
	var answer error
	o, err := orderstore.Update(ctx, s.Store, outTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		next, err := change(o)
		answer = err
		return next, next.Changed(o)
	})
	if err != nil {
		return orderstore.Order{}, err
	}
	return o, answer
}

// has stores an order of 100 fen that nobody has paid, with the changes.
func (s *shop) has(t testing.TB, no string, changes ...func(*orderstore.Order)) {
	t.Helper()
	o := orderstore.Order{
		OutTradeNo: no, UserID: "u1", Total: 100, Currency: orderstore.CNY, Product: orderstore.Native,
		MchID: mchID, AppID: appID, CreatedAt: noon.Add(-time.Minute), UpdatedAt: noon.Add(-time.Minute),
	}
	for _, change := range changes {
		change(&o)
	}
	if err := s.Create(context.Background(), o); err != nil {
		t.Fatal(err)
	}
}

// order is the order without what happens at every write.
func (s *shop) order(t testing.TB, no string) orderstore.Order {
	t.Helper()
	o, err := s.Store.Get(context.Background(), no)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// kinds is what happened to the order, its events.
func (s *shop) history(t testing.TB, no string) (kinds []orderstore.EventKind) {
	t.Helper()
	events, err := s.Events(context.Background(), no)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Source != orderstore.FromBill {
			t.Errorf("%s: event %s is from %q", no, e.Kind, e.Source)
		}
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// paidBy makes the order one that was paid at noon, and handed over.
func paidBy(transactionID string) func(*orderstore.Order) {
	return func(o *orderstore.Order) {
		o.PayStatus, o.TradeState, o.TransactionID = orderstore.Paid, orderstore.TradeSuccess, transactionID
		o.PaidAt, o.HandedOverAt, o.PayerTotal = noon, noon, o.Total
	}
}

func paidAt(at time.Time) func(*orderstore.Order) {
	return func(o *orderstore.Order) { o.PaidAt = at }
}

// refunding gives the order a refund that WeChat accepted an hour after noon.
func refunding(no string, amount orderstore.Fen, status orderstore.RefundStatus, changes ...func(*orderstore.Refund)) func(*orderstore.Order) {
	return func(o *orderstore.Order) {
		at := noon.Add(time.Hour)
		r := orderstore.Refund{OutRefundNo: no, Amount: amount, Status: status, CreatedAt: at, AppliedAt: at, AcceptedAt: at}
		if status == orderstore.RefundApplying || status == orderstore.RefundRefused {
			r.AcceptedAt = time.Time{}
		}
		for _, change := range changes {
			change(&r)
		}
		o.Refunds = append(o.Refunds, r)
	}
}

// payment is the row of a payment of 100 fen at noon.
func payment(no, transactionID string, changes ...func(*wxapi.BillRow)) wxapi.BillRow {
	row := wxapi.BillRow{
		TradeTime: noon.UTC(), AppID: appID, MchID: mchID, TransactionID: transactionID, OutTradeNo: no,
		OpenID: "oSecret", TradeType: "NATIVE", TradeState: wxapi.StateSuccess, Currency: "CNY",
		OrderTotal: 100, SettlementTotal: 100,
	}
	for _, change := range changes {
		change(&row)
	}
	return row
}

// refund is the row of a refund at one o'clock.
func refund(no, transactionID, refundNo string, amount int64, state string, changes ...func(*wxapi.BillRow)) wxapi.BillRow {
	row := payment(no, transactionID)
	row.TradeTime = row.TradeTime.Add(time.Hour)
	row.TradeState, row.OrderTotal, row.SettlementTotal = wxapi.StateRefund, 0, 0
	row.RefundID, row.OutRefundNo, row.RefundApplied, row.Refund, row.RefundStatus = "50"+refundNo, refundNo, amount, amount, state
	for _, change := range changes {
		change(&row)
	}
	return row
}

// compare compares the day, and sees that every difference has a remedy of
// its own and no openid.
func (s *shop) compare(t testing.TB) ledger.Report {
	t.Helper()
	report, err := s.ledger().Compare(context.Background(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if s.open != 0 {
		t.Errorf("%d bills are open", s.open)
	}
	return report
}

// bare are the differences without their remedies.
func bare(t testing.TB, report ledger.Report) []ledger.Difference {
	t.Helper()
	differences := slices.Clone(report.Differences)
	for i := range differences {
		d := &differences[i]
		if d.Remedy == "" {
			t.Errorf("%s of %s has no remedy", d.Kind, d.OutTradeNo)
		}
		d.Remedy = ""
	}
	return differences
}

var errDown = errors.New("store is down")
