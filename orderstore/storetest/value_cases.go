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

func valueCases() []Case {
	return []Case{
		{"Values/Numbers", valueNumbers},
		{"Values/Text", valueText},
		{"Values/Money", valueMoney},
		{"Values/UnsetTimes", valueUnset},
		{"Values/Microseconds", valueMicroseconds},
		{"Values/Clocks", valueClocks},
	}
}

// trip creates orders, then saves them as they are, and compares each time.
func trip(ctx context.Context, s orderstore.Store, orders ...orderstore.Order) error {
	if err := create(ctx, s, orders...); err != nil {
		return err
	}
	for _, o := range orders {
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
		next := o.Saved()
		next.Events = o.Events
		if err := must("Save "+o.OutTradeNo, s.Save(ctx, next)); err != nil {
			return err
		}
		if err := holds(ctx, s, o.Saved().Saved()); err != nil {
			return err
		}
	}
	return nil
}

func valueNumbers(ctx context.Context, s orderstore.Store) error {
	var orders []orderstore.Order
	for _, number := range []string{
		"123456", "0012345", "12345678901234567890123456789012", // not a number to a database
		"|*_-|*", "a|b*c_d-e", "******", "______", "------",
		"AAAAAA", "aaaaaa", "aaaaaA", "1e1000", "NULL--", "0x1234",
		strings.Repeat("|*", 16), strings.Repeat("*|", 16), strings.Repeat("_-aA", 8), strings.Repeat("_-Aa", 8),
	} {
		o := plain(number)
		o.RefPaidBy, o.Events = number, []orderstore.Event{noted("of " + number)}
		orders = append(orders, o)
	}
	if err := trip(ctx, s, orders...); err != nil {
		return err
	}
	for _, o := range orders { // each was created and saved with its event
		if err := history(ctx, s, o.OutTradeNo, o.Events[0], o.Events[0]); err != nil {
			return err
		}
	}
	return nil
}

func valueText(ctx context.Context, s orderstore.Store) error {
	var orders []orderstore.Order
	for i, text := range []string{
		"", " ", "  around  ", "🎫😀👩‍👩‍👧‍👦", "𠮷野家 订单", "O'Brien \"quoted\" `back`", `\ \\ \n \x00 %s %`,
		"line\r\nline\ttab", "' OR 1=1; --", "null", strings.Repeat("付", 42) + "x",
	} {
		o := plain(fmt.Sprintf("tzxz_text_%d", i))
		o.Description, o.GoodsID, o.Ref, o.UserID = text, text, text, "u"+text
		o.AppName, o.AppChannel, o.Device = text, text, text
		o.PrepayRequest = fmt.Sprintf(`{"description":%q,"detail":%q}`, text, strings.Repeat("详", 2000))
		orders = append(orders, o)
	}
	return trip(ctx, s, orders...)
}

// Money is exact: nothing here may pass through a floating-point number.
func valueMoney(ctx context.Context, s orderstore.Store) error {
	var orders []orderstore.Order
	for i, total := range []orderstore.Fen{1, 99, 100, 1<<31 - 1, 1 << 31, 1<<53 + 1, math.MaxInt64} {
		o := plain(fmt.Sprintf("tzxz_money_%d", i))
		o.Total, o.PayerTotal, o.Refunded = total, total-1, total/2
		orders = append(orders, o)
	}
	return trip(ctx, s, orders...)
}

func valueUnset(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_unset")
	o.CreatedAt, o.UpdatedAt = time.Time{}, time.Time{}
	o.Events = []orderstore.Event{{Kind: orderstore.EventCreated}}
	if err := trip(ctx, s, o); err != nil {
		return err
	}
	got, err := s.Get(ctx, o.OutTradeNo)
	if err != nil {
		return err
	}
	for name, at := range map[string]time.Time{
		"ExpiresAt": got.ExpiresAt, "PaidAt": got.PaidAt, "NextActionAt": got.NextActionAt, "CreatedAt": got.CreatedAt,
		"HandOverAt": got.HandOverAt, "HandedOverAt": got.HandedOverAt,
	} {
		if !at.IsZero() {
			return fmt.Errorf("%s was never set and is %v", name, at)
		}
	}
	return nil
}

// Times lose what is below a microsecond and their zone, and are never
// rounded up: an order that is due now must not become due later.
func valueMicroseconds(ctx context.Context, s orderstore.Store) error {
	beijing := time.FixedZone("Beijing", 8*60*60)
	for i, at := range []time.Time{
		time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2026, 1, 1, 0, 0, 0, 1_999, beijing),
		time.Date(2026, 1, 1, 0, 0, 0, 1_500, time.Local),
		time.Date(2038, 1, 19, 3, 14, 8, 1_000, time.UTC),
	} {
		o := plain(fmt.Sprintf("tzxz_time_%d", i))
		setTimes(&o, at)
		o.Events = []orderstore.Event{{At: at, Kind: orderstore.EventCreated}}
		if err := trip(ctx, s, o); err != nil {
			return err
		}
		if err := history(ctx, s, o.OutTradeNo, o.Events[0], o.Events[0]); err != nil {
			return err
		}
	}
	return nil
}

// Clocks go wrong by decades, and times far away are times: none is "not yet",
// and they sort as they are.
func valueClocks(ctx context.Context, s orderstore.Store) error {
	end := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	times := []time.Time{
		time.Date(1000, 1, 1, 0, 0, 0, 1_000, time.UTC), // where MySQL's DATETIME begins
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Unix(0, 0), // is no zero time
		time.Unix(0, 1_000),
		epoch,
		time.Date(2262, 4, 12, 0, 0, 0, 1_000, time.UTC), // more nanoseconds than an int64 has
		end.Add(-time.Microsecond),
	}
	var orders []orderstore.Order
	for i, at := range times {
		o := paidAt(fmt.Sprint("tzxz_clock_", (i*3)%len(times)), at)
		o.Ref, o.Refunds = "ref-1", orderstore.Refunds{refund("refund_1", 1)}
		setTimes(&o, at)
		setTimes(&o.Refunds[0], at)
		o.Events = []orderstore.Event{{At: at, Kind: orderstore.EventCreated}}
		orders = append(orders, o)
	}
	if err := trip(ctx, s, orders...); err != nil {
		return err
	}
	all := numbers(orders)
	for i, now := range times {
		if err := isDue(ctx, s, now, len(all), all[:i+1]...); err != nil {
			return err
		}
		if err := isPaid(ctx, s, now, end, len(all), all[i:]...); err != nil {
			return err
		}
		if err := isPaid(ctx, s, time.Time{}, now, len(all), all[:i]...); err != nil {
			return err
		}
	}
	if err := isDue(ctx, s, time.Time{}, len(all)); err != nil {
		return err
	}
	slices.Reverse(all)
	return finds(ctx, s, "ref-1", all...)
}
