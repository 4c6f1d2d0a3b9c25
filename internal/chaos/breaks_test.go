package main

import (
	"os"
	"slices"
	"testing"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// TestBreaks runs against each kit that is broken on purpose; all of them must
// be noticed by what they do, and a sound kit must do nothing of the kind. It
// takes two or three minutes, so it runs when CHAOS_BREAKS is set.
func TestBreaks(t *testing.T) {
	if os.Getenv("CHAOS_BREAKS") == "" {
		t.Skip("CHAOS_BREAKS is not set")
	}
	short := []string{"-time", "9s", "-settle", "2s", "-replicas", "3", "-customers", "24", "-kill-every", "1500"}
	var symptoms []audit.Rule
	for _, broken := range mistakes() {
		symptoms = append(symptoms, broken.seen...)
		args := slices.Concat(short, []string{"-break", broken.name})
		switch broken.name {
		case "drop-outbox": // a killed shop holds a hand-over for 15s
			args = append(args, "-time", "6s", "-settle", "20s")
		case "new-refund-number": // the first repetition comes after 5s
			args = append(args, "-time", "12s", "-settle", "12s", "-refunds", "80")
		}
		t.Run(broken.name, func(t *testing.T) {
			if found := rulesOf(t, args); !slices.ContainsFunc(broken.seen, func(r audit.Rule) bool { return found[r] > 0 }) {
				t.Errorf("nobody noticed; found %v", found)
			}
		})
	}
	t.Run("sound", func(t *testing.T) {
		found := rulesOf(t, append(short, "-settle", "25s"))
		for _, r := range symptoms {
			if found[r] > 0 {
				t.Errorf("%d times %q without a mistake", found[r], r)
			}
		}
	})
}

// rulesOf is how often a run found each rule broken.
func rulesOf(t *testing.T, args []string) map[audit.Rule]int {
	t.Helper()
	rep, err := run(t.Context(), brief(t, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	rep.print(t.Output())
	found := map[audit.Rule]int{}
	for _, v := range rep.violations {
		found[v.Rule]++
	}
	return found
}
