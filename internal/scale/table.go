package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// print writes the results as a table of Markdown: medians, in parentheses the
// 99th percentile, and how the last median compares with the first.
func print(out io.Writer, store string, results []result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", store)
	for _, r := range results {
		fmt.Fprintf(&b, " %s orders |", thousands(r.size))
	}
	b.WriteString(" last / first |\n|---|" + strings.Repeat("---:|", len(results)+1) + "\n")
	first, last := results[0], results[len(results)-1]
	for i, c := range first.costs {
		fmt.Fprintf(&b, "| %s |", c.call)
		for _, r := range results {
			fmt.Fprintf(&b, " %s (%s) |", micros(r.costs[i].median), micros(r.costs[i].p99))
		}
		fmt.Fprintf(&b, " %.2f |\n", float64(last.costs[i].median)/float64(c.median))
	}
	b.WriteString("| bytes per order |")
	for _, r := range results {
		fmt.Fprintf(&b, " %s |", thousands(r.bytes/r.size))
	}
	fmt.Fprintf(&b, " %.2f |\n", float64(last.bytes)/float64(last.size)/(float64(first.bytes)/float64(first.size)))
	_, err := io.WriteString(out, b.String())
	return err
}

func micros(d time.Duration) string { return thousands(d.Microseconds()) + " µs" }

// thousands writes a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
