//go:build prometheus

package watch

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// readRules are the rules as they are shipped, and the names of their alerts.
func readRules(t *testing.T) (rules string, names []string) {
	t.Helper()
	text, err := os.ReadFile("../../wxprom/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*- alert: (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return string(text), names
}

var (
	window  = regexp.MustCompile(`(\[|offset )(\d+)([smhd])\b`)
	pending = regexp.MustCompile(`(?m)^(    for: )(\d+)([smhd])$`)
	minutes = regexp.MustCompile(`\b(\d+) \* 60\b`)
	hours   = regexp.MustCompile(`\b(\d+) \* 3600\b`)
)

// scaled are the rules with a minute shortened to a second: in ranges and
// offsets, which become 8 s to 12 s long, in "for", which becomes 3 s at most,
// and in thresholds that are written as minutes. Thresholds that are written as
// hours become what a range of so many hours does. What is compared is the same
// otherwise: shares, rates, counts, and what is written as seconds (the skew of
// a clock, the pace of kit.Run) or days (the end of a certificate), stay as
// they are.
func scaled(rules string) string {
	rules = window.ReplaceAllStringFunc(rules, func(s string) string {
		m := window.FindStringSubmatch(s)
		return fmt.Sprintf("%s%ds", m[1], ranged(shortened(m[2], m[3])))
	})
	rules = pending.ReplaceAllStringFunc(rules, func(s string) string {
		m := pending.FindStringSubmatch(s)
		return fmt.Sprintf("%s%ds", m[1], min(3, shortened(m[2], m[3])))
	})
	rules = minutes.ReplaceAllString(rules, "$1")
	return hours.ReplaceAllStringFunc(rules, func(s string) string {
		return strconv.Itoa(ranged(shortened(hours.FindStringSubmatch(s)[1], "h")))
	})
}

// shortened is the duration in minutes.
func shortened(n, unit string) int {
	count, _ := strconv.Atoi(n) // digits
	of := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[unit]
	return int(time.Duration(count) * of / time.Minute)
}

// ranged is a number of seconds in which there are enough scrapes, and for
// which a test can wait.
func ranged(seconds int) int { return max(8, min(12, seconds)) }

func TestScaled(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, want string }{
		{"increase(x_total[10m]) > 0", "increase(x_total[10s]) > 0"},
		{"increase(x_total[5m]) > 0", "increase(x_total[8s]) > 0"},
		{"rate(x_total[1d]) > 1.5", "rate(x_total[12s]) > 1.5"},
		{"max(x_seconds) > 15 * 60", "max(x_seconds) > 15"},
		{"time() - max_over_time(x[26h]) > 26 * 3600 and count(y offset 26h) > 0", "time() - max_over_time(x[12s]) > 12 and count(y offset 12s) > 0"},
		{"    for: 1m\n", "    for: 1s\n"},
		{"    for: 15m\n", "    for: 3s\n"},
		{"min(x) - time() < 30 * 86400", "min(x) - time() < 30 * 86400"},
		{"abs(x_seconds) > 30", "abs(x_seconds) > 30"},
	} {
		if got := scaled(test.rule); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.rule, got, test.want)
		}
	}
}
