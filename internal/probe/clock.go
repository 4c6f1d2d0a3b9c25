package probe

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// How far the clock may be off: WeChat Pay refuses from five minutes on, so
// four are an error and not a warning. Source: 签名生成, timestamp.
const (
	skewWarning = 30 * time.Second
	skewError   = 4 * time.Minute
)

// dates is a transport that reads the clock of whoever answers.
type dates struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	seen bool
	skew time.Duration // of the last answer; positive when the clock here is ahead
}

// RoundTrip passes the request on and looks at the answer's Date.
func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := d.now()
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	received := d.now()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return resp, nil // no clock in this one
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen, d.skew = true, skewBetween(sent, received, at)
	return resp, nil
}

// skewBetween is how far the clock here is ahead of one that said at between
// two of its own times. A Date is cut to the second, so half of one is added.
func skewBetween(sent, received, at time.Time) time.Duration {
	middle := sent.Add(received.Sub(sent) / 2)
	return middle.Sub(at.Add(500 * time.Millisecond))
}

// finding is about the clock. When WeChat Pay refused the time of a signature,
// which leaves no other finding, the clock is wrong whatever the Date says.
func (d *dates) finding(others []checkup.Finding) checkup.Finding {
	d.mu.Lock()
	defer d.mu.Unlock()
	off := d.skew.Abs()
	detail := fmt.Sprintf("%+.0f s", d.skew.Seconds())
	switch refused := len(others) == 0; {
	case refused && !d.seen:
		return checkup.Found("clock-wrong", "WeChat Pay refused the time of the signature")
	case !d.seen:
		return checkup.Found("clock-unchecked", "")
	case refused || off > skewError:
		return checkup.Found("clock-wrong", detail)
	case off > skewWarning:
		return checkup.Found("clock-skewed", detail)
	}
	return checkup.Found("clock-right", "")
}

// transport keeps no connections and trusts nobody in particular.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DisableKeepAlives:   true,
		TLSHandshakeTimeout: 3 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// How long before its end a certificate is spoken of.
const (
	daysWarning = 30 * 24 * time.Hour
	daysError   = 7 * 24 * time.Hour
)

// Days is the finding about a certificate's time; kind is merchant or
// platform.
func Days(kind string, notBefore, notAfter, now time.Time) checkup.Finding {
	detail := fmt.Sprintf("%s – %s", notBefore.Format(time.DateOnly), notAfter.Format(time.DateOnly))
	switch left := notAfter.Sub(now); {
	case now.Before(notBefore) || left <= daysError:
		return checkup.Found(kind+"-certificate-ended", detail)
	case left <= daysWarning:
		return checkup.Found(kind+"-certificate-ending", detail)
	}
	return checkup.Found(kind+"-certificate-fresh", detail)
}

// PlatformDays is [Days] of the platform certificate that ends last, if there
// is one among the keys.
func PlatformDays(keys []wxcrypto.VerifyKey, now time.Time) []checkup.Finding {
	var last wxcrypto.VerifyKey
	for _, key := range keys {
		if key.NotAfter().After(last.NotAfter()) { // a public key has no end
			last = key
		}
	}
	if last.NotAfter().IsZero() {
		return nil
	}
	return []checkup.Finding{Days("platform", last.NotBefore(), last.NotAfter(), now)}
}
