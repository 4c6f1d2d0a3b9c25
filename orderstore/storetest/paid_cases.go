package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func paidCases() []Case {
	return []Case{
		{"Paid/WithinTheSpan", paidSpan},
		{"Paid/OnlyWhatIsPaid", paidOnly},
		{"Paid/FirstPaidFirst", paidOrder},
		{"Paid/AtMostLimit", paidLimit},
		{"Paid/PagesLoseAndRepeatNothing", paidPages},
		{"Paid/VisibleAtOnce", paidVisible},
		{"Paid/ReturnsWholeOrders", paidWhole},
	}
}

// paidAt returns a plain order that was paid then.
func paidAt(number string, at time.Time) orderstore.Order {
	o := plain(number)
	o.PayStatus, o.TradeState, o.TransactionID, o.PaidAt = orderstore.Paid, orderstore.TradeSuccess, "42"+number, at
	return o
}

// isPaid reports an error unless exactly these numbers were paid in the span,
// in this order.
func isPaid(ctx context.Context, s orderstore.Store, from, to time.Time, limit int, want ...string) error {
	got, err := s.Paid(ctx, from, to, "", limit)
	if err != nil {
		return must("Paid", err)
	}
	if !slices.Equal(numbers(got), want) {
		return fmt.Errorf("Paid(%v, %v, \"\", %d) is %v, want %v", from.Sub(epoch), to.Sub(epoch), limit, numbers(got), want)
	}
	return nil
}

// The beginning is in the span, the end is not.
func paidSpan(ctx context.Context, s orderstore.Store) error {
	end := epoch.Add(24 * time.Hour)
	err := create(ctx, s,
		paidAt("tzxz_before", epoch.Add(-time.Microsecond)), paidAt("tzxz_begin", epoch),
		paidAt("tzxz_last", end.Add(-time.Microsecond)), paidAt("tzxz_end", end), paidAt("tzxz_after", end.AddDate(1, 0, 0)))
	if err != nil {
		return err
	}
	beijing := time.FixedZone("Beijing", 8*60*60)
	for _, span := range []struct {
		from, to time.Time
		want     []string
	}{
		{epoch, end, []string{"tzxz_begin", "tzxz_last"}},
		{epoch.In(beijing), end.In(beijing), []string{"tzxz_begin", "tzxz_last"}},
		{epoch, epoch.Add(time.Microsecond), []string{"tzxz_begin"}},
		{time.Time{}, epoch, []string{"tzxz_before"}}, // from the beginning of time
		{epoch, epoch, nil},
		{end, epoch, nil},
		{time.Time{}, time.Time{}, nil},
		{epoch.Add(time.Microsecond), end.Add(-time.Microsecond), nil},
		{end.Add(time.Microsecond), end.AddDate(100, 0, 0), []string{"tzxz_after"}},
	} {
		if err := isPaid(ctx, s, span.from, span.to, 10, span.want...); err != nil {
			return err
		}
	}
	return nil
}

func paidOnly(ctx context.Context, s orderstore.Store) error {
	closed := plain("tzxz_closed")
	closed.PayStatus, closed.ClosedAt = orderstore.Closed, epoch
	refunded := paidAt("tzxz_refunded", epoch.Add(time.Microsecond))
	refunded.Refunds = orderstore.Refunds{{OutRefundNo: "refund_1", Amount: 100, Status: orderstore.RefundSuccess}}
	refunded.RefundStatus, refunded.Refunded, refunded.GivenBack = orderstore.RefundSuccess, 100, orderstore.GivenBackLate
	if err := create(ctx, s, plain("tzxz_unpaid"), closed, paidAt("tzxz_paid", epoch), refunded); err != nil {
		return err
	}
	return isPaid(ctx, s, time.Time{}, epoch.AddDate(100, 0, 0), 10, "tzxz_paid", "tzxz_refunded")
}

func paidOrder(ctx context.Context, s orderstore.Store) error {
	// By number, by time of creation and by order of writing they would come
	// out differently each.
	for i, after := range []time.Duration{3, 1, 4, 0, 2} {
		o := paidAt(fmt.Sprintf("tzxz_order_%d", 9-after), epoch.Add(after*time.Microsecond))
		o.CreatedAt = epoch.Add(-time.Duration(i) * time.Hour)
		if err := create(ctx, s, o); err != nil {
			return err
		}
	}
	return isPaid(ctx, s, epoch, epoch.Add(time.Hour), 10,
		"tzxz_order_9", "tzxz_order_8", "tzxz_order_7", "tzxz_order_6", "tzxz_order_5")
}

func paidLimit(ctx context.Context, s orderstore.Store) error {
	var all []string
	for i := range 5 {
		// By number or by writing, those outside the span would come first.
		outside := paidAt(fmt.Sprintf("tzxz_limit_a%d", i), epoch.Add(-time.Hour))
		o := paidAt(fmt.Sprintf("tzxz_limit_b%d", i), epoch.Add(time.Duration(i)*time.Microsecond))
		if err := create(ctx, s, outside, o); err != nil {
			return err
		}
		all = append(all, o.OutTradeNo)
	}
	for limit, want := range map[int][]string{0: {}, 1: all[:1], 3: all[:3], 5: all, 6: all, math.MaxInt32: all} {
		if err := isPaid(ctx, s, epoch, epoch.Add(time.Minute), limit, want...); err != nil {
			return err
		}
	}
	return nil
}

// Many orders are paid in one moment, and their numbers differ by case only,
// or in what databases sort each their own way. However long a page is, all
// pages together have each order once.
func paidPages(ctx context.Context, s orderstore.Store) error {
	want := make(map[string]bool)
	for i, number := range []string{
		"tzxz_a", "tzxz_A", "tzxz_B", "tzxz_b", "TZXZ_A", "tzxz-a", "tzxz|a", "tzxz*a", "tzxz__", "tzxz_0", "123456", "0123456",
	} {
		for j, at := range []time.Time{epoch, epoch.Add(time.Duration(i%2+1) * time.Microsecond)} {
			o := paidAt(fmt.Sprint(number, strings.Repeat("_", j)), at)
			if err := create(ctx, s, o); err != nil {
				return err
			}
			want[o.OutTradeNo] = true
		}
	}
	for _, limit := range []int{1, 2, 5, 12, len(want), len(want) + 1} {
		if err := turnPages(ctx, s, limit, want); err != nil {
			return fmt.Errorf("pages of %d: %w", limit, err)
		}
	}
	return nil
}

// turnPages reads all that was paid within a second, page by page.
func turnPages(ctx context.Context, s orderstore.Store, limit int, want map[string]bool) error {
	from, after, seen := epoch, "", make(map[string]bool)
	for {
		page, err := s.Paid(ctx, from, epoch.Add(time.Second), after, limit)
		if err != nil {
			return must("Paid", err)
		}
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			if seen[o.OutTradeNo] || !want[o.OutTradeNo] {
				return fmt.Errorf("%s is on two pages, or was never paid", o.OutTradeNo)
			}
			if o.PaidAt.Before(from) {
				return fmt.Errorf("%s was paid before the one in front of it", o.OutTradeNo)
			}
			seen[o.OutTradeNo], from, after = true, o.PaidAt, o.OutTradeNo
		}
	}
	if len(seen) != len(want) {
		return fmt.Errorf("%d of %d paid orders are on some page: %v", len(seen), len(want), seen)
	}
	return nil
}

// What Save returned nil for is in the next answer: a comparison with a bill
// that misses it would raise an alarm.
func paidVisible(ctx context.Context, s orderstore.Store) error {
	var all []string
	for i := range 5 {
		number := fmt.Sprintf("tzxz_visible_%d", i)
		if err := create(ctx, s, plain(number)); err != nil {
			return err
		}
		if err := isPaid(ctx, s, epoch, epoch.Add(time.Hour), 10, all...); err != nil {
			return err
		}
		o := paidAt(number, epoch.Add(time.Duration(i)*time.Second))
		o.Version = 1
		if err := must("Save", s.Save(ctx, o)); err != nil {
			return err
		}
		all = append(all, number)
		if err := isPaid(ctx, s, epoch, epoch.Add(time.Hour), 10, all...); err != nil {
			return err
		}
	}
	return nil
}

func paidWhole(ctx context.Context, s orderstore.Store) error {
	o, err := filled("tzxz_paid_whole", 2)
	if err != nil {
		return err
	}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	paid, err := s.Paid(ctx, o.PaidAt, o.PaidAt.Add(time.Microsecond), "", 1)
	if err != nil {
		return must("Paid", err)
	}
	if err := must("Paid", sameList(paid, []orderstore.Order{o.Saved()})); err != nil {
		return err
	}
	return must("Save of an order as Paid returned it", s.Save(ctx, paid[0]))
}
