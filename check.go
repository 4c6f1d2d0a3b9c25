package wxpay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/internal/probe"
	"github.com/wxpaykit/wxpay/internal/seal"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// checkTimeout is the longest a check takes.
const checkTimeout = 20 * time.Second

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
	if len(faults) > 0 {
		return report(ctx, time.Now, func(context.Context) (found []checkup.Finding) {
			for _, fault := range faults {
				found = append(found, checkup.Found("settings-wrong", fault.Error()))
			}
			return append(found, m.checkFile()...)
		})
	}
	o := Options{Merchant: m}.withDefaults()
	key, err := seal.New(m.APIv3Key) // of an app without a Secret of its own
	if err != nil {
		return report(ctx, time.Now, func(context.Context) []checkup.Finding {
			return []checkup.Finding{checkup.Found("settings-wrong", err.Error())}
		})
	}
	acct.seal = key
	return report(ctx, time.Now,
		func(ctx context.Context) []checkup.Finding { return o.checkAccount(ctx, acct) },
		func(ctx context.Context) []checkup.Finding { return o.checkNotify(ctx, acct, nil) })
}

// report runs the parts of a check beside each other, and puts what they find
// one after the other.
func report(ctx context.Context, now func() time.Time, parts ...func(context.Context) []checkup.Finding) checkup.Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	start := time.Now()
	results := make([]chan []checkup.Finding, len(parts))
	for i, part := range parts {
		results[i] = make(chan []checkup.Finding, 1)
		go func() { results[i] <- part(ctx) }()
	}
	r := checkup.Report{At: now()}
	for _, result := range results {
		r.Findings = append(r.Findings, <-result...)
	}
	r.Took = time.Since(start)
	return r
}

func (k *Kit) checkAccount(ctx context.Context) []checkup.Finding {
	return k.opt.checkAccount(ctx, k.acct)
}

func (k *Kit) checkNotify(ctx context.Context) []checkup.Finding {
	return k.opt.checkNotify(ctx, k.acct, &k.checks)
}

// checkAccount is about WeChat Pay and what belongs to the account.
func (o Options) checkAccount(ctx context.Context, acct account) []checkup.Finding {
	found, downloaded := probe.WeChat{
		Signer: acct.signer, APIv3Key: acct.apiv3, PublicKey: acct.publicKey(), BaseURL: o.Merchant.APIBase,
		HTTPClient: o.HTTPClient, Now: o.Now, NewNonce: o.NewNonce,
	}.Check(ctx)
	found = append(found, probe.Base(o.Merchant.APIBase, acct.loopback, o.notifiedHere())...)
	found = append(found, o.Merchant.checkOwnCertificate(o.Now()))
	if acct.publicKey().PublicKey() == nil {
		found = append(found, probe.PlatformDays(append(downloaded, acct.keys.Keys()...), o.Now())...)
	}
	found = append(found, o.Merchant.checkFile()...)
	return append(found, acct.checkAppIDs()...)
}

// publicKey is WeChat Pay's public key, or the zero key of an account with
// platform certificates.
func (a account) publicKey() wxcrypto.VerifyKey {
	for _, key := range a.keys.Keys() {
		if key.NotAfter().IsZero() {
			return key
		}
	}
	return wxcrypto.VerifyKey{}
}

// notifiedHere reports whether the notify URL is on this machine.
func (o Options) notifiedHere() bool {
	u, err := url.Parse(o.NotifyURL)
	return err == nil && (u.Host == "" || isLoopback(u.Hostname()))
}

// checkNotify calls the notify URL as somebody who is not WeChat Pay.
func (o Options) checkNotify(ctx context.Context, acct account, here *probe.Arrivals) []checkup.Finding {
	preferred, _ := acct.keys.Preferred(o.Now())
	return probe.Notify{
		URL: o.NotifyURL, Simulated: acct.loopback, Here: here, Seal: acct.seal, Serial: preferred.Serial(),
		Now: o.Now, NewNonce: o.NewNonce,
	}.Check(ctx)
}

func (m Merchant) checkOwnCertificate(now time.Time) checkup.Finding {
	if m.Certificate == "" {
		return checkup.Found("merchant-certificate-unchecked", "")
	}
	cert, err := wxcrypto.ParseCertificate([]byte(m.Certificate))
	if err != nil { // parse was content with it
		return checkup.Found("settings-wrong", err.Error())
	}
	return probe.Days("merchant", cert.NotBefore(), cert.NotAfter(), now)
}

// checkFile is about the private key's file, if it came from one. Windows has
// no such permissions. Source: quality checklist, "644 or wider".
func (m Merchant) checkFile() []checkup.Finding {
	const everybody = 0o007
	if m.keyFile == "" || runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(m.keyFile)
	switch {
	case err != nil:
		return nil // it was read a moment ago, or a fault says so
	case info.Mode().Perm()&everybody != 0:
		return []checkup.Finding{checkup.Found("key-file-open", info.Mode().Perm().String())}
	}
	return []checkup.Finding{checkup.Found("key-file-private", "")}
}

// checkAppIDs looks at the form: what is bound to the account only a prepay
// tells.
func (a account) checkAppIDs() (found []checkup.Finding) {
	seen := make(map[string]bool)
	for _, product := range orderstore.Products() {
		id, ok := a.appIDs[product]
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		if len(id) != 18 || id[:2] != "wx" {
			found = append(found, checkup.Found("appid-odd", id))
		}
	}
	return found
}

// checkApp is about the options and this process.
func (k *Kit) checkApp(context.Context) (found []checkup.Finding) {
	running := "run-running"
	if k.running.Load() == 0 {
		running = "run-missing"
	}
	found = append(found, checkup.Found(running, ""))
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
