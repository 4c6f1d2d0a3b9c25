//go:build prometheus

package watch

import (
	"context"
	"testing"
	"time"
)

// playBills: on the first day nobody hears of a payment, and somebody else sells
// on the merchant's number; for longer than a day nobody looks at a bill. Then
// every day is compared, and nothing is wrong with the second.
func playBills(t *testing.T, seen *record) {
	const day = 24 * time.Hour
	var c clock
	c.jump(untilNoon(time.Now())) // far from both midnights, and not before what was
	s := newStall(t, &c, c.now)
	s.build(asItIs) // and nobody runs it, who would ask about the payment
	m := watch(t, s.addr, seen)

	first := c.now()
	s.compare(first.Add(-day))
	m.fires(func() {
		if err := s.sim.PayQuietly(s.buy()); err != nil {
			t.Fatal(err)
		}
		if err := s.sim.AddStrayPayment("another-system-1", 500, first); err != nil {
			t.Fatal(err)
		}
	}, noBills)
	c.jump(day)
	m.fires(func() { s.compare(first) }, "WxpayPaymentFoundByBill", "WxpayBillDifference")

	s.run()
	second := c.now()
	if err := s.sim.Pay(s.buy()); err != nil {
		t.Fatal(err)
	}
	c.jump(day)
	beside(t, func(ctx context.Context) { // often enough, where a day lasts twelve seconds
		for ctx.Err() == nil {
			s.compare(second)
			time.Sleep(time.Second)
		}
	})
	m.clear()
}

// compare holds the store against the bill of that day.
func (s *stall) compare(day time.Time) {
	s.t.Helper()
	if _, err := s.kit.Reconcile(s.t.Context(), day); err != nil && s.t.Context().Err() == nil {
		s.t.Errorf("the bill of %v: %v", day, err)
	}
}

// untilNoon is how far the noon of tomorrow, in Beijing, is.
func untilNoon(now time.Time) time.Duration {
	const day, noon = 24 * time.Hour, 4 * time.Hour // in UTC
	return now.Truncate(day).Add(day + noon).Sub(now)
}
