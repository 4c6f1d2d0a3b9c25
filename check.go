package wxpay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/internal/seal"
)

// checkTimeout is how long the parts of a check have. What does not heed it,
// such as a signer that hangs, is left behind a little later.
const (
	checkTimeout  = 20 * time.Second
	checkPatience = time.Second
)

// Check finds out what would go wrong in production: whether WeChat Pay takes
// the signature, the keys open and verify what WeChat Pay sends, the clock is
// right, the notify URL reaches this very process without login, the store is
// safe, certificates last, and [Kit.Run] runs. Call it when the server listens
// and Run runs; print the report or refuse to start on its Err.
//
// It takes 20 seconds at most. It changes no order and places none. It calls
// WeChat Pay twice and the notify URL up to four times, so do not let strangers
// trigger it. Package checkup lists what it can find.
func (k *Kit) Check(ctx context.Context) checkup.Report {
	return report(ctx, k.opt.Now, k.checkAccount, k.checkNotify, k.checkStore, k.checkApp)
}

// Check finds out what is wrong with the account, without an app around it:
// what [Kit.Check] says of keys, clock, certificates and, when there is one, of
// the notify URL. Faults that [New] would report are findings, too.
func (m Merchant) Check(ctx context.Context) checkup.Report {
	acct, faults := m.parse(m.onlyAPI())
	if m.NotifyURL != "" {
		if err := checkNotifyURL("NotifyURL", "/notify", m.NotifyURL); err != nil {
			faults = append(faults, err)
		}
	}
	var err error
	if acct.seal, err = seal.New(m.APIv3Key); err != nil { // as an app without a Secret of its own has it
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return report(ctx, time.Now, func(context.Context) []checkup.Finding { return append(settings(faults), m.checkFile()...) })
	}
	o := Options{Merchant: m}.withDefaults()
	return report(ctx, time.Now,
		func(ctx context.Context) []checkup.Finding { return o.checkAccount(ctx, acct) },
		func(ctx context.Context) []checkup.Finding { return o.checkNotify(ctx, acct, nil) })
}

// settings are the faults that New would report.
func settings(faults []error) (found []checkup.Finding) {
	for _, fault := range faults {
		found = append(found, checkup.Found("settings-wrong", fault.Error()))
	}
	return found
}

// report runs the parts of a check beside each other, and puts what they find
// one after the other.
func report(ctx context.Context, now func() time.Time, parts ...func(context.Context) []checkup.Finding) checkup.Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	late := make(chan struct{})
	patience := context.AfterFunc(ctx, func() { time.AfterFunc(checkPatience, func() { close(late) }) })
	defer patience()
	start := time.Now()
	results := make([]chan []checkup.Finding, len(parts))
	for i, part := range parts {
		results[i] = make(chan []checkup.Finding, 1)
		go func() { results[i] <- part(ctx) }()
	}
	r := checkup.Report{At: now()}
	for _, result := range results {
		r.Findings = append(r.Findings, await(result, late)...)
	}
	r.Took = time.Since(start)
	return r
}

// await waits for a part, until it is late.
func await(result <-chan []checkup.Finding, late <-chan struct{}) []checkup.Finding {
	select {
	case found := <-result:
		return found
	case <-late:
	}
	select { // both may have come while another part was waited for
	case found := <-result:
		return found
	default:
		return []checkup.Finding{checkup.Found("check-cut-short", "")}
	}
}

// checkApp is about the options and this process.
func (k *Kit) checkApp(context.Context) (found []checkup.Finding) {
	running := "run-running"
	if k.running.Load() == 0 {
		running = "run-missing"
	}
	bills := "bills-compared"
	if !k.opt.ReconcileDaily {
		bills = "bills-not-compared"
	}
	found = append(found, checkup.Found(running, ""), checkup.Found(bills, ""))
	if k.opt.AuthorizeRefund == nil {
		found = append(found, checkup.Found("refunds-off", ""))
	}
	if k.acct.secretDerived {
		found = append(found, checkup.Found("secret-derived", ""))
	}
	return found
}

// errNoTime is a store that did not come back in time.
var errNoTime = errors.New("no answer in time")

// within calls the app's code, which may hang or panic, and waits no longer
// than ctx.
func within(ctx context.Context, call func(context.Context) error) error {
	result := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("panic: %v", p)
			}
		}()
		result <- call(ctx)
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoTime, ctx.Err())
	}
}
