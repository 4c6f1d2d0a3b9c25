package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// report is what came of a run.
type report struct {
	rows       [][2]string
	violations []audit.Violation
	short      []string // what the run had too little of
	history    string   // of the orders that are wrong
}

func (r report) failed() bool { return len(r.violations) > 0 || len(r.short) > 0 }

// print writes the table, and what is wrong line by line.
func (r report) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range r.rows {
		fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
	}
	_ = table.Flush()
	fmt.Fprint(w, r.history)
	for _, s := range r.short {
		fmt.Fprintln(w, "too little chaos:", s)
	}
}

// mostShown is how many violations of one rule are printed in full.
const mostShown = 5

// report audits the final ledgers.
func (s *scene) report(ctx context.Context, l audit.Ledgers, settled time.Duration) (report, error) {
	var logs []string
	for _, shop := range s.fleet.shops {
		logs = append(logs, shop.log)
	}
	var err, refundErr error
	l.HandOvers, err = handOvers(logs, orderTaken)
	l.RefundHandOvers, refundErr = handOvers(logs, refundTaken)
	if err := errors.Join(err, refundErr); err != nil {
		return report{}, err
	}
	told := s.admin.told(ctx, s.conf.dice(diceOfAdmin), l)
	r := report{violations: slices.Concat(audit.Compare(l), told, s.witness.violations(), s.forgeries(), s.diary.complaints(), s.books.check(ctx))}
	r.tooLittle("kills", s.fleet.kills, s.conf.leastKills)
	there := statesThere(l)
	r.tooLittle("paid orders", there["SUCCESS"]+there["REFUND"], s.conf.leastPaid)
	r.tooLittle("refunds", len(l.RefundsWeChat), s.conf.leastRefunds)
	if err := s.fill(ctx, &r, l, settled); err != nil {
		return r, err
	}
	r.history, err = s.histories(ctx, r.violations)
	return r, err
}

// histories prints the first violations of each rule with the order's row and
// its history.
func (s *scene) histories(ctx context.Context, violations []audit.Violation) (string, error) {
	var out strings.Builder
	shown := map[audit.Rule]int{}
	for _, v := range violations {
		if shown[v.Rule]++; shown[v.Rule] > mostShown {
			continue
		}
		fmt.Fprintf(&out, "\n%v\n", v)
		if v.OutTradeNo == "" {
			continue
		}
		if p, known := s.sim.Order(v.OutTradeNo); known {
			fmt.Fprintf(&out, "    WeChat %+v\n", p)
			s.calls(&out, v.OutTradeNo)
		}
		if err := s.books.describe(ctx, &out, v.OutTradeNo); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// calls prints what WeChat was asked about an order, of late.
func (s *scene) calls(w io.Writer, no string) {
	for _, c := range s.sim.Calls() {
		if strings.Contains(c.Path, no) || strings.Contains(string(c.Body), no) {
			fmt.Fprintf(w, "    call  %s %s answered %d %s\n", c.At.UTC().Format("15:04:05.000000"), c.Target, c.Status, c.Fault)
		}
	}
}

func (r *report) tooLittle(what string, got, least int) {
	if got < least {
		r.short = append(r.short, fmt.Sprintf("%d %s, want %d", got, what, least))
	}
}

// forgeries are the notifications that were acknowledged although WeChat did
// not say what they said.
func (s *scene) forgeries() (found []audit.Violation) {
	for _, n := range s.sim.Notifications() {
		switch n.Fault {
		case "forge", "probe", "wrong_amount", "old_timestamp", "wrong_key":
			if n.Status/100 == 2 {
				found = append(found, audit.Violation{Rule: audit.AckedForgery, OutTradeNo: n.OutTradeNo,
					Detail: fmt.Sprintf("%s was answered with %d", n.Fault, n.Status)})
			}
		}
	}
	return found
}

// counted prints "12 of this, 3 of that", the most first.
func counted(n map[string]int) string {
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", n[name], name))
	}
	return strings.Join(parts, ", ")
}
