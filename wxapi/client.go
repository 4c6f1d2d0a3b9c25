package wxapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// maxTries is how often one call is sent at most. Source: SYSTEM_ERROR, "same
// parameters, 2 to 3 tries".
const maxTries = 3

// The pauses before the second and the third try are random, up to these, so
// that callers who failed together do not come back together.
const (
	firstPause    = 200 * time.Millisecond
	secondPause   = 800 * time.Millisecond
	maxRetryAfter = 2 * time.Second
)

// Client calls WeChat Pay for one merchant. Make it with [New]. It is safe for
// concurrent use and starts no goroutine of its own.
type Client struct {
	cfg   Config
	certs refresher
}

// New returns a client. Every missing or wrong field of the config is reported
// at once, joined by [errors.Join]. Nothing is sent yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, certs: newRefresher(cfg.Now())}, nil
}

// request is one call: the same for all its tries.
type request struct {
	op     string
	method string
	target string // path and query, escaped
	body   []byte

	serial  string        // names the key the body is encrypted with; empty: the preferred one
	base    string        // scheme and host instead of the Config's; empty: those
	timeout time.Duration // of the whole call; 0: TotalTimeout
	once    bool          // never sent again once it may have arrived
	foreign string        // content type of another protocol, which needs no key of this one; empty: API v3

	// prepare completes the request when there are keys, before the first try.
	// May be nil.
	prepare func(*request) error
	// receive takes the body of a 200 that is too long for memory; accept then
	// gets none. May be nil.
	receive func(io.Reader) error
	// accept verifies and reads an answer of status 2xx other than 202.
	accept func(context.Context, answer) error
}

// do sends a request until it is answered, its tries are used up or its time
// is over. Its error is one of those that the package comment lists.
func (c *Client) do(caller context.Context, r request) error {
	if err := caller.Err(); err != nil {
		return fmt.Errorf("%s: %w", r.op, err)
	}
	ctx, cancel := context.WithTimeout(caller, cmp.Or(r.timeout, c.cfg.TotalTimeout))
	defer cancel()
	if r.op != OpCertificates && r.foreign == "" {
		if err := c.ensureKeys(ctx); err != nil {
			return fmt.Errorf("%s: no key to verify the answer with: %w", r.op, err)
		}
	}
	if r.prepare != nil {
		if err := r.prepare(&r); err != nil {
			return fmt.Errorf("%s: %w", r.op, err)
		}
	}
	var sum tally
	for n := 1; ; n++ {
		out := c.try(ctx, r, n, sum.backup)
		if out.err == nil {
			c.renewKeys(ctx, r.op)
			return nil
		}
		if n < maxTries && c.retired(ctx, r.op, out.err) {
			continue
		}
		sum.add(out, r.base == "" && c.cfg.BackupURL != "")
		if !out.retry {
			return sum.conclude(r.op, out.err)
		}
		if n == maxTries || r.once && !out.unsent || !c.pause(ctx, n, out.wait) {
			return sum.conclude(r.op, interrupted(caller, out.err))
		}
	}
}

// pause waits before try n+1. It reports false, at once, when the call's time
// does not reach beyond the pause.
func (c *Client) pause(ctx context.Context, n int, asked time.Duration) bool {
	most := firstPause
	if n > 1 {
		most = secondPause
	}
	d := max(rand.N(most), asked)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	return ctx.Err() == nil && c.cfg.Sleep(ctx, d) == nil && ctx.Err() == nil
}

// interrupted adds that the caller gave up, if that is why there was no answer.
func interrupted(caller context.Context, err error) error {
	if cause := caller.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// outcome is what one try came to.
type outcome struct {
	err     error
	retry   bool          // the same request may be sent again
	unknown bool          // WeChat Pay may have done what was asked
	settled bool          // the answer holds for the earlier tries as well
	unsent  bool          // it never got as far as a connection
	move    bool          // another host may do better
	wait    time.Duration // how long WeChat Pay asked to wait
}

// outcomeOf is the table of what each kind of error means for the call.
func (r request) outcomeOf(err error, ans answer) outcome {
	out := outcome{err: err}
	var refusal *Error
	var broken *transportError
	switch {
	case err == nil:
	case errors.As(err, &broken):
		out.retry, out.move = true, true
		out.unknown, out.unsent = broken.sent, !broken.sent
	case errors.Is(err, ErrNotVerified):
		out.retry, out.unknown = true, true
	case errors.Is(err, ErrUnknown):
		out.unknown = true
	case errors.As(err, &refusal):
		out.judge(r.op, refusal, ans.header)
	}
	return out
}

// judge tells what an answer that is no success means.
// Source: 通用规则, HTTP 状态码; 关闭订单 and 申请退款 for 429.
func (out *outcome) judge(op string, refusal *Error, h http.Header) {
	switch s := refusal.Status; {
	case s == http.StatusAccepted: // not finished: ask again
		out.retry, out.unknown = true, true
	case s == http.StatusTooManyRequests:
		// A close that races the customer's payment is answered with 429 too,
		// and a refund may have been taken although it is.
		out.retry, out.unknown = true, op == OpClose || isRefund(op)
		out.wait = retryAfter(h)
	case s >= 500:
		out.retry, out.unknown = true, true
		out.move = s == http.StatusBadGateway || s == http.StatusServiceUnavailable
		out.wait = retryAfter(h)
	case s >= 400 && isRefund(op) && IsCode(refusal, "BIZERR_NEED_RETRY"):
		out.unknown = true // it asks for the same request again
	case s >= 400:
		// A refused signature says nothing about the try before, and a
		// gateway's page says nothing about the order.
		out.settled = refusal.Code != "" && s != http.StatusUnauthorized
	default: // no part of the protocol: redirects
		out.unknown = true
	}
}

func isRefund(op string) bool { return op == OpRefund || op == OpAbnormalRefund }

// retryAfter reads a header that WeChat Pay does not document: a short wait is
// granted, a long one ignored.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds <= 0 || seconds > int(maxRetryAfter/time.Second) {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// tally is what the tries of a call add up to.
type tally struct {
	unknown bool // one of them may have been carried out
	unsent  bool // the last one found no connection
	backup  bool // the next one goes to the backup host
}

func (t *tally) add(out outcome, hasBackup bool) {
	t.unknown = (t.unknown || out.unknown) && !out.settled
	t.unsent = out.unsent
	if out.move && hasBackup {
		t.backup = !t.backup
	}
}

func (t *tally) conclude(op string, err error) error {
	switch {
	case t.unknown && !errors.Is(err, ErrUnknown):
		return fmt.Errorf("%s: %w: %w", op, ErrUnknown, err)
	case !t.unknown && t.unsent && !errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w: %w", op, ErrUnreachable, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}
