package wxapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// How often certificates are downloaded at most, whoever asks, and how often at
// least. Source: 平台证书, "update more often than every 12 h".
const (
	refreshEvery      = time.Minute
	refreshAfterFault = 5 * time.Second
	renewEvery        = 12 * time.Hour
)

// refresher is the state of downloads. The fields below turn belong to whoever
// holds it, which also orders their reads and writes.
type refresher struct {
	turn  chan struct{} // holds one token
	tried time.Time     // end of the last download
	last  error         // its result
	renew time.Time     // when to download again although nothing is missing
}

func newRefresher(now time.Time) refresher {
	r := refresher{turn: make(chan struct{}, 1), renew: now.Add(renewEvery)}
	r.turn <- struct{}{}
	return r
}

// RefreshCertificates downloads the platform certificates (平台证书) and adds
// them to [Config].Keys; what is held stays, also after a failure. It is called
// by the client itself when it needs it, and meant for whoever verifies
// notifications and meets an unknown serial.
//
// Callers who come while a download is under way share it. Within a minute of
// the last download, or five seconds if that one found no WeChat Pay to talk
// to, nothing is sent and the last result returned: nil then says that what is
// held is at most a minute old. So nobody can make it download in a loop by
// sending unknown serials.
//
// The error wraps [ErrPublicKeyMerchant] when there are no certificates,
// [wxcrypto.ErrDecrypt] when the APIv3 key is another one, and what every call
// may return. Source: 获取平台证书, GET /v3/certificates.
func (c *Client) RefreshCertificates(ctx context.Context) error {
	select {
	case <-c.certs.turn:
	case <-ctx.Done():
		return fmt.Errorf("certificates: %w", ctx.Err())
	}
	defer func() { c.certs.turn <- struct{}{} }()
	if c.certs.recent(c.cfg.Now()) {
		return c.certs.last
	}
	return c.refresh(ctx)
}

// refresh downloads, in its turn, and remembers the result unless ctx ended:
// that one caller left says nothing to the others.
func (c *Client) refresh(ctx context.Context) error {
	err := c.download(ctx)
	if err != nil && ctx.Err() != nil {
		return err
	}
	c.certs.tried, c.certs.last = c.cfg.Now(), err
	if err == nil || errors.Is(err, ErrPublicKeyMerchant) {
		c.certs.renew = c.certs.tried.Add(renewEvery)
	}
	return err
}

// recent reports whether the last result must do.
func (r *refresher) recent(now time.Time) bool {
	if errors.Is(r.last, ErrUnknown) || errors.Is(r.last, ErrUnreachable) {
		return within(now, r.tried, refreshAfterFault)
	}
	return within(now, r.tried, refreshEvery)
}

// within is false for a time ahead of now: a clock that was put back must not
// stop downloads for as long.
func within(now, then time.Time, d time.Duration) bool {
	age := now.Sub(then)
	return !then.IsZero() && age >= 0 && age < d
}

func (c *Client) download(ctx context.Context) error {
	err := c.do(ctx, request{
		op: OpCertificates, method: http.MethodGet, target: "/v3/certificates", accept: c.acceptCertificates,
	})
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && IsCode(refusal, "RESOURCE_NOT_EXISTS") {
		return fmt.Errorf("certificates: %w: %w", ErrPublicKeyMerchant, refusal)
	}
	return err
}

// acceptCertificates adds what an answer brings. The first one cannot be
// verified before it is opened, because the key that signed it is inside. It is
// safe to open it: only WeChat Pay and the merchant know the APIv3 key, whose
// AEAD is the anchor. Then the signature must hold like any other, under a key
// just found or held. Source: 平台证书, 首次下载.
func (c *Client) acceptCertificates(_ context.Context, ans answer) error {
	found, err := c.openCertificates(ans.body)
	if err != nil {
		return err
	}
	all := wxcrypto.NewKeySet(append(c.cfg.Keys.Keys(), found...)...)
	if _, err := all.Verify(ans.header, ans.body, c.cfg.Now()); err != nil {
		return fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	c.cfg.Keys.Add(found...)
	return nil
}

type certificatesWire struct {
	Data *[]struct {
		SerialNo    string            `json:"serial_no"`
		Certificate wxcrypto.Resource `json:"encrypt_certificate"`
	} `json:"data"`
}

// openCertificates returns those of the answer's certificates that are valid
// now. One that does not open, or is not the one it is said to be, spoils all:
// it means another APIv3 key, or worse.
func (c *Client) openCertificates(body []byte) ([]wxcrypto.VerifyKey, error) {
	var wire certificatesWire
	err := json.Unmarshal(body, &wire)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNotVerified, err)
	case wire.Data == nil:
		return nil, fmt.Errorf("%w: data is missing", ErrNotVerified)
	case len(*wire.Data) == 0:
		return nil, ErrPublicKeyMerchant
	}
	var valid []wxcrypto.VerifyKey
	now := c.cfg.Now()
	for i, item := range *wire.Data {
		key, err := c.openCertificate(item.SerialNo, item.Certificate)
		if err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
		if !now.Before(key.NotBefore()) && !now.After(key.NotAfter()) {
			valid = append(valid, key)
		}
	}
	if len(valid) == 0 {
		return nil, fmt.Errorf("%w: all %d downloaded", wxcrypto.ErrKeyExpired, len(*wire.Data))
	}
	return valid, nil
}

func (c *Client) openCertificate(serial string, r wxcrypto.Resource) (wxcrypto.VerifyKey, error) {
	plaintext, err := c.cfg.APIv3Key.Open(r)
	if err != nil {
		return wxcrypto.VerifyKey{}, err
	}
	key, err := wxcrypto.ParseCertificate(plaintext)
	if err != nil {
		return wxcrypto.VerifyKey{}, err
	}
	if strings.ToUpper(serial) != key.Serial() {
		return wxcrypto.VerifyKey{}, fmt.Errorf("serial_no %.64q is not the certificate's %q", serial, key.Serial())
	}
	return key, nil
}
