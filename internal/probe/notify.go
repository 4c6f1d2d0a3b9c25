package probe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/internal/seal"
)

// Notify is a notify URL to be called. All fields but Here, Serial and Client
// are required.
type Notify struct {
	URL       string
	Simulated bool      // WeChat Pay is on this machine, and so may be the URL
	Here      *Arrivals // of the kit in this process; nil outside of the app
	Seal      seal.Key
	Serial    string // of a key of WeChat Pay, so that the kit gets as far as the signature
	Now       func() time.Time
	NewNonce  func() string
	Client    *http.Client // defaults to one that keeps no connections
}

// One call may take callPatience, as long as WeChat waits. With several
// replicas a few calls find the way to this one, or do not.
const (
	callPatience = 5 * time.Second
	maxCalls     = 4
	maxAnswer    = 4 << 10
)

// Check calls the URL as somebody who is not WeChat Pay: signed wrongly, and
// without any login. The kit says 401, and sees it come.
func (n Notify) Check(ctx context.Context) []checkup.Finding {
	u, err := url.Parse(n.URL)
	if n.URL == "" || err != nil {
		return []checkup.Finding{checkup.Found("notify-unchecked", "")}
	}
	found := n.address(ctx, u.Hostname())
	a := n.call(ctx)
	verdict := n.judge(a)
	for tries := 1; tries < maxCalls && verdict.ID == "notify-reached-replica"; tries++ {
		a = n.call(ctx) // perhaps this one comes here
		verdict = n.judge(a)
	}
	return append(append(found, verdict), a.tlsDays(n.Now())...)
}

// address says whether WeChat Pay could get to the host at all.
func (n Notify) address(ctx context.Context, host string) []checkup.Finding {
	if n.Simulated {
		return nil
	}
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return []checkup.Finding{checkup.Found("notify-local", "")}
	}
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil // the call will say it
	}
	for _, addr := range addrs {
		if isPrivate(addr.Unmap()) {
			return []checkup.Finding{checkup.Found("notify-private", addr.String())}
		}
	}
	return nil
}

// carrierGrade are the addresses that providers share. Source: RFC 6598.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(addr netip.Addr) bool {
	return !addr.IsGlobalUnicast() || addr.IsPrivate() || carrierGrade.Contains(addr)
}

// answer is what the URL said.
type answer struct {
	err    error
	status int
	header http.Header
	body   string
	tls    *tls.ConnectionState
	ended  string // how the request ended in this process; "" if it did not come
	marked bool   // by somebody who holds the secret
}

func (n Notify) call(ctx context.Context) answer {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	nonce := n.NewNonce()
	ended := n.Here.expect(nonce)
	req, err := n.request(ctx, nonce)
	if err != nil {
		ended()
		return answer{err: err}
	}
	resp, err := n.client().Do(req)
	if err != nil {
		return answer{err: err, ended: ended()}
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came of it is enough
	back, err := n.Seal.Open(purposeAnswer, resp.Header.Get(Header), n.Now())
	return answer{
		status: resp.StatusCode, header: resp.Header, body: string(body), tls: resp.TLS,
		ended: ended(), marked: err == nil && back == nonce,
	}
}

// request is a notification in every respect but that its signature is noise.
func (n Notify) request(ctx context.Context, nonce string) (*http.Request, error) {
	const body = `{"id":"wxpay-self-check","event_type":"WXPAY.SELF.CHECK","summary":"self-check"}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	noise := make([]byte, 256)
	_, _ = rand.Read(noise) // never fails
	serial := n.Serial
	if serial == "" {
		serial = "WXPAYSELFCHECK"
	}
	for name, value := range map[string]string{
		"Content-Type":        "application/json",
		"User-Agent":          "wxpay-self-check",
		"Wechatpay-Timestamp": strconv.FormatInt(n.Now().Unix(), 10),
		"Wechatpay-Nonce":     nonce,
		"Wechatpay-Serial":    serial,
		"Wechatpay-Signature": base64.StdEncoding.EncodeToString(noise),
		Header:                n.Seal.Seal(purposeAsk, nonce, n.Now().Add(markLife)),
	} {
		req.Header.Set(name, value)
	}
	return req, nil
}

func (n Notify) client() *http.Client {
	client := http.Client{Transport: transport()}
	if n.Client != nil {
		client = *n.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// refusalBody is how a kit refuses.
const refusalBody = `{"code":"FAIL","message":"失败"}`

// judge says what an answer means. What was seen in this process counts more
// than what came back.
func (n Notify) judge(a answer) checkup.Finding {
	asKit := a.status == http.StatusUnauthorized && strings.TrimSpace(a.body) == refusalBody
	switch {
	case a.ended == "drained":
		return checkup.Found("notify-body-drained", "")
	case a.ended == "unsigned", a.ended == "signature_type":
		return checkup.Found("notify-headers-stripped", a.ended)
	case a.ended != "" && a.err != nil:
		return checkup.Found("notify-rewritten", withoutURL(a.err).Error())
	case a.err != nil:
		return unreached(a.err)
	case a.ended != "" && !asKit:
		return checkup.Found("notify-rewritten", "HTTP "+strconv.Itoa(a.status))
	case a.ended != "":
		return checkup.Found("notify-reached", "")
	case a.marked && n.Here == nil:
		return checkup.Found("notify-reached-kit", "")
	case a.marked:
		return checkup.Found("notify-reached-replica", "")
	case asKit && n.Here == nil:
		return checkup.Found("notify-reached-stranger", "")
	case asKit:
		return checkup.Found("notify-other-process", "")
	}
	return foreign(a.status)
}

// foreign is an answer that no kit gave.
func foreign(status int) checkup.Finding {
	id := "notify-refused"
	switch {
	case status >= 200 && status < 300:
		id = "notify-acknowledged"
	case status >= 300 && status < 400:
		id = "notify-redirected"
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		id = "notify-blocked"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		id = "notify-not-mounted"
	}
	return checkup.Found(id, "HTTP "+strconv.Itoa(status))
}

// unreached is a call that was not answered.
func unreached(err error) checkup.Finding {
	var badTLS *tls.CertificateVerificationError
	var dns *net.DNSError
	switch {
	case errors.As(err, &badTLS):
		return checkup.Found("notify-tls", badTLS.Err.Error())
	case errors.As(err, &dns) && dns.IsNotFound:
		return checkup.Found("notify-no-host", "")
	}
	return checkup.Found("notify-unreachable", withoutURL(err).Error())
}

// withoutURL takes the URL out of an error of net/http.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// tlsDays is about the server's own certificate, which is not WeChat's.
func (a answer) tlsDays(now time.Time) []checkup.Finding {
	if a.tls == nil || len(a.tls.PeerCertificates) == 0 {
		return nil
	}
	if ends := a.tls.PeerCertificates[0].NotAfter; ends.Sub(now) <= daysError {
		return []checkup.Finding{checkup.Found("notify-tls-ending", ends.Format(time.DateOnly))}
	}
	return nil
}
