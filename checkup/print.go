package checkup

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Print writes the report for people, the worst first. The language is Chinese
// for "zh", English for everything else.
func (r Report) Print(w io.Writer, language string) error {
	var b strings.Builder
	counts := make(map[Severity]int)
	for _, f := range r.From(OK) {
		counts[f.Severity]++
		f.print(&b, language)
	}
	last := Text{
		ZH: "错误 %d，警告 %d，提示 %d，正常 %d；用时 %s\n",
		EN: "%d errors, %d warnings, %d notes, %d fine; took %s\n",
	}
	if !r.At.IsZero() { // the catalogue has nothing to sum up
		fmt.Fprintf(&b, last.In(language), counts[Error], counts[Warning], counts[Info], counts[OK], r.Took.Round(time.Millisecond))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) print(b *strings.Builder, language string) {
	fmt.Fprintf(b, "%-8s %s\n         %s\n", f.Severity, f.ID, f.Says.In(language))
	if f.Detail != "" {
		fmt.Fprintf(b, "         (%s)\n", strings.Join(strings.Fields(f.Detail), " "))
	}
	if remedy := f.Remedy.In(language); remedy != "" {
		fmt.Fprintf(b, "         → %s\n", remedy)
	}
}

// In is the text in a language: Chinese for "zh", English for everything else.
func (t Text) In(language string) string {
	if language == "zh" {
		return t.ZH
	}
	return t.EN
}
