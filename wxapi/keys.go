package wxapi

import (
	"context"
	"errors"
	"net/http"
)

// ensureKeys sees to it that answers can be verified at all.
func (c *Client) ensureKeys(ctx context.Context) error {
	if _, ok := c.cfg.Keys.Preferred(c.cfg.Now()); ok {
		return nil
	}
	if err := c.RefreshCertificates(ctx); err != nil {
		return unsent{err}
	}
	return nil
}

// renewKeys downloads again, after a success, when the last download is old and
// there are certificates to renew. A failure is of no consequence: the keys held
// have just proved good, and a new serial asks again.
func (c *Client) renewKeys(ctx context.Context, op string) {
	if op == OpCertificates || !c.holdsCertificate() {
		return
	}
	select {
	case <-c.certs.turn:
	default:
		return // somebody is at it
	}
	defer func() { c.certs.turn <- struct{}{} }()
	if c.cfg.Now().Before(c.certs.renew) {
		return
	}
	// Set first: a download that hangs must not slow every call down.
	c.certs.renew = c.cfg.Now().Add(refreshEvery)
	ctx, cancel := context.WithTimeout(ctx, c.cfg.AttemptTimeout)
	defer cancel()
	c.refresh(ctx)
}

// retired reports whether a call was refused because the certificate it names
// is no longer WeChat Pay's, and another one is held now: the call is worth
// sending again. How often that downloads is bounded as ever.
// Source: Wechatpay-Serial, 400 PARAM_ERROR.
func (c *Client) retired(ctx context.Context, op string, err error) bool {
	var refusal *Error
	named, ok := c.cfg.Keys.Preferred(c.cfg.Now())
	if op == OpCertificates || !ok || !isCertificate(named) ||
		!errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || !IsCode(refusal, "PARAM_ERROR") {
		return false
	}
	if err := c.RefreshCertificates(ctx); err != nil {
		return false
	}
	now, ok := c.cfg.Keys.Preferred(c.cfg.Now())
	return ok && now.Serial() != named.Serial()
}

func (c *Client) holdsCertificate() bool {
	for _, key := range c.cfg.Keys.Keys() {
		if !key.NotAfter().IsZero() {
			return true
		}
	}
	return false
}

// unsent wraps why a call was never sent. The outcome of the download is not
// the outcome of the call: whatever is unknown about the former, the latter did
// not happen, so ErrUnknown turns into ErrUnreachable.
type unsent struct{ error }

func (u unsent) Is(target error) bool {
	unknown := errors.Is(u.error, ErrUnknown)
	switch target {
	case ErrUnknown, ErrNotVerified:
		return false
	case ErrUnreachable:
		return unknown || errors.Is(u.error, ErrUnreachable)
	}
	return errors.Is(u.error, target)
}

func (u unsent) As(target any) bool { return errors.As(u.error, target) }
