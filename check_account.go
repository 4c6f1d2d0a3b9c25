package wxpay

import (
	"context"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/internal/probe"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func (k *Kit) checkAccount(ctx context.Context) []checkup.Finding {
	return k.opt.checkAccount(ctx, k.acct)
}

func (k *Kit) checkNotify(ctx context.Context) []checkup.Finding {
	return k.opt.checkNotify(ctx, k.acct, &k.checks)
}

// checkAccount is about WeChat Pay and what belongs to the account.
func (o Options) checkAccount(ctx context.Context, acct account) []checkup.Finding {
	if !acct.v3 {
		found := []checkup.Finding{checkup.Found("api-v3-absent", ""), o.Merchant.checkOwnCertificate(o.Now())}
		return append(append(found, o.Merchant.checkFile()...), acct.checkAppIDs()...)
	}
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
	if !acct.v3 {
		return []checkup.Finding{checkup.Found("notify-unchecked", "")}
	}
	preferred, _ := acct.keys.Preferred(o.Now())
	return probe.Notify{
		URL: o.NotifyURL, Simulated: acct.loopback, Here: here, Seal: acct.seal, Serial: preferred.Serial(),
		Now: o.Now, NewNonce: wxcrypto.NewNonce, // a nonce of its own for each call, whatever the app's are
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
