package wxsim_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// The schedule of wire facts §7.7, written out from its table: the first send
// at once and fifteen more, at exact business times, then silence.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]func() time.Time{"standing": func() time.Time { return noon }, "running": time.Now} {
		t.Run(name+" clock", func(t *testing.T) { testSchedule(t, newStage(t, wxsim.Config{Now: now})) })
	}
}

func testSchedule(t *testing.T, s *stage) {
	t.Helper()
	s.rc.answerWith(500)
	s.placePaid("order-refused")
	s.Advance(30 * 24 * time.Hour)

	var want []time.Time
	at := s.Notifications()[0].At
	first := at
	for _, pause := range strings.Fields("0s 15s 15s 30s 3m 10m 20m 30m 30m 30m 60m 3h 3h 3h 6h 6h") {
		d, err := time.ParseDuration(pause)
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(d)
		want = append(want, at)
	}
	var got []time.Time
	ids := map[string]bool{}
	for i, sent := range s.Notifications() {
		got = append(got, sent.At)
		ids[sent.ID] = true
		if sent.Attempt != i+1 || sent.Status != 500 || !strings.Contains(sent.Body, `"FAIL"`) {
			t.Errorf("send %d: %+v", i, sent)
		}
	}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("sent at\n%v, want\n%v", got, want)
	}
	if total := want[len(want)-1].Sub(first); total != 24*time.Hour+4*time.Minute {
		t.Errorf("the table sums up to %v, WeChat says 24h4m", total)
	}
	if len(ids) != 1 {
		t.Errorf("%d ids for one notification", len(ids))
	}
	nonces := map[string]bool{}
	for _, d := range s.rc.arrivals() { // each was signed and encrypted afresh
		if d.genuine != nil {
			t.Errorf("re-send: %v", d.genuine)
		}
		nonces[d.header.Get("Wechatpay-Nonce")] = true
		nonces[d.envelope["resource"].(map[string]any)["nonce"].(string)] = true
	}
	if len(nonces) != 32 {
		t.Errorf("%d nonces in 16 sends, want 32", len(nonces))
	}
}

// Steps shorter than the schedule send what is due and no more.
func TestAdvanceInSteps(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.rc.answerWith(503)
	s.placePaid("order-refused")
	for _, c := range []struct {
		step time.Duration
		want int
	}{{0, 1}, {14 * time.Second, 1}, {time.Second, 2}, {15 * time.Second, 3}, {29 * time.Second, 3}, {time.Second, 4}, {-time.Hour, 4}, {13 * time.Minute, 6}} {
		s.Advance(c.step)
		if got := len(s.rc.arrivals()); got != c.want {
			t.Errorf("after %v: %d sends, want %d", c.step, got, c.want)
		}
	}
	s.rc.answerWith(200)
	s.Advance(time.Hour)
	s.Advance(24 * time.Hour)
	if got := len(s.rc.arrivals()); got != 7 {
		t.Errorf("%d sends after one was accepted, want 7", got)
	}
}

// Business time moves, header time does not.
func TestTwoClocks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Advance(72 * time.Hour)
	s.placePaid("order-later") // the merchant checks header timestamps against noon
	d := s.rc.arrivals()[0]
	if d.genuine != nil || d.plaintext["success_time"] != "2026-11-24T12:00:00+08:00" {
		t.Errorf("genuine %v, success_time %v", d.genuine, d.plaintext["success_time"])
	}
	if got := s.Now(); !got.Equal(noon.Add(72 * time.Hour)) {
		t.Errorf("business time %v", got)
	}
}

// A receiver that hangs is cut, and holds up nothing but its own order.
func TestNotifyHangingReceiver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var hits atomic.Int32
	hung := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if hits.Add(1) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		<-r.Context().Done()
	}))
	s.m.prepay("native", "order-hangs", map[string]any{"notify_url": hung + "/notify"})
	if err := s.Pay("order-hangs"); err != nil { // refused once, due again in 15 s
		t.Fatalf("pay: %v", err)
	}
	s.Advance(time.Second)
	s.rc.answer = func(n int, _ delivered) int { return map[bool]int{true: 500, false: 204}[n == 1] }
	s.placePaid("order-quick") // the same, a second later

	begin := time.Now()
	advanced := make(chan struct{})
	go func() { s.Advance(15 * time.Second); close(advanced) }()
	for len(s.rc.arrivals()) < 2 {
		time.Sleep(time.Millisecond)
	}
	if r := s.m.query("order-hangs"); r.text("trade_state") != "SUCCESS" || time.Since(begin) > 3*time.Second {
		t.Errorf("the quick order and a query waited %v for the hanging one", time.Since(begin))
	}
	<-advanced // waits for all sends that were due
	if took := time.Since(begin); took < 4*time.Second || took > 8*time.Second {
		t.Errorf("the hanging receiver was cut after %v, want 5 s", took)
	}
	if got, want := s.statuses("order-hangs"), [][2]int{{1, 500}, {2, 0}}; !slices.Equal(got, want) {
		t.Errorf("sends %v, want %v", got, want)
	}
}

// Whoever is notified during Advance sees the time of that send.
func TestClockDuringAdvance(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var seen []time.Duration
	s.rc.answer = func(int, delivered) int {
		seen = append(seen, s.Now().Sub(noon))
		return 500
	}
	s.placePaid("order-refused")
	s.Advance(time.Minute)
	if want := []time.Duration{0, 15 * time.Second, 30 * time.Second, time.Minute}; !slices.Equal(seen, want) {
		t.Errorf("business times %v, want %v", seen, want)
	}
}

// Run makes re-sends in real time and stops what it began.
func TestRun(t *testing.T) {
	t.Parallel()
	var tick atomic.Int64 // the header clock: real time, sped up 100 times
	begin := time.Now()
	s := newStage(t, wxsim.Config{Now: func() time.Time {
		tick.Add(1)
		return noon.Add(100 * time.Since(begin))
	}})
	s.rc.answer = func(n int, _ delivered) int { return map[bool]int{true: 500, false: 204}[n < 3] }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	sampled := make(chan string, 1)
	go func() { // business time never goes back
		for last := s.Now(); ctx.Err() == nil; {
			now := s.Now()
			if now.Before(last) {
				sampled <- fmt.Sprintf("%v after %v", now, last)
				return
			}
			last = now
			time.Sleep(time.Millisecond)
		}
		sampled <- ""
	}()
	s.placePaid("order-resent")
	for wait := time.Now(); len(s.rc.arrivals()) < 3; time.Sleep(5 * time.Millisecond) {
		s.Advance(5 * time.Second) // meanwhile somebody moves the clock
		if time.Since(wait) > 10*time.Second {
			t.Fatalf("sends %v", s.statuses("order-resent"))
		}
	}
	cancel()
	if back := <-sampled; back != "" {
		t.Errorf("business time went back: %s", back)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if reads := tick.Load(); reads > 5000 {
		t.Errorf("Run read the clock %d times: it spins", reads)
	}
}

// Run notices that the clock was moved close to the next send.
func TestRunAfterAdvance(t *testing.T) {
	t.Parallel()
	s := newStage(t, wxsim.Config{Now: time.Now})
	s.rc.answer = func(n int, _ delivered) int { return map[bool]int{true: 500, false: 204}[n == 1] }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.placePaid("order-resent")
	time.Sleep(50 * time.Millisecond) // Run now sleeps until the second send
	s.Advance(14 * time.Second)
	for begin := time.Now(); len(s.rc.arrivals()) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("the second send did not come")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// Advance waits for a send that somebody else began.
func TestAdvanceWaitsForPay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	begun := make(chan struct{})
	s.rc.answer = func(int, delivered) int {
		close(begun)
		time.Sleep(100 * time.Millisecond)
		return 204
	}
	s.place("native", "order-slow")
	paid := make(chan error, 1)
	go func() { paid <- s.Pay("order-slow") }()
	<-begun
	s.Advance(0)
	if got := len(s.Notifications()); got != 1 {
		t.Errorf("%d sends when Advance returned, want 1", got)
	}
	if err := <-paid; err != nil {
		t.Errorf("pay: %v", err)
	}
}

// Moves add up, also when one begins during another.
func TestAdvanceAddsUp(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sending := make(chan struct{})
	s.rc.answer = func(n int, _ delivered) int {
		if n == 2 {
			close(sending)
			time.Sleep(100 * time.Millisecond)
		}
		return map[bool]int{true: 500, false: 204}[n == 1]
	}
	s.placePaid("order-resent")
	var wg sync.WaitGroup
	wg.Go(func() { s.Advance(time.Hour) })
	<-sending // the clock stands at 15 s
	for range 3 {
		wg.Go(func() { s.Advance(time.Hour) })
	}
	wg.Wait()
	if got := s.Now().Sub(noon); got != 4*time.Hour {
		t.Errorf("four hours moved the clock by %v", got)
	}
}
