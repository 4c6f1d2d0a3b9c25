package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Days without a bill are refused before anybody is asked, and the day is
// Beijing's whatever zone a moment comes in.
func TestCompareDays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		now  time.Time
		day  time.Time
		want error
		asks time.Time
	}{
		{"yesterday", morning, noon, nil, day},
		{"yesterday, at its first moment", morning, day, nil, day},
		{"yesterday, at its last moment", morning, day.AddDate(0, 0, 1).Add(-1), nil, day},
		{"yesterday, said in UTC", morning, noon.UTC(), nil, day},
		{"the first moment in UTC is the day before there", morning, day.UTC(), nil, day},
		{"yesterday, a second after midnight", day.AddDate(0, 0, 1).Add(time.Second), noon, nil, day},
		{"today", noon, noon, ledger.ErrTooEarly, time.Time{}},
		{"today, at its last moment", day.AddDate(0, 0, 1).Add(-1), day, ledger.ErrTooEarly, time.Time{}},
		{"tomorrow", noon, noon.AddDate(0, 0, 1), ledger.ErrTooEarly, time.Time{}},
		{"three months ago", noon.AddDate(0, 3, 0), noon, nil, day},
		{"93 days ago", noon.AddDate(0, 0, 93), noon, nil, day},
		{"94 days ago", noon.AddDate(0, 0, 94), noon, ledger.ErrTooOld, time.Time{}},
		{"no day", noon, time.Time{}, ledger.ErrTooOld, time.Time{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.now = test.now
			report, err := s.ledger().Compare(t.Context(), test.day)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			switch {
			case test.want != nil && len(s.asked) != 0:
				t.Errorf("asked for %v", s.asked)
			case test.want == nil && (len(s.asked) != 1 || !s.asked[0].Equal(test.asks) || !report.Day.Equal(test.asks)):
				t.Errorf("asked for %v, report of %v, want %v", s.asked, report.Day, test.asks)
			}
		})
	}
}

// Without a good bill nothing is compared.
func TestCompareBillErrors(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{wxapi.ErrBillNotReady, wxapi.ErrBillDamaged, wxapi.ErrUnknown, context.DeadlineExceeded} {
		t.Run(cause.Error(), func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.has(t, "order1")
			s.has(t, "order2", paidBy("4202"))
			s.rows, s.billErr = rows{payment("order1", "4201")}, fmt.Errorf("bill: %w", cause)
			report, err := s.ledger().Compare(t.Context(), noon)
			if err != s.billErr || len(report.Differences) != 0 || !report.Day.Equal(day) {
				t.Errorf("%+v, %v", report, err)
			}
			if o := s.order(t, "order1"); o.Version != 1 {
				t.Errorf("order is %+v", o)
			}
		})
	}
}

// A day without payments has no bill: what the store has of it is missing.
func TestCompareNoBill(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.billErr = fmt.Errorf("bill: %w", wxapi.ErrNoBill)
	if report := s.compare(t); !report.NoBill || len(report.Differences) != 0 {
		t.Errorf("nothing paid: %+v", report)
	}
	s.has(t, "order1", paidBy("4201"))
	if report := s.compare(t); !report.NoBill || report.Counts[ledger.MissingInBill].Found != 1 || len(report.Counts) != 1 {
		t.Errorf("an order paid: %+v", report)
	}
}

// A store that fails ends the comparison with what was found so far; the next
// one finds the rest.
func TestCompareStoreErrors(t *testing.T) {
	t.Parallel()
	errRow := errors.New("disk cannot be read")
	count := func(differences []ledger.Difference, err error) string {
		text := ""
		for _, d := range differences {
			text += fmt.Sprintf("%s %v, ", d.Kind, d.Repaired)
		}
		return text + fmt.Sprint(err)
	}
	const prefix = "compare with the bill of 2026-03-09: "
	tests := []struct {
		name   string
		breaks func(*shop)
		cause  error
		want   string
	}{
		{
			"an order cannot be read", func(s *shop) {
				s.get = func(no string) error { return map[bool]error{true: errDown}[no == "order2"] }
			}, errDown,
			"unpaid_here true, " + prefix + "order order2: store is down",
		},
		{
			"an order cannot be written", func(s *shop) { s.settle = failFrom(2, errDown) }, errDown,
			"unpaid_here true, unpaid_here false, " + prefix + "order order2: store is down",
		},
		{
			"an order is gone", func(s *shop) { s.settle = failFrom(2, orderstore.ErrNotFound) }, orderstore.ErrNotFound,
			"unpaid_here true, unpaid_here false, " + prefix + "order order2: orderstore: no such order",
		},
		{
			"a refund cannot be written", func(s *shop) { s.settle = failFrom(3, errDown) }, errDown,
			"unpaid_here true, unpaid_here true, unknown_refund false, " + prefix + "order order1: store is down",
		},
		{
			"the order of a refund cannot be read", func(s *shop) {
				fails := failFrom(3, errDown)
				s.get = func(string) error { return fails() }
			}, errDown,
			"unpaid_here true, unpaid_here true, " + prefix + "order order1: store is down",
		},
		{
			"the orders of the day cannot be read", func(s *shop) { s.paid = failFrom(1, errDown) }, errDown,
			"unpaid_here true, unpaid_here true, unknown_refund true, " + prefix + "store is down",
		},
		{
			"the second page cannot be read", func(s *shop) { s.paid = failFrom(2, errDown) }, errDown,
			"unpaid_here true, unpaid_here true, unknown_refund true, missing_in_bill false, " + prefix + "store is down",
		},
		{
			"the bill cannot be read on", func(s *shop) { s.rows, s.rowsErr = s.rows[:1], errRow }, errRow,
			"unpaid_here true, " + prefix + "disk cannot be read",
		},
		{
			"the bill cannot be removed", func(s *shop) { s.close = failFrom(1, errRow) }, errRow,
			"unpaid_here true, unpaid_here true, unknown_refund true, missing_in_bill false, disk cannot be read",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.has(t, "order1")
			s.has(t, "order2")
			s.has(t, "order3", paidBy("4203"))
			s.rows = rows{payment("order1", "4201"), payment("order2", "4202"), refund("order1", "4201", "refund1", 30, "SUCCESS")}
			whole := s.rows
			test.breaks(s)
			report, err := s.ledger().Compare(t.Context(), noon)
			if got := count(report.Differences, err); got != test.want || !errors.Is(err, test.cause) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			bare(t, report)
			if s.open != 0 {
				t.Error("the bill is open")
			}
			s.get, s.settle, s.paid, s.close, s.rows, s.rowsErr = nil, nil, nil, nil, whole, nil
			s.compare(t)
			if left := s.compare(t); len(left.Differences) != 1 || left.Differences[0].Kind != ledger.MissingInBill {
				t.Errorf("left over: %+v", left.Differences)
			}
		})
	}
}

// failFrom fails from the n-th call on.
func failFrom(n int, err error) func() error {
	calls := 0
	return func() error {
		if calls++; calls >= n {
			return err
		}
		return nil
	}
}

// A comparison that is cut short says so.
func TestCompareCancelled(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.has(t, "order1")
	s.rows = rows{payment("order1", "4201")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := s.ledger().Compare(ctx, noon); !errors.Is(err, context.Canceled) || len(report.Differences) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// What happens to an order between the look at it and the claim is the claim's
// business.
func TestCompareRace(t *testing.T) {
	t.Parallel()
	notify := func(s *shop, transactionID string) func() error {
		return func() error {
			s.settle = nil
			p := orderstore.Payment{
				Source: orderstore.FromBill, OutTradeNo: "order1", MchID: mchID, AppID: appID, TradeState: orderstore.TradeSuccess,
				TransactionID: transactionID, PaidAt: noon, Total: 100, Currency: orderstore.CNY,
			}
			_, err := s.pay(context.Background(), p)
			return err
		}
	}
	for transactionID, want := range map[string]bool{"4201": true, "4202": false} {
		s := newShop()
		s.has(t, "order1")
		s.rows = rows{payment("order1", "4201")}
		s.settle = notify(s, transactionID)
		report := s.compare(t)
		if d := report.Differences[0]; d.Kind != ledger.UnpaidHere || d.Repaired != want {
			t.Errorf("paid by %s: %+v", transactionID, d)
		}
		if o := s.order(t, "order1"); o.TransactionID != transactionID {
			t.Errorf("order is %+v", o)
		}
	}
}
