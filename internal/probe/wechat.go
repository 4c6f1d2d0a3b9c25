// Package probe asks WeChat Pay and the kit's own notify URL how they do, and
// makes findings of the answers. Nothing here changes an order.
package probe

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// How long one try of a call may take, and a call.
const (
	tryTimeout  = 4 * time.Second
	callTimeout = 8 * time.Second
)

// WeChat is an account whose keys are to be proved. All fields but HTTPClient
// are required; PublicKey may be the zero key.
type WeChat struct {
	Signer     wxcrypto.Signer
	APIv3Key   wxcrypto.APIv3Key
	PublicKey  wxcrypto.VerifyKey // 微信支付公钥, of accounts that have one
	BaseURL    string
	HTTPClient *http.Client
	Now        func() time.Time
	NewNonce   func() string
}

// Check makes at most two calls to WeChat Pay, with clients of its own: what
// they learn is fresh, and no metric counts them. It returns the findings, and
// the platform certificates that it downloaded.
func (w WeChat) Check(ctx context.Context) ([]checkup.Finding, []wxcrypto.VerifyKey) {
	dates := &dates{now: w.Now}
	client := http.Client{}
	if w.HTTPClient != nil {
		client = *w.HTTPClient
	}
	if client.Transport == nil {
		own := transport()
		defer own.CloseIdleConnections()
		client.Transport = own
	}
	dates.next = client.Transport
	client.Transport = dates
	w.HTTPClient = &client

	certificates := wxcrypto.NewKeySet()
	found, accepted := w.certificates(ctx, certificates)
	if accepted && w.PublicKey.PublicKey() != nil {
		found = append(found, w.publicKey(ctx))
	}
	if accepted && w.PublicKey.PublicKey() == nil && len(certificates.Keys()) == 0 {
		found = append(found, missingKey(found)...)
	}
	return append(found, dates.finding(found)), certificates.Keys()
}

func (w WeChat) client(keys *wxcrypto.KeySet) (*wxapi.Client, error) {
	return wxapi.New(wxapi.Config{
		Signer: w.Signer, APIv3Key: w.APIv3Key, Keys: keys, BaseURL: w.BaseURL, HTTPClient: w.HTTPClient,
		AttemptTimeout: tryTimeout, TotalTimeout: callTimeout, Now: w.Now, NewNonce: w.NewNonce,
	})
}

// certificates downloads the platform certificates: the one call that every
// account may make. It reports whether WeChat Pay took the signature.
func (w WeChat) certificates(ctx context.Context, into *wxcrypto.KeySet) (found []checkup.Finding, accepted bool) {
	client, err := w.client(into)
	if err == nil {
		err = client.RefreshCertificates(ctx)
	}
	taken := checkup.Found("signature-accepted", "")
	var refusal *wxapi.Error
	switch {
	case err == nil:
		return []checkup.Finding{taken, checkup.Found("apiv3-key-opens", "")}, true
	case errors.Is(err, wxapi.ErrPublicKeyMerchant):
		return []checkup.Finding{taken, checkup.Found("apiv3-key-unchecked", "")}, true
	case errors.Is(err, wxcrypto.ErrDecrypt):
		return []checkup.Finding{taken, checkup.Found("apiv3-key-wrong", "")}, true
	case errors.Is(err, wxcrypto.ErrTimestamp): // the answer's: the clock's finding says it
		return []checkup.Finding{taken}, true
	case errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized:
		return refused(refusal), false
	}
	return []checkup.Finding{w.unanswered(err)}, false
}

// unanswered is a call without an answer that says something about keys.
func (w WeChat) unanswered(err error) checkup.Finding {
	var refusal *wxapi.Error
	if errors.As(err, &refusal) || errors.Is(err, wxapi.ErrNotVerified) {
		return checkup.Found("wechat-unwell", err.Error())
	}
	if errors.Is(err, wxapi.ErrUnreachable) || errors.Is(err, wxapi.ErrUnknown) {
		return checkup.Found("wechat-unreachable", err.Error())
	}
	return checkup.Found("wechat-unwell", err.Error()) // a signer that cannot sign, or no time left
}

// causes tell the many SIGN_ERRORs apart by their messages, for which there is
// no code. In this order: that about the serial speaks of signing, too. None is
// for the clock, which has a finding of its own. Source: SIGN_ERROR, messages.
var causes = []struct {
	words []string
	id    string
}{
	{[]string{"timestamp", "时间戳"}, ""},
	{[]string{"apiv3", "申请证书"}, "apiv3-key-not-set"},
	{[]string{"序列号", "serial", "过期", "expired", "作废", "revoked", "更换", "replaced"}, "serial-wrong"},
	{[]string{"商户号", "mchid"}, "merchant-number-wrong"},
	{[]string{"签名错误", "签名有误", "signature error", "wrong signature"}, "private-key-wrong"},
}

// refused is what a 401 means.
func refused(refusal *wxapi.Error) []checkup.Finding {
	message := strings.ToLower(refusal.Message)
	for _, cause := range causes {
		if slices.ContainsFunc(cause.words, func(word string) bool { return strings.Contains(message, word) }) {
			if cause.id == "" {
				return nil
			}
			return []checkup.Finding{checkup.Found(cause.id, refusal.Error())}
		}
	}
	return []checkup.Finding{checkup.Found("signature-refused", refusal.Error())}
}

// publicKey has WeChat Pay sign an echo with the public key.
func (w WeChat) publicKey(ctx context.Context) checkup.Finding {
	client, err := w.client(wxcrypto.NewKeySet(w.PublicKey))
	if err == nil {
		err = client.Echo(ctx, "wxpay self-check "+w.NewNonce())
	}
	var refusal *wxapi.Error
	switch {
	case err == nil:
		return checkup.Found("public-key-verifies", "")
	case errors.Is(err, wxcrypto.ErrSignature):
		return checkup.Found("public-key-wrong", "")
	case errors.Is(err, wxcrypto.ErrUnknownSerial):
		return checkup.Found("public-key-id-wrong", err.Error())
	case errors.Is(err, wxcrypto.ErrTimestamp):
		return checkup.Found("public-key-unchecked", err.Error())
	case errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest && wxapi.IsCode(err, "PARAM_ERROR"):
		return checkup.Found("public-key-id-wrong", refusal.Error()) // nothing else in the call can be wrong
	case errors.As(err, &refusal) && (refusal.Status == http.StatusForbidden || refusal.Status == http.StatusNotFound):
		return checkup.Found("public-key-unchecked", refusal.Error()) // not every account has the echo
	}
	return w.unanswered(err)
}

// missingKey is for an account that has no key at all.
func missingKey(found []checkup.Finding) []checkup.Finding {
	if slices.ContainsFunc(found, func(f checkup.Finding) bool { return f.ID == "apiv3-key-unchecked" }) {
		return []checkup.Finding{checkup.Found("public-key-missing", "")}
	}
	return nil // it has certificates, which did not open
}

// Base is the finding about where requests go: a simulator, a gateway, or
// nothing to speak of.
func Base(baseURL string, simulated, notifyIsLocal bool) []checkup.Finding {
	u, err := url.Parse(baseURL)
	switch {
	case baseURL == "" || err != nil:
		return nil
	case simulated && notifyIsLocal:
		return []checkup.Finding{checkup.Found("wechat-simulated", "")}
	case simulated:
		return []checkup.Finding{checkup.Found("wechat-simulated-in-public", "")}
	case u.Hostname() != "api.wechatpay.cn" && u.Hostname() != "api2.wechatpay.cn" && !strings.HasSuffix(u.Hostname(), ".mch.weixin.qq.com"):
		return []checkup.Finding{checkup.Found("wechat-elsewhere", u.Host)}
	}
	return nil
}
