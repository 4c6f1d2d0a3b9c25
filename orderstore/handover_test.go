package orderstore_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

const lease = 30 * time.Second

func begin(t testing.TB, o orderstore.Order, now time.Time) orderstore.Order {
	t.Helper()
	claimed, err := o.BeginHandOver(now, lease)
	if err != nil {
		t.Fatalf("BeginHandOver: %v", err)
	}
	return claimed
}

func TestBeginHandOver(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	want := o
	want.HandOverTries, want.HandOverAt, want.NextActionAt, want.UpdatedAt = 1, later.Add(lease), later.Add(lease), later
	wantOrder(t, begin(t, o, later), want)
}

func TestNothingToHandOver(t *testing.T) {
	t.Parallel()
	waiting := paidOrder(t)
	waiting.HandOverAt = later.Add(1)
	for name, o := range map[string]orderstore.Order{
		"unpaid":       newOrder(),
		"closed":       closedOrder(t),
		"not yet":      waiting,
		"claimed":      begin(t, paidOrder(t), later),
		"taken over":   begin(t, paidOrder(t), noon.Add(time.Minute)).HandedOver(noon.Add(time.Minute)),
		"failed so on": begin(t, paidOrder(t), later).HandOverFailed(1, "down", later),
	} {
		got, err := o.BeginHandOver(later, lease)
		if !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("%s: BeginHandOver: %v, want ErrNotDue", name, err)
		}
		wantOrder(t, got, o)
	}
}

// One holder at a time; one that dies is replaced when its time is over.
func TestLease(t *testing.T) {
	t.Parallel()
	first := begin(t, paidOrder(t), later)
	for _, wait := range []time.Duration{0, 1, lease / 2, lease - 1} {
		if _, err := first.BeginHandOver(later.Add(wait), lease); !errors.Is(err, orderstore.ErrNotDue) {
			t.Errorf("a second holder after %v: %v", wait, err)
		}
	}
	second := begin(t, first, later.Add(lease))
	if second.HandOverTries != 2 || !second.NextActionAt.Equal(later.Add(2*lease)) {
		t.Errorf("taken over: %+v", second)
	}
}

func TestHandedOver(t *testing.T) {
	t.Parallel()
	o := begin(t, paidOrder(t), later)
	done := o.HandedOver(later.Add(time.Second))
	want := o
	want.HandedOverAt, want.HandOverAt, want.NextActionAt, want.UpdatedAt = later.Add(time.Second), time.Time{}, time.Time{}, later.Add(time.Second)
	want.Events = []orderstore.Event{{At: later.Add(time.Second), Kind: orderstore.EventHandedOver}}
	wantOrder(t, done, want)
	if done.ToHandOver() {
		t.Error("still to be handed over")
	}
	wantOrder(t, done.HandedOver(later.Add(time.Hour)), done)
	wantOrder(t, done.HandOverFailed(done.HandOverTries, "a holder that came too late", later.Add(time.Hour)), done)
}

func TestHandOverFailed(t *testing.T) {
	t.Parallel()
	o := begin(t, paidOrder(t), later)
	want := o
	want.HandOverAt, want.NextActionAt, want.UpdatedAt = later.Add(time.Second), later.Add(time.Second), later
	want.Events = []orderstore.Event{{At: later, Kind: orderstore.EventHandOverFailed, Note: "down"}}
	wantOrder(t, o.HandOverFailed(o.HandOverTries, "down", later), want)
	for _, o := range []orderstore.Order{newOrder(), closedOrder(t)} {
		wantOrder(t, o.HandOverFailed(o.HandOverTries, "there was nothing to hand over", later), o)
	}
}

// The delay doubles from a second to ten minutes and stays there.
func TestHandOverDelay(t *testing.T) {
	t.Parallel()
	delays := []time.Duration{
		1: time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second,
		64 * time.Second, 128 * time.Second, 256 * time.Second, 512 * time.Second,
	}
	delays[0] = time.Second // never begun, still a delay
	o, now := paidOrder(t), later
	for try := range 1001 {
		o.HandOverTries = try
		want := 10 * time.Minute
		if try < len(delays) {
			want = delays[try]
		}
		if got := o.HandOverFailed(o.HandOverTries, "down", now).NextActionAt.Sub(now); got != want {
			t.Errorf("after try %d the delay is %v, want %v", try, got, want)
		}
	}
	for _, tries := range []int{math.MaxInt32, math.MaxInt, -1, math.MinInt + 1} {
		o.HandOverTries = tries
		if got := o.HandOverFailed(o.HandOverTries, "down", now).NextActionAt.Sub(now); got < time.Second || got > 10*time.Minute {
			t.Errorf("after try %d the delay is %v", tries, got)
		}
	}
}

// An application that is down for long gets its order in the end.
func TestHandOverAfterManyFailures(t *testing.T) {
	t.Parallel()
	o, now := paidOrder(t), later
	for range 1000 {
		o = begin(t, o, now).HandOverFailed(o.HandOverTries+1, "down", now.Add(time.Second)).Saved()
		now = o.NextActionAt
	}
	o = begin(t, o, now).HandedOver(now)
	if o.HandOverTries != 1001 || o.ToHandOver() || !o.NextActionAt.IsZero() {
		t.Errorf("after 1000 failures: %+v", o)
	}
}

// A holder that outlived its lease must not shorten the next one's: there
// would be two at a time.
func TestLateHolderHasNoSay(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	first, err := paidOrder(t).BeginHandOver(later, lease)
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.BeginHandOver(later.Add(lease), lease)
	if err != nil {
		t.Fatal(err)
	}
	wantOrder(t, second.HandOverFailed(first.HandOverTries, "the first one fails", later.Add(lease+time.Second)), second)
}

// What was never paid cannot be taken over, and is when it has been paid.
func TestHandedOverBeforePaid(t *testing.T) {
	t.Parallel()
	wantOrder(t, newOrder().HandedOver(later), newOrder())
}

// A claim at the very moment of the payment is a change too: clocks may stand.
func TestClaimAtOnceIsAChange(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	claimed, err := o.BeginHandOver(o.UpdatedAt, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !claimed.Changed(o) {
		t.Error("the claim would not be saved")
	}
	if o.Changed(o) {
		t.Error("nothing happened, and it would be saved")
	}
}
