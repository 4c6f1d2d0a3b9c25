package orderstore

import (
	"fmt"
	"strings"
	"time"
)

// Timeline prints an order and its history for people, a line for each event:
// the time in Beijing, what happened, who said so, and what there is to say.
func Timeline(o Order, events []Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "order %s of %v for %s: %v", o.OutTradeNo, o.Total, o.UserID, o.PayStatus)
	if o.TransactionID != "" {
		fmt.Fprintf(&b, ", transaction %s", o.TransactionID)
	}
	if o.RefundStatus != "" {
		fmt.Fprintf(&b, ", %v, %v of it is back", o.RefundStatus, o.Refunded)
	}
	b.WriteString("\n")
	beijing := time.FixedZone("CST", 8*60*60)
	for _, e := range events {
		line := fmt.Sprintf("%s  %-24s", e.At.In(beijing).Format("2006-01-02 15:04:05.000"), e.Kind)
		for _, fact := range []struct{ label, text string }{
			{"by ", string(e.Source)}, {"id ", e.ID}, {"signed with ", e.Serial}, {"", oneLine(e.Note)},
		} {
			if fact.text != "" {
				line += "  " + fact.label + fact.text
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// oneLine keeps foreign text from looking like an event.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}
