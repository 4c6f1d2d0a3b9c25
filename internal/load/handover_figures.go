package main

import (
	"fmt"
	"strings"
	"time"
)

// with are the turns with Run, or those without.
func (h *handover) with(run bool) (turns []handed) {
	for i, t := range h.turns {
		if run == (i%2 == 1) {
			turns = append(turns, t)
		}
	}
	return turns
}

// ratio is the median of what the rate with Run is of that without, round by
// round.
func (h *handover) ratio() float64 {
	var ratios []float64
	for i, t := range h.with(true) {
		ratios = append(ratios, t.rate/h.with(false)[i].rate)
	}
	return median(ratios)
}

// medianOf is the median of a figure over turns.
func medianOf[T int | float64 | time.Duration](turns []handed, of func(handed) T) T {
	var all []T
	for _, t := range turns {
		all = append(all, of(t))
	}
	return median(all)
}

func (h *handover) peak() (most int64) {
	for _, t := range h.with(true) {
		most = max(most, t.peak)
	}
	return most
}

func (h *handover) targets() []target {
	return []target{peakTarget("hand-over beside notifications", h.peak())}
}

// figures are the table of what was measured, in Markdown.
func (h *handover) figures() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d in flight. With Run the rate is %.2f of that without, and every payment was handed over once.\n\n", handingInFlight, h.ratio())
	b.WriteString("| | acknowledged /s | p50 | p99 | CPU | handed over /s | owed at the end of the load | memory at its peak |\n|---|" + strings.Repeat("---:|", 7) + "\n")
	for _, run := range []bool{false, true} {
		turns := h.with(run)
		name, handing := "without Run", " | "
		if run {
			name = "with Run"
			handing = fmt.Sprintf("%.0f | %d", medianOf(turns, handed.handedRate), medianOf(turns, func(t handed) int { return t.owed }))
		}
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %s | %.1f MiB |\n", name, medianOf(turns, func(t handed) float64 { return t.rate }),
			short(medianOf(turns, func(t handed) time.Duration { return t.p50 })), short(medianOf(turns, func(t handed) time.Duration { return t.p99 })),
			micros(medianOf(turns, func(t handed) time.Duration { return t.cpu })), handing, medianOf(turns, func(t handed) float64 { return mebi(t.peak) }))
	}
	return b.String()
}

// handedRate is in a second, from the first notification to the last hand-over.
func (t handed) handedRate() float64 { return float64(len(t.acknowledged)) / t.whole.Seconds() }
