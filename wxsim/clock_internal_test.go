package wxsim

import (
	"fmt"
	"testing"
	"time"
)

// time.Parse takes more than WeChat promises to.
func TestCheckTime(t *testing.T) {
	for v, good := range map[string]bool{
		"2026-11-21T13:00:00+08:00": true, "2026-11-21T05:00:00Z": true, "2026-11-21T5:00:00Z": false,
		"2026-11-21T13:00:00,5+08:00": false, "2026-02-30T13:00:00+08:00": false, "2026-11-21t13:00:00+08:00": false,
	} {
		if issue := checkTime(v); (issue == "") != good {
			t.Errorf("%s: %q", v, issue)
		}
	}
	if got := stamp(time.Date(2026, 11, 21, 5, 0, 0, 999, time.UTC)); got != "2026-11-21T13:00:00+08:00" {
		t.Errorf("stamp %q", got)
	}
}

// Business time goes forward only.
func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, beijing)
	c := clock{header: func() time.Time { return start }}
	for _, step := range []struct{ to, want time.Duration }{{0, 0}, {time.Hour, time.Hour}, {time.Minute, time.Hour}, {-time.Hour, time.Hour}} {
		c.moveTo(start.Add(step.to))
		if got := c.now().Sub(start); got != step.want {
			t.Errorf("moved to %v: %v, want %v", step.to, got, step.want)
		}
	}
}

// The journal forgets old calls but counts them.
func TestJournal(t *testing.T) {
	s, err := New(Config{Seed: sharedSeed})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxCalls + 1 {
		s.arrive(&Call{Target: "query", Path: fmt.Sprint(i)})
	}
	calls := s.Calls()
	if len(calls) > maxCalls || len(calls) < maxCalls/2 || calls[len(calls)-1].Path != fmt.Sprint(maxCalls) {
		t.Errorf("%d calls, last %s", len(calls), calls[len(calls)-1].Path)
	}
	if got := s.Requests("query"); got != maxCalls+1 {
		t.Errorf("%d calls counted", got)
	}
}
