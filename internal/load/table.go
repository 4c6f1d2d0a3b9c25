package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// ratio is the median, over the rounds, of the kit's rate and that of the other
// handler.
func (r row) ratio(other string) float64 {
	var ratios []float64
	for i, t := range r.turns[ofKit] {
		ratios = append(ratios, t.rate/r.turns[other][i].rate)
	}
	return median(ratios)
}

func (r row) rate(handler string) float64 {
	var rates []float64
	for _, t := range r.turns[handler] {
		rates = append(rates, t.rate)
	}
	return median(rates)
}

func (r row) latency(handler string, of func(turn) time.Duration) time.Duration {
	var all []time.Duration
	for _, t := range r.turns[handler] {
		all = append(all, of(t))
	}
	return median(all)
}

func p50(t turn) time.Duration { return t.p50 }
func p99(t turn) time.Duration { return t.p99 }
func cpu(t turn) time.Duration { return t.cpu }

// print writes in Markdown whether the targets were met.
func print(out io.Writer, targets []target) error {
	var b strings.Builder
	b.WriteString("| target | wanted | measured | |\n|---|---:|---:|---|\n")
	for _, t := range targets {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", t.name, t.wanted(), t.measured(), t.verdict())
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// figures are the table of what was measured, in Markdown.
func (r results) figures() string {
	var b strings.Builder
	fmt.Fprintf(&b, "To verify, decrypt and decode: %v, the cryptography alone %v.\n\n", r.reads.kit, r.reads.floor)
	b.WriteString("| in flight | GOMAXPROCS | kit /s | p50 | p99 | CPU | least /s | p99 | CPU | no store /s | CPU | naive /s | p99 | one connection /s | p99 | CPU |\n|---|---" + strings.Repeat("|---:", 14) + "|\n")
	for _, row := range r.rows {
		fmt.Fprintf(&b, "| %d | %d | %.0f | %s | %s | %s | %.0f | %s | %s | %.0f | %s | %.0f | %s | %.0f | %s | %s |\n", row.inFlight, row.procs,
			row.rate(ofKit), short(row.latency(ofKit, p50)), short(row.latency(ofKit, p99)), micros(row.latency(ofKit, cpu)),
			row.rate(ofLeast), short(row.latency(ofLeast, p99)), micros(row.latency(ofLeast, cpu)), row.rate(withNone), micros(row.latency(withNone, cpu)),
			row.rate(ofNaive), short(row.latency(ofNaive, p99)), row.rate(ofOne), short(row.latency(ofOne, p99)), micros(row.latency(ofOne, cpu)))
	}
	for _, handler := range []string{ofKit, ofNaive, ofOne, ofLeast, withNone} {
		if refused := r.refused(handler); refused > 0 {
			fmt.Fprintf(&b, "\n%s: %d notifications were refused; WeChat Pay would send them again.\n", handler, refused)
		}
	}
	return b.String()
}

// peak is the most memory that the kit's server had in any turn.
func (r results) peak() (most int64) {
	for _, row := range r.rows {
		for _, t := range row.turns[ofKit] {
			most = max(most, t.peak)
		}
	}
	return most
}

// refused counts over all turns of a handler.
func (r results) refused(handler string) (n int) {
	for _, row := range r.rows {
		for _, t := range row.turns[handler] {
			n += t.refused
		}
	}
	return n
}

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
func short(d time.Duration) string  { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
