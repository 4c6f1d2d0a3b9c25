package wxapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	// userAgent must not be empty: WeChat Pay answers 400 without one.
	userAgent = "wxpay-go/0.1 (+https://github.com/wxpaykit/wxpay)"

	// maxAnswer is the most that is read of an answer, in bytes. A transaction
	// has about one thousand.
	maxAnswer = 1 << 20
)

// answer is what came back, whatever it is worth.
type answer struct {
	status int
	header http.Header
	body   []byte    // as received: the bytes that are signed
	at     time.Time // when its header was there; zero for a file's
}

// clock reads the header Date, which names a second that had begun, and holds
// it against the clock here when it came.
func (a answer) clock() (date time.Time, skew time.Duration) {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil || a.at.IsZero() {
		return time.Time{}, 0
	}
	return date, a.at.Sub(date.Add(time.Second / 2))
}

// transportError is a try without an answer.
type transportError struct {
	err  error
	sent bool // it may have reached WeChat Pay
}

func (e *transportError) Error() string { return clean(e.err.Error(), maxMessage) }

func (e *transportError) Unwrap() error { return e.err }

// try sends a request once and says what came of it.
func (c *Client) try(ctx context.Context, r request, n int, backup bool) outcome {
	base := cmp.Or(r.base, c.cfg.BaseURL)
	if backup {
		base = c.cfg.BackupURL
	}
	call := Call{Op: r.op, Attempt: n, Backup: base == c.cfg.BackupURL}
	started := c.cfg.Now()
	ans, host, err := c.send(ctx, r, base)
	call.Duration = c.cfg.Now().Sub(started)
	if err == nil {
		err = r.check(ctx, ans)
	}
	call.Status = ans.status
	var refusal *Error
	if errors.As(err, &refusal) {
		call.Status, call.Code = refusal.Status, refusal.Code
	}
	call.Host, call.Err = host, err
	call.Date, call.Skew = ans.clock()
	call.RequestID = clean(ans.header.Get("Request-Id"), maxRequestID)
	c.cfg.Observe(call)
	return r.outcomeOf(err, ans)
}

// check lets a success through that is verified and read, and makes an Error of
// everything else. Only 2xx are signed, so only they can be verified.
func (r request) check(ctx context.Context, ans answer) error {
	if ans.status >= 200 && ans.status < 300 && ans.status != http.StatusAccepted {
		if len(ans.body) > maxAnswer {
			return fmt.Errorf("%w: the answer is longer than 1 MiB", ErrUnknown)
		}
		return r.accept(ctx, ans)
	}
	if len(ans.body) > maxAnswer {
		return &Error{Status: ans.status, Message: "longer than 1 MiB"}
	}
	return readError(ans.status, ans.header, ans.body)
}

// send signs the request for this try alone, with the time and a nonce of now,
// and reads the answer.
func (c *Client) send(ctx context.Context, r request, base string) (ans answer, host string, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, base+r.target, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, "", fmt.Errorf("request: %w", ErrRequest) // its text would hold the URL
	}
	if err := c.sign(req, r); err != nil {
		return answer{}, req.URL.Host, err
	}
	if err := ctx.Err(); err != nil { // signing may have taken long, at a KMS
		return answer{}, req.URL.Host, &transportError{err: err}
	}
	if r.receive != nil {
		ans, err = c.stream(ctx, req, r.receive)
		return ans, req.URL.Host, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.AttemptTimeout)
	defer cancel()
	var line lineState
	resp, err := c.cfg.HTTPClient.Do(req.WithContext(line.watch(ctx)))
	if err != nil {
		return answer{}, req.URL.Host, &transportError{err: withoutURL(err), sent: line.mayHaveSent(err)}
	}
	at := c.cfg.Now()
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, req.URL.Host, &transportError{err: fmt.Errorf("read the answer: %w", withoutURL(err)), sent: true}
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body, at: at}, req.URL.Host, nil
}

// sign fills the headers in. What is signed is the URI as it goes on the wire.
// Source: 签名生成, 请求头.
func (c *Client) sign(req *http.Request, r request) error {
	req.Header.Set("User-Agent", userAgent)
	if r.foreign != "" {
		req.Header.Set("Content-Type", r.foreign)
		return nil
	}
	now := c.cfg.Now()
	token, err := c.cfg.Signer.Authorization(req.Method, req.URL.RequestURI(), r.body, now, c.cfg.NewNonce())
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Accept", "application/json")
	if r.receive != nil {
		req.Header.Set("Accept", "*/*") // a file
	}
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.serial != "" {
		req.Header.Set("Wechatpay-Serial", r.serial)
	} else if key, ok := c.cfg.Keys.Preferred(now); ok && !(r.op == OpCertificates && isCertificate(key)) {
		req.Header.Set("Wechatpay-Serial", key.Serial())
	}
	return nil
}

// isCertificate tells a platform certificate from a public key. Who asks for
// certificates names none: the one held may be retired, and that is why.
func isCertificate(key wxcrypto.VerifyKey) bool { return !key.NotAfter().IsZero() }

// verified returns an accept that believes nothing before the signature holds.
// A deliberately wrong one (签名探测流量) has no branch of its own: like any
// other it is thrown away, and the same request sent again.
func (c *Client) verified(read func(body []byte) error) func(context.Context, answer) error {
	return func(ctx context.Context, ans answer) error {
		if err := c.verify(ctx, ans); err != nil {
			return err
		}
		if err := read(ans.body); err != nil {
			return fmt.Errorf("%w: read the answer: %w", ErrUnknown, err)
		}
		return nil
	}
}

// verify asks for new certificates when the answer names an unknown one.
func (c *Client) verify(ctx context.Context, ans answer) error {
	_, err := c.cfg.Keys.Verify(ans.header, ans.body, c.cfg.Now())
	if errors.Is(err, wxcrypto.ErrUnknownSerial) {
		if refreshErr := c.RefreshCertificates(ctx); refreshErr != nil {
			// As text: its outcome is not the outcome of this call.
			return fmt.Errorf("%w: %w; %v", ErrNotVerified, err, refreshErr)
		}
		_, err = c.cfg.Keys.Verify(ans.header, ans.body, c.cfg.Now())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	return nil
}

// lineState watches how far a try got.
type lineState struct{ asked, got atomic.Bool }

func (l *lineState) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { l.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { l.got.Store(true) },
	})
}

// mayHaveSent is true unless it is certain that there was no connection: the
// transport looked for one and found none, or says that dialling failed.
func (l *lineState) mayHaveSent(err error) bool {
	var op *net.OpError
	dialling := errors.As(err, &op) && op.Op == "dial"
	return l.got.Load() || !l.asked.Load() && !dialling
}

// withoutURL takes the URL, with its query, out of an error of net/http.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}
