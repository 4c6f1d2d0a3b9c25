package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// fill writes the rows of the table.
func (s *scene) fill(ctx context.Context, r *report, l audit.Ledgers, settled time.Duration) error {
	sources, err := s.books.sources(ctx, "'paid', 'paid_late'")
	refundSources, refundErr := s.books.sources(ctx, "'refunded', 'refund_closed', 'refund_abnormal'")
	if err := errors.Join(err, refundErr); err != nil {
		return err
	}
	row := func(name, format string, args ...any) {
		r.rows = append(r.rows, [2]string{name, fmt.Sprintf(format, args...)})
	}
	if s.conf.damage != "" {
		row("broken on purpose", "%s", s.conf.damage)
	}
	row("duration", "%v of chaos, then %v until the books agreed or were given up", s.conf.time, settled.Round(time.Second/10))
	row("seed", "%d", s.conf.seed)
	row("database", "%s", s.books.db.kind(ctx))
	row("replicas", "%d%s", s.conf.replicas, map[bool]string{true: ", one in the first third"}[s.conf.replicas > 1])
	row("customers", "%d", s.conf.customers)
	row("kills, restarts", "%d, %d", s.fleet.kills, s.fleet.restarts.Load())
	if s.conf.disaster != nil {
		row("disaster", "%s", s.befell)
	}
	row("prepays", "%d given to customers, %d asked for again", s.counts.get("prepays"), s.counts.get("prepays asked for again"))
	row("orders here", "%s", counted(statesHere(l)))
	row("orders at WeChat", "%s", counted(statesThere(l)))
	row("paid, heard by", "%s", counted(sources))
	row("granted", "%s", counted(granted(l)))
	row("customers did", "%s", counted(s.did()))
	row("answers", "%s", counted(s.answers()))
	row("notifications", "%s", counted(s.notifications()))
	row("  looked up at once", "%s", counted(s.witness.looks()))
	row("faults", "%s", counted(s.weather.struck))
	row("refunds asked for", "%d; %s", len(l.Wishes), counted(s.asked()))
	row("refunds here", "%s", counted(refundStates(l.RefundsHere)))
	row("refunds at WeChat", "%s", counted(refundStates(l.RefundsWeChat)))
	row("  their end heard by", "%s", counted(refundSources))
	row("violations", "%d %s", len(r.violations), counted(r.rules()))
	return nil
}

func (r *report) rules() map[string]int {
	n := map[string]int{}
	for _, v := range r.violations {
		n[string(v.Rule)]++
	}
	return n
}

func statesHere(l audit.Ledgers) map[string]int {
	n := map[string]int{}
	for _, o := range l.Here {
		n[[...]string{"unpaid", "paid", "closed"}[o.PayStatus]]++
	}
	return n
}

func statesThere(l audit.Ledgers) map[string]int {
	n := map[string]int{}
	for _, p := range l.WeChat {
		n[p.TradeState]++
	}
	return n
}

// did is what customers did beside placing orders.
func (s *scene) did() map[string]int {
	n := s.counts.all()
	maps.DeleteFunc(n, func(what string, _ int) bool {
		return strings.Contains(what, "answer") || strings.HasPrefix(what, "prepays") || strings.HasPrefix(what, "refunds")
	})
	return n
}

func (s *scene) answers() map[string]int {
	n := map[string]int{}
	for what, times := range s.counts.all() {
		if what == "no answer" {
			n["none: the shop was dead"] = times
		} else if code, ok := strings.CutPrefix(what, "answer "); ok {
			n["× "+code] = times
		}
	}
	return n
}

// notifications counts the sends by how they ended.
func (s *scene) notifications() map[string]int {
	n := map[string]int{}
	for _, sent := range s.sim.Notifications() {
		switch {
		case sent.Accepted:
			n["accepted"]++
		case sent.Fault == "drop":
			n["lost on the way"]++
		case sent.Fault != "" && sent.Fault != "duplicate":
			n[fmt.Sprintf("forged or stale, answered %d", sent.Status)]++
		case sent.Status == 0:
			n["unanswered: the shop was dead"]++
		default:
			n[fmt.Sprintf("refused with %d", sent.Status)]++
		}
	}
	return n
}

// asked is how the admin was answered.
func (s *scene) asked() map[string]int {
	n := map[string]int{}
	for what, times := range s.counts.all() {
		if what, ok := strings.CutPrefix(what, "refunds "); ok {
			n[what] = times
		}
	}
	return n
}

func refundStates(list []audit.Refund) map[string]int {
	n := map[string]int{}
	for _, r := range list {
		n[r.Status]++
	}
	return n
}

// granted is what became of the memberships.
func granted(l audit.Ledgers) map[string]int {
	n := map[string]int{}
	for _, g := range l.Grants {
		switch {
		case g.At.IsZero():
			n["never, the money went back first"]++
		case g.Revoked:
			n["taken back"]++
		default:
			n["kept"]++
		}
	}
	return n
}
