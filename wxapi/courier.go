package wxapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// Courier sends calls of another protocol of WeChat Pay by the rules of this
// package: how often and how long, to which host, and what an error means.
// Package apiv2 speaks through one. It is safe for concurrent use.
type Courier struct{ client *Client }

// NewCourier returns a courier. Of the config it uses neither Signer nor Keys
// nor APIv3Key; faults are reported like those of [New]. With a certificate it
// can call what wants one of the client. It cannot be given to an HTTPClient
// whose Transport is no *http.Transport, or has one already: that has to
// present it itself.
func NewCourier(cfg Config, certificate *tls.Certificate) (*Courier, error) {
	cfg = cfg.withDefaults()
	cfg.Keys = wxcrypto.NewKeySet() // nothing is verified with them
	var errs []error
	cfg.common(func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("wxapi: Config."+format, args...))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if certificate != nil {
		cfg.HTTPClient = withCertificate(cfg.HTTPClient, *certificate)
	}
	return &Courier{&Client{cfg: cfg, certs: newRefresher(cfg.Now())}}, nil
}

// Errand is one call of a [Courier]: a POST.
type Errand struct {
	Op          string // one of OpPrepay and so on
	Path        string
	ContentType string // required
	Body        []byte // the same for all tries
	Once        bool   // never sent again once it may have arrived, as a refund is

	// Read verifies and reads the body of a 2xx, in memory up to 1 MiB. It
	// returns [*Error] when WeChat Pay refused, with the status and code of
	// API v3 that mean the same, an [ErrNotVerified], or any other error for
	// what cannot be read, which becomes an [ErrUnknown].
	Read func(body []byte) error
}

// Do runs an errand. Its error is one of those that the package comment lists.
func (c *Courier) Do(ctx context.Context, e Errand) error {
	return c.client.do(ctx, request{
		op: e.Op, method: http.MethodPost, target: e.Path, body: e.Body, once: e.Once, foreign: e.ContentType,
		accept: func(_ context.Context, ans answer) error {
			err := e.Read(ans.body)
			var refusal *Error
			switch {
			case err == nil || errors.Is(err, ErrUnknown):
				return err
			case errors.As(err, &refusal):
				return refusal.cleaned(ans.header)
			}
			return fmt.Errorf("%w: read the answer: %w", ErrUnknown, err)
		},
	})
}

// cleaned is a refusal whose texts, which are foreign, are fit for a log.
func (e *Error) cleaned(h http.Header) *Error {
	c := *e
	if len(c.Code) > maxCode || !isCode(c.Code) {
		c.Code = ""
	}
	c.Message = clean(c.Message, maxMessage)
	c.RequestID = clean(h.Get("Request-Id"), maxRequestID)
	return &c
}
