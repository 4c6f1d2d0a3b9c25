package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// figures are what the attack did, in Markdown.
func (a *attack) figures() string {
	var b strings.Builder
	took, late := a.latencies()
	fmt.Fprintf(&b, "Of each second, %d forgeries (the latest left %s behind its time) and %d genuine notifications, all of them stored: "+
		"p50 %s, p99 %s, the slowest %s. A message took %s of all processors of the server.\n\n",
		a.forged, short(late), a.siege.good, short(took[len(took)/2]), short(took[len(took)*99/100]), short(took[len(took)-1]),
		micros(a.cpu/time.Duration(len(a.goodHits)+len(a.badHits)+len(a.warm))))
	begin, middle, end := a.third(0), a.third(1), a.third(2)
	fmt.Fprintf(&b, "Memory: %.1f MiB at the beginning; %.1f, %.1f and %.1f in each third; %.1f at its peak. Certificates were fetched %d times.\n\n",
		mebi(a.memory[0]), mebi(begin), mebi(middle), mebi(end), mebi(a.peak), a.platform.asked.Load())
	b.WriteString("| forgery | answer | p50 | p99 | refused by the header alone in | allocations |\n|---|---|---:|---:|---:|---:|\n")
	for i, kind := range forgeries {
		took := a.tookOf(i)
		alone := " | "
		for _, r := range a.refusing {
			if r.kind == kind.name {
				alone = fmt.Sprintf("%v | %.0f", r.took, r.allocs)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", kind.name, kind.answer, short(took[len(took)/2]), short(took[len(took)*99/100]), alone)
	}
	return b.String()
}

// latencies are those of the genuine notifications, sorted, and how late the
// latest forgery was sent.
func (a *attack) latencies() (took []time.Duration, late time.Duration) {
	for _, h := range a.goodHits {
		took = append(took, h.took)
	}
	for _, h := range a.badHits {
		late = max(late, h.sent)
	}
	slices.Sort(took)
	return took, late
}

// tookOf are the latencies of the forgeries of a kind, sorted.
func (a *attack) tookOf(kind int) (took []time.Duration) {
	for _, h := range a.badHits {
		if h.shot%len(forgeries) == kind {
			took = append(took, h.took)
		}
	}
	slices.Sort(took)
	return took
}

// third is the median memory in a third of the time.
func (a *attack) third(i int) int64 {
	n := len(a.memory) / 3
	return median(slices.Clone(a.memory[i*n : (i+1)*n]))
}

// What is promised under attack: how long a genuine notification waits, how far
// memory of the last third may be above that of the second, what a refusal by
// the header takes, and how far behind its time a forgery may be sent, for
// otherwise the attack is weaker than it says.
const (
	patienceOfWeChat = time.Second
	flat             = 1.1
	refusal          = time.Microsecond
	latest           = time.Second
)

func (a *attack) targets() []target {
	took, late := a.latencies()
	at := fmt.Sprintf("%d forgeries a second: ", a.forged)
	all := []target{
		{at + "p99 of genuine notifications", took[len(took)*99/100].Seconds() * 1000, patienceOfWeChat.Seconds() * 1000, true, " ms"},
		{at + "memory of the last third, of the second", float64(a.third(2)) / float64(a.third(1)), flat, true, " ×"},
		{at + "certificates fetched", float64(a.platform.asked.Load()), float64(1 + int(a.span/time.Minute)), true, ""},
		{at + "the latest was sent behind its time", late.Seconds() * 1000, latest.Seconds() * 1000, true, " ms"},
		peakTarget(strings.TrimSuffix(at, ": "), a.peak),
	}
	for _, r := range a.refusing {
		all = append(all, target{"refused by its header: " + r.kind, float64(r.took.Nanoseconds()), float64(refusal.Nanoseconds()), true, " ns"})
	}
	return all
}
