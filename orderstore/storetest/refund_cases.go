package storetest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func refundCases() []Case {
	return []Case{
		{"Refunds/ComeAndGo", refundsComeAndGo},
		{"Refunds/Text", refundsText},
		{"Refunds/Money", refundsMoney},
		{"Refunds/Microseconds", refundsTimes},
		{"Refunds/Fifty", refundsFifty},
		{"Refunds/AreTheStoresOwn", refundsOwn},
	}
}

// refund returns a refund as the kit begins one.
func refund(number string, amount orderstore.Fen) orderstore.Refund {
	return orderstore.Refund{
		OutRefundNo: number, Amount: amount, Reason: "不想要了", AskedBy: "admin", Status: orderstore.RefundApplying,
		Request: fmt.Sprintf(`{"out_refund_no":%q}`, number), CreatedAt: epoch, NextActionAt: epoch,
	}
}

// refundsComeAndGo saves none, one, several and none again.
func refundsComeAndGo(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_refunds")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	first, second := refund("refund_1", 60), refund("refund_2", 40)
	done := first
	done.Status, done.RefundedAt, done.NextActionAt, done.HandedOverAt = orderstore.RefundSuccess, epoch, time.Time{}, epoch
	for _, refunds := range []orderstore.Refunds{nil, {first}, {first, second}, {second, first}, {done, second}, {done}, {}, {second}} {
		o = o.Saved()
		o.Refunds = refunds
		if err := must("Save", s.Save(ctx, o)); err != nil {
			return err
		}
		if err := holds(ctx, s, o.Saved()); err != nil {
			return fmt.Errorf("%d refunds: %w", len(refunds), err)
		}
	}
	return nil
}

// What stores text as JSON once more, or in another alphabet, loses some.
func refundsText(ctx context.Context, s orderstore.Store) error {
	var orders []orderstore.Order
	for i, text := range []string{
		"", "O'Brien \"quoted\" `back`", `\ \\ \n \u0041 %s %`, "🎫👩‍👩‍👧‍👦 𠮷野家", "line\r\nline\ttab\u2028end", "</script><!-- & -->",
		"' OR 1=1; --", "null", "[]", `[{"out_refund_no":"x"}]`, " around ",
	} {
		r := refund("|*_-@", 1)
		r.Reason, r.AskedBy, r.Problem, r.Request = text, text, text, `{"reason":"`+text+`"}`
		o := plain(fmt.Sprintf("tzxz_refund_%d", i))
		o.Refunds = orderstore.Refunds{r, refund("REFUND_1", 1), refund("refund_1", 1), r}
		orders = append(orders, o)
	}
	return trip(ctx, s, orders...)
}

func refundsMoney(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_refund")
	for i, amount := range []orderstore.Fen{1, 1<<31 - 1, 1 << 31, 1<<53 + 1, math.MaxInt64} {
		o.Refunds = append(o.Refunds, refund(fmt.Sprint("refund_", i), amount))
	}
	return trip(ctx, s, o)
}

func refundsTimes(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_refund")
	for i, at := range []time.Time{
		{}, time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 1_000, time.UTC),
		time.Date(2026, 1, 1, 0, 0, 0, 1_999, time.FixedZone("Beijing", 8*60*60)), time.Date(2026, 1, 1, 0, 0, 0, 1_500, time.Local),
	} {
		r := refund(fmt.Sprint("refund_", i), 1)
		setTimes(&r, at)
		o.Refunds = append(o.Refunds, r)
	}
	return trip(ctx, s, o)
}

// As many as WeChat allows, each with a reason of 80 signs and a request that
// names its goods: more than 64 KiB.
func refundsFifty(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_fifty")
	for i := range orderstore.MaxRefunds {
		r := refund(fmt.Sprintf("%064d", i), orderstore.Fen(i+1))
		r.Reason = strings.Repeat("🎫", 80)
		r.Request = fmt.Sprintf(`{"out_refund_no":%q,"reason":%q,"goods_detail":%q}`, r.OutRefundNo, r.Reason, strings.Repeat("详", 500))
		o.Refunds = append(o.Refunds, r)
	}
	return trip(ctx, s, o)
}

// A store shares no list with its callers: who changes what it was given, or
// what it gave, has not saved it.
func refundsOwn(ctx context.Context, s orderstore.Store) error {
	o := paidAt("tzxz_own", epoch)
	o.Ref, o.NextActionAt = "ref-1", epoch
	o.Refunds = orderstore.Refunds{refund("refund_1", 60)}
	given := o
	given.Refunds = orderstore.Refunds{o.Refunds[0]}
	if err := create(ctx, s, given); err != nil {
		return err
	}
	spoil := func(orders []orderstore.Order, err error) error {
		for _, got := range append(orders, given) {
			for i := range got.Refunds {
				got.Refunds[i].Status, got.Refunds[i].Amount = orderstore.RefundRefused, 1
			}
		}
		if err != nil {
			return err
		}
		return holds(ctx, s, o.Saved())
	}
	for range 2 {
		got, err := s.Get(ctx, o.OutTradeNo)
		if err := must("after a change of what Get returned", spoil([]orderstore.Order{got}, err)); err != nil {
			return err
		}
		if err := must("after a change of what Due returned", spoil(s.Due(ctx, epoch, 1))); err != nil {
			return err
		}
		if err := must("after a change of what Find returned", spoil(s.Find(ctx, o.Ref))); err != nil {
			return err
		}
		if err := must("after a change of what Paid returned", spoil(s.Paid(ctx, epoch, epoch.Add(1000), "", 1))); err != nil {
			return err
		}
		o = o.Saved()
		given = o
		given.Refunds = orderstore.Refunds{o.Refunds[0]}
		if err := must("Save", s.Save(ctx, given)); err != nil {
			return err
		}
	}
	return nil
}
