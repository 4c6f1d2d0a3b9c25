//go:build prometheus

package watch

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var (
	window    = regexp.MustCompile(`\[(\d+)([smhd])\]`)
	pending   = regexp.MustCompile(`(?m)^(    for: )(\d+)([smhd])$`)
	threshold = regexp.MustCompile(`(\d+) \* 60\b`)
)

// scaled are the rules with a minute shortened to a second: in ranges, which
// become 8 s to 12 s long, in "for", which becomes 3 s at most, and in
// thresholds that are written as minutes. What is compared is the same
// otherwise: shares, rates and counts stay as they are.
func scaled(rules string) string {
	rules = window.ReplaceAllStringFunc(rules, func(s string) string {
		m := window.FindStringSubmatch(s)
		return fmt.Sprintf("[%ds]", max(8, min(12, shortened(m[1], m[2]))))
	})
	rules = pending.ReplaceAllStringFunc(rules, func(s string) string {
		m := pending.FindStringSubmatch(s)
		return fmt.Sprintf("%s%ds", m[1], min(3, shortened(m[2], m[3])))
	})
	return threshold.ReplaceAllString(rules, "$1")
}

// shortened is the duration in minutes.
func shortened(n, unit string) int {
	count, _ := strconv.Atoi(n) // digits
	of := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[unit]
	return int(time.Duration(count) * of / time.Minute)
}
