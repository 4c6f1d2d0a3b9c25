package orderstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
)

// opened is an unpaid order placed at the time, with half an hour to pay.
func opened(no string, at time.Time) orderstore.Order {
	o := newOrder()
	o.OutTradeNo, o.ExpiresAt = no, at.Add(30*time.Minute)
	return o.Opened(at, 15*time.Second)
}

// An order of which nothing is heard is asked about on WeChat's schedule, and for
// the last time when it expires.
func TestAppointments(t *testing.T) {
	t.Parallel()
	o := opened("tzxz_3cca32f4bb_1", noon)
	if len(o.Events) != 1 || o.Events[0].Kind != orderstore.EventCreated || !o.CreatedAt.Equal(noon) {
		t.Errorf("opened: %+v", o)
	}
	for _, after := range []time.Duration{5 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		if got := o.NextActionAt.Sub(noon); got != after {
			t.Fatalf("the appointment is after %v, want %v", got, after)
		}
		o = beginAsk(t, o)
	}
	if !o.NextActionAt.Equal(o.ExpiresAt) {
		t.Fatalf("the last appointment is %v, the order expires at %v", o.NextActionAt, o.ExpiresAt)
	}
	for want, n := 30*time.Second, 0; n < 12; n++ {
		now := o.NextActionAt
		o = beginAsk(t, o)
		wait := o.NextActionAt.Sub(now)
		if wait < want || wait > 11*time.Minute {
			t.Fatalf("try %d to close comes after %v, want %v at least", n, wait, want)
		}
		want = min(max(want, now.Sub(o.ExpiresAt)), 10*time.Minute)
	}
}

func beginAsk(t *testing.T, o orderstore.Order) orderstore.Order {
	t.Helper()
	if _, err := o.BeginAsk(o.NextActionAt.Add(-time.Microsecond)); !errors.Is(err, orderstore.ErrNotDue) {
		t.Fatalf("before its time: %v", err)
	}
	now := o.NextActionAt
	next, err := o.BeginAsk(now)
	if err != nil {
		t.Fatal(err)
	}
	if !next.Changed(o) || !next.UpdatedAt.Equal(now) || !next.AskedAt.Equal(now) {
		t.Fatal("the claim would not be saved")
	}
	return next
}

// A customer who looks is a reason to ask, once in an interval.
func TestBeginLook(t *testing.T) {
	t.Parallel()
	const interval = 2 * time.Second
	paid := paidOrder(t)
	asked := opened("tzxz_3cca32f4bb_1", noon)
	asked.AskedAt = noon
	for _, tt := range []struct {
		name  string
		order orderstore.Order
		now   time.Time
		want  error
	}{
		{"just placed", opened("tzxz_3cca32f4bb_1", noon), noon, nil},
		{"asked an interval ago", asked, noon.Add(interval), nil},
		{"asked within the interval", asked, noon.Add(interval - time.Microsecond), orderstore.ErrNotDue},
		{"asked by a clock a little ahead", asked, noon.Add(-time.Second), orderstore.ErrNotDue},
		{"asked by a clock far ahead", asked, noon.Add(-time.Hour), nil},
		{"paid", paid, later, orderstore.ErrNotDue},
		{"closed", closedOrder(t), later, orderstore.ErrNotDue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next, err := tt.order.BeginLook(tt.now, interval)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if changed := next.Changed(tt.order); changed != (tt.want == nil) {
				t.Errorf("changed: %v", changed)
			}
			if tt.want == nil && (!next.AskedAt.Equal(tt.now) || !next.NextActionAt.Equal(tt.order.NextActionAt) || len(next.Events) != len(tt.order.Events)) {
				t.Errorf("asked at %v, next at %v, events %v", next.AskedAt, next.NextActionAt, next.Events)
			}
		})
	}
}

// What is paid or closed is not asked about.
func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]orderstore.Order{"paid": paidOrder(t), "closed": closedOrder(t), "without an appointment": newOrder()} {
		o.NextActionAt = map[bool]time.Time{true: noon}[name != "without an appointment"]
		if _, err := o.BeginAsk(later); !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if o, err := opened("tzxz_1", noon).Close(orderstore.FromClose, "", later); err != nil || !o.NextActionAt.IsZero() {
		t.Errorf("closed: %v, next action at %v", err, o.NextActionAt)
	}
}

// However late the worker comes, the next appointment is ahead, and before the
// order expires it is never later than that.
func TestAppointmentsAreAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := opened(rapid.StringMatching(`[a-z0-9]{6,32}`).Draw(t, "number"), noon)
		o.ExpiresAt = noon.Add(time.Duration(rapid.Int64Range(1, int64(7*24*time.Hour)).Draw(t, "ttl")))
		now := o.NextActionAt
		for range 20 {
			now = maxTime(now, o.NextActionAt).Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "late")))
			next, err := o.BeginAsk(now)
			if err != nil {
				t.Fatal(err)
			}
			if !next.NextActionAt.After(now) {
				t.Fatalf("at %v the next appointment is %v", now, next.NextActionAt)
			}
			if now.Before(o.ExpiresAt) && next.NextActionAt.After(o.ExpiresAt) {
				t.Fatalf("the next appointment %v is after the end %v", next.NextActionAt, o.ExpiresAt)
			}
			o = next
		}
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Orders are asked about in the order in which they were placed, so that those of one
// moment lie side by side in a store's index.
func TestAppointmentsKeepTheOrder(t *testing.T) {
	t.Parallel()
	var last time.Time
	for i := range 100 {
		o := opened(fmt.Sprintf("tzxz_%d", i*7919%100), noon.Add(time.Duration(i)*time.Microsecond))
		for range 3 {
			o = beginAsk(t, o)
		}
		if !o.NextActionAt.After(last) {
			t.Fatalf("order %d is asked about at %v, the one before it at %v", i, o.NextActionAt, last)
		}
		last = o.NextActionAt
	}
}
