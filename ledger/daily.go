package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// When bills are fetched. Source: 申请交易账单: after ten, and again every half
// an hour while they are being made.
const (
	opens    = 10 // o'clock in Beijing
	Retry    = 30 * time.Minute
	MaxTries = 40 // 20 hours: the next day's bill waits for none before it
)

// ErrGaveUp is told of a day that was tried [MaxTries] times in vain, with the
// cause of the last time: somebody must compare it when the cause is gone.
var ErrGaveUp = errors.New("ledger: the day will not be compared by itself any more")

// Next returns the day to be compared after last, and when: the next one, or
// yesterday if last is zero. It is spread after ten o'clock of the morning
// after, and where that is over, spread after now: so processes that start at
// one moment do not all ask at one moment, nor does one that crashes over and
// over ask each time.
func Next(now, last time.Time, spread time.Duration) (day, at time.Time) {
	day = midnight(now).AddDate(0, 0, -1)
	if !last.IsZero() {
		day = midnight(last).AddDate(0, 0, 1)
	}
	at = day.AddDate(0, 0, 1).Add(opens * time.Hour)
	if now.After(at) {
		at = now.Round(0).In(beijing()) // the wall's: see sleep
	}
	return day, at.Add(spread)
}

// RunDaily compares every day, beginning with yesterday, until ctx ends. spread
// is this process's own share of half an hour; see [Next]. A day that fails is
// tried again after [Retry], [MaxTries] times in all. tell gets the result of
// every try, except of one that ctx cut short.
//
// Every process that runs this fetches the bill for itself, and all of them may:
// what one has repaired, the others find in order.
func (l *Ledger) RunDaily(ctx context.Context, spread time.Duration, tell func(Report, error)) {
	for last := (time.Time{}); ctx.Err() == nil; {
		day, at := Next(l.cfg.Now(), last, spread)
		for try := 1; l.sleep(ctx, at); try++ {
			report, err := l.Compare(ctx, day)
			if err != nil && ctx.Err() != nil {
				return
			}
			over := err == nil || errors.Is(err, ErrTooOld)
			if !over && try == MaxTries {
				over, err = true, fmt.Errorf("%w: %w", ErrGaveUp, err)
			}
			tell(report, err)
			if over {
				break
			}
			at = l.cfg.Now().Round(0).Add(Retry)
		}
		last = day
	}
}

// sleep waits until the clock says at, and reports false when ctx ended. It
// looks at the clock every hour: a timer does not notice that the machine was
// suspended or its clock put right.
func (l *Ledger) sleep(ctx context.Context, at time.Time) bool {
	for ctx.Err() == nil {
		left := at.Sub(l.cfg.Now())
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(min(left, time.Hour))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return false
}
