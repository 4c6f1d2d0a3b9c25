package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi"
)

func TestNext(t *testing.T) {
	t.Parallel()
	const spread = 7 * time.Minute
	at := func(text string) time.Time {
		at, err := time.ParseInLocation(time.DateTime, text, beijing)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	tests := []struct {
		name            string
		now             string
		last            string // its day
		wantDay, wantAt string
	}{
		{"started before ten", "2026-03-10 08:00:00", "", "2026-03-09", "2026-03-10 10:07:00"},
		{"started at midnight", "2026-03-10 00:00:00", "", "2026-03-09", "2026-03-10 10:07:00"},
		{"started at ten", "2026-03-10 10:00:00", "", "2026-03-09", "2026-03-10 10:07:00"},
		{"started after ten", "2026-03-10 15:00:00", "", "2026-03-09", "2026-03-10 15:07:00"},
		{"just done", "2026-03-10 10:08:00", "2026-03-09", "2026-03-10", "2026-03-11 10:07:00"},
		{"done after many tries", "2026-03-11 06:00:00", "2026-03-09", "2026-03-10", "2026-03-11 10:07:00"},
		{"slept for days", "2026-03-14 12:00:00", "2026-03-09", "2026-03-10", "2026-03-14 12:07:00"},
		{"the clock went back", "2026-03-08 12:00:00", "2026-03-09", "2026-03-10", "2026-03-11 10:07:00"},
		{"new year", "2026-12-31 10:30:00", "2026-12-30", "2026-12-31", "2027-01-01 10:07:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var last time.Time
			if test.last != "" {
				last = at(test.last + " 00:00:00")
			}
			for _, now := range []time.Time{at(test.now), at(test.now).UTC(), at(test.now).In(time.FixedZone("", -5*60*60))} {
				day, when := ledger.Next(now, last, spread)
				if !day.Equal(at(test.wantDay+" 00:00:00")) || !when.Equal(at(test.wantAt)) {
					t.Errorf("at %v: %v at %v, want %s at %s", now, day, when, test.wantDay, test.wantAt)
				}
			}
		})
	}
}

// A daily run, in a bubble where it begins on the first of January 2000, at
// eight in the morning in Beijing.
type daily struct {
	bill   func(day time.Time) error // what asking for the bill brings
	asked  []string
	told   []string
	lasted time.Duration
}

func (d *daily) run(t *testing.T, store ledger.Store, runFor time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.New(ledger.Config{
			Store: store, MchID: mchID, Now: time.Now,
			Bill: func(ctx context.Context, day time.Time) (ledger.Bill, error) {
				d.asked = append(d.asked, day.Format("01-02")+" at "+time.Now().In(beijing).Format("01-02 15:04"))
				if err := d.bill(day); err != nil {
					return nil, err
				}
				return nil, wxapi.ErrNoBill
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), runFor)
		defer cancel()
		start := time.Now()
		l.RunDaily(ctx, 7*time.Minute, func(r ledger.Report, err error) {
			d.told = append(d.told, fmt.Sprint(r.Day.Format("01-02"), " ", err))
		})
		d.lasted = time.Since(start)
	})
	if d.lasted != runFor {
		t.Errorf("it ended after %v, not %v", d.lasted, runFor)
	}
}

func TestRunDaily(t *testing.T) {
	t.Parallel()
	d := daily{bill: func(time.Time) error { return nil }}
	d.run(t, memory.New(), 72*time.Hour)
	want := []string{"12-31 at 01-01 10:07", "01-01 at 01-02 10:07", "01-02 at 01-03 10:07"}
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked for %q, want %q", d.asked, want)
	}
	if want := []string{"12-31 <nil>", "01-01 <nil>", "01-02 <nil>"}; !slices.Equal(d.told, want) {
		t.Errorf("told %q, want %q", d.told, want)
	}
}

func TestRunDailyRetries(t *testing.T) {
	t.Parallel()
	tries := 0
	d := daily{bill: func(time.Time) error {
		switch tries++; tries {
		case 1, 2:
			return wxapi.ErrBillNotReady
		case 3:
			return errDown
		}
		return nil
	}}
	d.run(t, memory.New(), 27*time.Hour)
	want := []string{
		"12-31 at 01-01 10:07", "12-31 at 01-01 10:37", "12-31 at 01-01 11:07", "12-31 at 01-01 11:37",
		"01-01 at 01-02 10:07",
	}
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked for %q, want %q", d.asked, want)
	}
	if want := []string{
		"12-31 wxapi: bill not ready", "12-31 wxapi: bill not ready", "12-31 store is down", "12-31 <nil>", "01-01 <nil>",
	}; !slices.Equal(d.told, want) {
		t.Errorf("told %q, want %q", d.told, want)
	}
}

// A bill that never comes does not keep the next one waiting.
func TestRunDailyGivesUp(t *testing.T) {
	t.Parallel()
	d := daily{bill: func(asked time.Time) error {
		if asked.Day() == 31 {
			return wxapi.ErrBillDamaged
		}
		return nil
	}}
	d.run(t, memory.New(), 27*time.Hour)
	if len(d.told) != ledger.MaxTries+1 {
		t.Fatalf("told %q", d.told)
	}
	for i, want := range map[int]string{
		0: "12-31 wxapi: bill damaged", ledger.MaxTries - 2: "12-31 wxapi: bill damaged",
		ledger.MaxTries - 1: "12-31 " + ledger.ErrGaveUp.Error() + ": wxapi: bill damaged", ledger.MaxTries: "01-01 <nil>",
	} {
		if d.told[i] != want {
			t.Errorf("told %q, want %q", d.told[i], want)
		}
	}
	if got := d.asked[ledger.MaxTries]; got != "01-01 at 01-02 10:07" {
		t.Errorf("asked for %s", got)
	}
}

// What ctx cuts short is no news.
func TestRunDailyEnds(t *testing.T) {
	t.Parallel()
	d := daily{bill: func(time.Time) error { return nil }}
	d.run(t, hanging{}, 3*time.Hour)
	if len(d.asked) != 1 || len(d.told) != 0 {
		t.Errorf("asked for %q, told %q", d.asked, d.told)
	}
	d = daily{bill: func(time.Time) error { return nil }}
	d.run(t, memory.New(), 0)
	if len(d.asked) != 0 || len(d.told) != 0 {
		t.Errorf("asked for %q, told %q", d.asked, d.told)
	}
}

// A clock that is put right is noticed within the hour, and days that were
// missed are compared.
func TestRunDailyClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() time.Time { // after noon it is four days later
			if time.Since(start) >= 4*time.Hour {
				return time.Now().AddDate(0, 0, 4)
			}
			return time.Now()
		}
		var told []string
		l := ledger.New(ledger.Config{
			Store: memory.New(), MchID: mchID, Now: now,
			Bill: func(context.Context, time.Time) (ledger.Bill, error) { return nil, wxapi.ErrNoBill },
		})
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
		defer cancel()
		l.RunDaily(ctx, 7*time.Minute, func(r ledger.Report, err error) {
			told = append(told, fmt.Sprint(r.Day.Format("01-02"), " ", err))
		})
		if want := []string{"12-31 <nil>", "01-01 <nil>", "01-02 <nil>", "01-03 <nil>", "01-04 <nil>"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// A day that is too old is not tried twice.
func TestRunDailyTooOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() time.Time {
			if time.Since(start) >= 4*time.Hour {
				return time.Now().AddDate(0, 0, 95)
			}
			return time.Now()
		}
		var compared, tooOld int
		l := ledger.New(ledger.Config{
			Store: memory.New(), MchID: mchID, Now: now,
			Bill: func(context.Context, time.Time) (ledger.Bill, error) { return nil, wxapi.ErrNoBill },
		})
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		l.RunDaily(ctx, 0, func(r ledger.Report, err error) {
			switch {
			case errors.Is(err, ledger.ErrTooOld):
				tooOld++
			case err == nil:
				compared++
			default:
				t.Error(err)
			}
		})
		if tooOld != 2 || compared != 94 {
			t.Errorf("%d too old, %d compared", tooOld, compared)
		}
	})
}

// hanging is a store that answers when ctx ends.
type hanging struct{ ledger.Store }

func (hanging) Paid(ctx context.Context, _, _ time.Time, _ string, _ int) ([]orderstore.Order, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
