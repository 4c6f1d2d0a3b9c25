package main

import (
	"fmt"
	"strings"
	"time"
)

// What is promised of a kit with many pending orders.
const (
	startIn    = 2 * time.Second
	restingMiB = 64
	dueRatio   = 1.5
)

func (g growth) targets() []target {
	few, many := g[0], g[len(g)-1]
	at := fmt.Sprintf("%d pending: ", many.pending)
	return []target{
		{at + "from the start to the first question", many.first.Seconds() * 1000, startIn.Seconds() * 1000, true, " ms"},
		{at + fmt.Sprintf("Due, of that at %d", few.pending), float64(many.due) / float64(few.due), dueRatio, true, " ×"},
		{at + "memory at rest", mebi(many.resting), restingMiB, true, " MiB"},
		{at + fmt.Sprintf("memory at rest, of that at %d", few.pending), float64(many.resting) / float64(few.resting), flat, true, " ×"},
		peakTarget(strings.TrimSuffix(at, ": "), many.peak),
	}
}

// figures are the table of what was measured, in Markdown.
func (g growth) figures() string {
	var b strings.Builder
	b.WriteString("| pending | filled in | Due | start to first question | orders asked about | memory then | at rest | peak | CPU |\n|---" + strings.Repeat("|---:", 8) + "|\n")
	for _, r := range g {
		fmt.Fprintf(&b, "| %d | %.1f s | %s | %s | %d | %.1f MiB | %.1f MiB | %.1f MiB | %.1f s |\n", r.pending, r.filling.Seconds(),
			micros(r.due), short(r.first), r.asked, mebi(r.begin), mebi(r.resting), mebi(r.peak), r.cpu.Seconds())
	}
	return b.String()
}
