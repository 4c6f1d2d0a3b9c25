package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func dueCases() []Case {
	return []Case{
		{"Due/OnlyWhatIsDue", dueOnly},
		{"Due/AtOnce", dueAtOnce},
		{"Due/WhateverItsStatus", dueStatus},
		{"Due/LongestFirst", dueOrder},
		{"Due/AtMostLimit", dueLimit},
		{"Due/StarvesNobody", dueFair},
		{"Due/ClaimsNothing", dueReads},
		{"Due/ReturnsWholeOrders", dueWhole},
	}
}

// dueAt returns a plain order with that next action.
func dueAt(number string, at time.Time) orderstore.Order {
	o := plain(number)
	o.NextActionAt = at
	return o
}

// isDue reports an error unless exactly these numbers are due, in this order.
func isDue(ctx context.Context, s orderstore.Store, now time.Time, limit int, want ...string) error {
	got, err := s.Due(ctx, now, limit)
	if err != nil {
		return must("Due", err)
	}
	if !slices.Equal(numbers(got), want) {
		return fmt.Errorf("Due(%v, %d) is %v, want %v", now.Sub(epoch), limit, numbers(got), want)
	}
	return nil
}

func dueOnly(ctx context.Context, s orderstore.Store) error {
	err := create(ctx, s,
		dueAt("tzxz_future", epoch.Add(time.Microsecond)),
		dueAt("tzxz_unset", time.Time{}),
		dueAt("tzxz_now", epoch),
		dueAt("tzxz_next_year", epoch.AddDate(1, 0, 0)))
	if err != nil {
		return err
	}
	if err := isDue(ctx, s, epoch.Add(-time.Microsecond), 10); err != nil {
		return err
	}
	if err := isDue(ctx, s, epoch, 10, "tzxz_now"); err != nil {
		return err
	}
	if err := isDue(ctx, s, epoch.Add(time.Hour).In(time.FixedZone("Beijing", 8*60*60)), 10, "tzxz_now", "tzxz_future"); err != nil {
		return err
	}
	done := dueAt("tzxz_now", time.Time{}).Saved()
	if err := must("Save", s.Save(ctx, done)); err != nil {
		return err
	}
	return isDue(ctx, s, epoch.Add(time.Hour), 10, "tzxz_future")
}

// An order made due now is due now, whatever lies below the microsecond.
func dueAtOnce(ctx context.Context, s orderstore.Store) error {
	for i, below := range []time.Duration{0, 1, 499, 500, 501, 999} {
		now := epoch.Add(below)
		o := dueAt(fmt.Sprintf("tzxz_at_once_%d", i), now)
		if err := create(ctx, s, o); err != nil {
			return err
		}
		if err := isDue(ctx, s, now, 10, o.OutTradeNo); err != nil {
			return err
		}
		done := dueAt(o.OutTradeNo, time.Time{}).Saved()
		if err := must("Save", s.Save(ctx, done)); err != nil {
			return err
		}
	}
	return nil
}

// NextActionAt alone decides: unpaid orders are asked about, closed ones may
// have something to do as well.
func dueStatus(ctx context.Context, s orderstore.Store) error {
	var want []string
	for i, status := range []orderstore.PayStatus{orderstore.Unpaid, orderstore.Paid, orderstore.Closed} {
		for j, handedOver := range []time.Time{{}, epoch} {
			o := dueAt(fmt.Sprintf("tzxz_status_%d%d", i, j), epoch.Add(time.Duration(10*i+j)*time.Second))
			o.PayStatus, o.HandedOverAt = status, handedOver
			if err := create(ctx, s, o); err != nil {
				return err
			}
			want = append(want, o.OutTradeNo)
		}
	}
	return isDue(ctx, s, epoch.Add(time.Hour), 10, want...)
}

func dueOrder(ctx context.Context, s orderstore.Store) error {
	// By number, by time of creation and by order of writing they would come
	// out differently each.
	for i, after := range []time.Duration{3, 1, 4, 0, 2} {
		o := dueAt(fmt.Sprintf("tzxz_order_%d", 9-after), epoch.Add(after*time.Second))
		o.CreatedAt = epoch.Add(-time.Duration(i) * time.Hour)
		if err := create(ctx, s, o); err != nil {
			return err
		}
	}
	return isDue(ctx, s, epoch.Add(time.Hour), 10,
		"tzxz_order_9", "tzxz_order_8", "tzxz_order_7", "tzxz_order_6", "tzxz_order_5")
}

func dueLimit(ctx context.Context, s orderstore.Store) error {
	var all []string
	for i := range 5 {
		// By number or by writing, the future ones would come first.
		future := dueAt(fmt.Sprintf("tzxz_limit_a%d", i), epoch.Add(time.Hour))
		o := dueAt(fmt.Sprintf("tzxz_limit_b%d", i), epoch.Add(time.Duration(i)*time.Microsecond))
		if err := create(ctx, s, future, o); err != nil {
			return err
		}
		all = append(all, o.OutTradeNo)
	}
	for limit, want := range map[int][]string{0: {}, 1: all[:1], 3: all[:3], 5: all, 6: all, math.MaxInt32: all} {
		if err := isDue(ctx, s, epoch.Add(time.Minute), limit, want...); err != nil {
			return err
		}
	}
	return nil
}

// Twelve orders are due, three are taken at a time, and each that was taken is
// due again before the next round. All must still have been seen after four.
func dueFair(ctx context.Context, s orderstore.Store) error {
	const orders, limit = 12, 3
	for i := range orders {
		if err := create(ctx, s, dueAt(fmt.Sprintf("tzxz_fair_%02d", (i*5)%orders), epoch)); err != nil {
			return err
		}
	}
	seen := make(map[string]int)
	for round := range 3 * orders / limit {
		now := epoch.Add(time.Duration(round) * time.Minute)
		due, err := s.Due(ctx, now, limit)
		if err != nil {
			return must("Due", err)
		}
		for _, o := range due {
			seen[o.OutTradeNo]++
			o.NextActionAt = now.Add(time.Minute)
			if err := must("Save of a claim", s.Save(ctx, o)); err != nil {
				return err
			}
		}
		if rounds := round + 1; rounds%(orders/limit) == 0 && len(seen) < orders {
			return fmt.Errorf("after %d rounds only %d of %d due orders were seen: %v", rounds, len(seen), orders, seen)
		}
	}
	for number, times := range seen {
		if times != 3 {
			return fmt.Errorf("%s was seen %d times in 3 turns: %v", number, times, seen)
		}
	}
	return nil
}

// Asking what is due changes nothing: who asked may die before it claims
// anything, and another process asks a moment later.
func dueReads(ctx context.Context, s orderstore.Store) error {
	var all []string
	for i := range 5 {
		o := dueAt(fmt.Sprint("tzxz_reads_", i), epoch.Add(time.Duration(i)*time.Second))
		if err := create(ctx, s, o); err != nil {
			return err
		}
		all = append(all, o.OutTradeNo)
	}
	for range 3 {
		for _, limit := range []int{2, 5} {
			if err := isDue(ctx, s, epoch.Add(time.Minute), limit, all[:limit]...); err != nil {
				return err
			}
		}
	}
	return holds(ctx, s, dueAt(all[0], epoch).Saved())
}

func dueWhole(ctx context.Context, s orderstore.Store) error {
	o, err := filled("tzxz_due_whole", 1)
	if err != nil {
		return err
	}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	due, err := s.Due(ctx, o.NextActionAt, 1)
	if err != nil {
		return must("Due", err)
	}
	if err := must("Due", sameList(due, []orderstore.Order{o.Saved()})); err != nil {
		return err
	}
	return must("Save of an order as Due returned it", s.Save(ctx, due[0]))
}
