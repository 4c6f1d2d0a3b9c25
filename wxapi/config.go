package wxapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// The hosts of WeChat Pay for mainland merchants. Source: 跨城容灾.
const (
	defaultBase   = "https://api.mch.weixin.qq.com"
	defaultBackup = "https://api2.mch.weixin.qq.com"
)

// Config says what a [Client] works with. Signer, Keys and APIv3Key are
// required; every other zero value means its default.
type Config struct {
	// Signer is the merchant, whose key signs every request.
	Signer wxcrypto.Signer
	// Keys verify WeChat Pay's answers. The set may be empty: platform
	// certificates are downloaded into it then. The client only adds to it, so
	// it can be shared with whoever verifies notifications.
	Keys *wxcrypto.KeySet
	// APIv3Key decrypts downloaded certificates.
	APIv3Key wxcrypto.APIv3Key

	// BaseURL is where requests go: scheme and host, no path. Plain http is
	// taken for loopback hosts only. Defaults to https://api.mch.weixin.qq.com.
	BaseURL string
	// BackupURL gets the next try after a transport error, 502 or 503.
	// Defaults to https://api2.mch.weixin.qq.com when BaseURL is the default,
	// otherwise to none.
	BackupURL string
	// HTTPClient sends the requests; redirects are not followed whatever it
	// says, for a signature is good for one path only. Set it for a proxy or
	// limits of your own. Defaults to a client that takes proxies from the
	// environment, TLS 1.2 or later, and keeps enough idle connections.
	HTTPClient *http.Client

	// AttemptTimeout is the longest one try may take, from dialling to the
	// last byte. Defaults to 5s.
	AttemptTimeout time.Duration
	// TotalTimeout is the longest a call may take, all tries and the pauses
	// between them together. Defaults to 15s. The download of a bill has
	// [BillOptions].Timeout instead, and AttemptTimeout is then the longest
	// silence.
	TotalTimeout time.Duration

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// NewNonce makes the random text of each signature. Defaults to
	// wxcrypto.NewNonce.
	NewNonce func() string
	// Sleep pauses between tries; it returns early, with an error, when ctx
	// ends. Defaults to a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Observe is told of every try, after it, on the calling goroutine; it must
	// be quick and safe for concurrent use. Defaults to nothing.
	Observe func(Call)
}

// The values of [Call].Op.
const (
	OpPrepay         = "prepay"
	OpQuery          = "query"
	OpClose          = "close"
	OpRefund         = "refund"
	OpRefundQuery    = "refund_query"
	OpAbnormalRefund = "abnormal_refund"
	OpBill           = "bill"
	OpBillDownload   = "bill_download"
	OpCertificates   = "certificates"
	OpEcho           = "echo"
)

// Call is one try of one call, for logs and metrics. It holds nothing secret.
type Call struct {
	Op        string // one of the constants above, OpPrepay and so on
	Attempt   int    // 1 for the first try
	Status    int    // HTTP status, 0 when no answer came; of a refusal [Error].Status
	Code      string // WeChat Pay's code, empty for success; not a closed list
	RequestID string // header Request-ID, may be empty
	Host      string // where it went
	Backup    bool   // whether that was BackupURL
	Duration  time.Duration
	Err       error // what was wrong with this try; nil for success
	// Date is the clock of whoever answered, to the second; zero when there is
	// none to read. Skew is how far Config.Now was ahead of it then, true to
	// half a second and the way of the answer. Nothing but TLS vouches for it:
	// show it to people, decide nothing by it.
	Date time.Time
	Skew time.Duration
}

func (c Config) withDefaults() Config {
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	c.BackupURL = strings.TrimSuffix(c.BackupURL, "/")
	if c.BaseURL == "" {
		c.BaseURL = defaultBase
	}
	if c.BackupURL == "" && c.BaseURL == defaultBase {
		c.BackupURL = defaultBackup
	}
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = 5 * time.Second
	}
	if c.TotalTimeout == 0 {
		c.TotalTimeout = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewNonce == nil {
		c.NewNonce = wxcrypto.NewNonce
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Observe == nil {
		c.Observe = func(Call) {}
	}
	c.HTTPClient = withoutRedirects(c.HTTPClient)
	return c
}

// validate reports every wrong field of a Config that has its defaults.
func (c Config) validate() error {
	var errs []error
	fault := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("wxapi: Config."+format, args...))
		}
	}
	c.own(fault)
	c.common(fault)
	return errors.Join(errs...)
}

// own checks what only API v3 needs.
func (c Config) own(fault func(ok bool, format string, args ...any)) {
	fault(c.Signer.MchID != "", "Signer.MchID is required: the merchant number")
	fault(c.Signer.SerialNo != "", "Signer.SerialNo is required: the serial of the merchant API certificate")
	fault(c.Signer.Key != nil, "Signer.Key is required: the private key of the merchant API certificate")
	fault(c.Keys != nil, "Keys is required: a set of keys, which may be empty")
	fault(c.APIv3Key != wxcrypto.APIv3Key{}, "APIv3Key is required")
}

// common checks what a [Courier] needs too.
func (c Config) common(fault func(ok bool, format string, args ...any)) {
	if err := checkBase(c.BaseURL); err != nil {
		fault(false, "BaseURL %w", err)
	}
	if err := checkBase(c.BackupURL); err != nil && c.BackupURL != "" {
		fault(false, "BackupURL %w", err)
	}
	fault(c.AttemptTimeout > 0, "AttemptTimeout must not be negative")
	fault(c.TotalTimeout > 0, "TotalTimeout must not be negative")
}

// checkBase takes https://host and, for loopback hosts, http://host. The
// signature holds the path, so a path in front of WeChat Pay's cannot be.
func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must be like " + defaultBase)
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must be scheme and host only, like " + defaultBase)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("must be https; http is for loopback hosts only")
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
