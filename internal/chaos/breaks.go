package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// edit is an exact replacement in one file of the module.
type edit struct{ file, old, new string }

// apply fails unless old stands in the text exactly once: code that has moved
// on must not make a break do nothing.
func (e edit) apply(text string) (string, error) {
	if n := strings.Count(text, e.old); n != 1 {
		return "", fmt.Errorf("%s has %d times what is to be replaced, want once:\n%s", e.file, n, e.old)
	}
	return strings.Replace(text, e.old, e.new, 1), nil
}

// mistake is a way to break the kit, and what it is seen by.
type mistake struct {
	name  string
	seen  []audit.Rule // at least one of them
	edits []edit
}

// mistakes are the breaks that a run must notice.
func mistakes() []mistake {
	return []mistake{
		{"ack-before-commit", []audit.Rule{audit.AckedUnstored}, []edit{{"notify_handler.go", `		k.inTime(w, r, settle, answer)
`, `		go func() { _ = settle(context.WithoutCancel(r.Context())) }()
		answer(nil)
`}}},
		{"skip-lease", []audit.Rule{audit.HandedUnclaimed, audit.HandedOverTwice}, []edit{{"worker/duty.go",
			`	if !w.save(ctx, claim) {`,
			`	if !claim.ToHandOver() && !w.save(ctx, claim) {`}}},
		{"forget-conditional-update", []audit.Rule{audit.HandedOverTwice, audit.PaidTwice, audit.NotHandedOver, audit.TakenBack}, []edit{{"orderstore/internal/sqlstore/statements.go",
			`SET %s WHERE out_trade_no = ? AND version = ?"`,
			`SET %s WHERE out_trade_no = ? AND ? > 0"`}}},
		{"drop-outbox", []audit.Rule{audit.NotGranted}, []edit{{"orderstore/payment.go",
			`	o.HandOverAt = now
	return o.appointed().with(`,
			`	o.HandOverAt, o.NextActionAt = now, time.Time{}
	return o.with(`}}},
		{"new-refund-number", []audit.Rule{audit.RefundDoubled, audit.RefundUnwished}, []edit{
			{"internal/till/refund_step.go", `	"errors"
`, `	"errors"
	"strings"
`},
			{"internal/till/refund_step.go", `	if claim.Tries > 1 {
		if asked`, `	if claim.Tries > 1 {
		claim.Request = strings.Replace(claim.Request, claim.OutRefundNo, claim.OutRefundNo+strings.Repeat("x", claim.Tries), 1)
	}
	if false {
		if asked`}}},
	}
}

func breakOf(name string) (mistake, error) {
	all := mistakes()
	i := slices.IndexFunc(all, func(m mistake) bool { return m.name == name })
	if i < 0 {
		return mistake{}, fmt.Errorf("unknown, want one of %s", strings.Join(breakNames(), " "))
	}
	return all[i], nil
}

func breakNames() []string {
	var names []string
	for _, m := range mistakes() {
		names = append(names, m.name)
	}
	return names
}
