package apiv2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// ErrNoCertificate says that a refund was not sent, because API v2 takes one
// only from a client that presents the merchant API certificate, and there is
// none in the Config. It is a [wxapi.ErrUnreachable]: nothing happened.
var ErrNoCertificate = fmt.Errorf("apiv2: refunds need the merchant API certificate (%w)", wxapi.ErrUnreachable)

// Config says what a [Client] works with. MchID and Key are required.
type Config struct {
	MchID string // 商户号
	Key   wxcrypto.APIv2Key

	// SignType is how new orders and refunds are signed. Defaults to MD5, as
	// WeChat Pay's own does.
	SignType wxcrypto.SignType
	// Certificate is the merchant API certificate with its private key
	// (apiclient_cert.pem, apiclient_key.pem), which refunds need. Without it
	// they are [ErrNoCertificate], except over plain http to a loopback host,
	// which could not ask for it.
	Certificate *tls.Certificate

	// Calls says how calls are made: BaseURL, HTTPClient, timeouts, Observe and
	// so on. Its Signer, Keys and APIv3Key are not used.
	Calls wxapi.Config
}

// Client calls API v2 for one merchant. Make it with [New]. It is safe for
// concurrent use and starts no goroutine.
type Client struct {
	cfg     Config
	courier *wxapi.Courier
}

// New returns a client. Every missing or wrong field of the config is reported
// at once, joined by [errors.Join]. Nothing is sent yet.
func New(cfg Config) (*Client, error) {
	var errs []error
	if cfg.SignType == "" {
		cfg.SignType = wxcrypto.SignMD5
	}
	if cfg.Calls.NewNonce == nil {
		cfg.Calls.NewNonce = wxcrypto.NewNonce
	}
	if cfg.MchID == "" {
		errs = append(errs, errors.New("apiv2: Config.MchID is required: the merchant number"))
	}
	if cfg.Key == (wxcrypto.APIv2Key{}) {
		errs = append(errs, errors.New("apiv2: Config.Key is required: the APIv2 key"))
	}
	if cfg.SignType != wxcrypto.SignMD5 && cfg.SignType != wxcrypto.SignHMACSHA256 {
		errs = append(errs, errors.New("apiv2: Config.SignType is neither MD5 nor HMAC-SHA256"))
	}
	courier, err := wxapi.NewCourier(cfg.Calls, cfg.Certificate)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &Client{cfg, courier}, nil
}

// call is one question and the reader of its answer.
type call struct {
	op, path string
	fields   fields // without mch_id, nonce_str and sign
	once     bool
	read     func(fields) error
}

// do signs a call, sends it, and reads the answer once it is known to be
// WeChat Pay's and about this merchant and appid.
func (c *Client) do(ctx context.Context, q call) error {
	body, err := c.sign(q.fields)
	if err != nil {
		return fmt.Errorf("%s: %w", q.op, err)
	}
	return c.courier.Do(ctx, wxapi.Errand{
		Op: q.op, Path: q.path, ContentType: "text/xml; charset=utf-8", Body: body, Once: q.once,
		Read: func(body []byte) error {
			got, err := c.open(q, body)
			if err != nil {
				return err
			}
			return q.read(got)
		},
	})
}

// sign adds who is asking, a nonce and the sign, of the type that the fields
// name, or else MD5. Source: 签名算法.
func (c *Client) sign(f fields) ([]byte, error) {
	signed := maps.Clone(f)
	signed["mch_id"] = c.cfg.MchID
	signed["nonce_str"] = c.cfg.Calls.NewNonce()
	sign, err := c.cfg.Key.Sign(signed, signType(f))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wxapi.ErrRequest, err)
	}
	signed["sign"] = sign
	return signed.encode()
}

func signType(f fields) wxcrypto.SignType {
	if t := f["sign_type"]; t != "" {
		return wxcrypto.SignType(t)
	}
	return wxcrypto.SignMD5
}

// open reads an answer layer by layer: communication, sign, identity, result.
// The sign covers the answer and not the question, so that whose it is must be
// compared as well. Source: 统一下单, 返回结果.
func (c *Client) open(q call, body []byte) (fields, error) {
	got, err := parse("xml", body)
	if err != nil {
		return nil, err
	}
	switch got["return_code"] {
	case "SUCCESS":
	case "":
		return nil, fmt.Errorf("%w: return_code is missing", ErrMalformed)
	default: // FAIL, or an odd word; never signed
		return nil, &wxapi.Error{Status: statusRefused, Message: got["return_msg"]}
	}
	if err := c.cfg.Key.Verify(got); err != nil {
		return nil, fmt.Errorf("%w: %w", wxapi.ErrNotVerified, err)
	}
	if got["mch_id"] != c.cfg.MchID || got["appid"] != q.fields["appid"] {
		return nil, errors.New("the answer is to another merchant or appid")
	}
	switch got["result_code"] {
	case "SUCCESS":
		return got, nil
	case "":
		return nil, fmt.Errorf("%w: result_code is missing", ErrMalformed)
	}
	return nil, refusal(q.op, got["err_code"], got["err_code_des"])
}

// beijing is the zone of all times of API v2.
func beijing() *time.Location { return time.FixedZone("CST", 8*60*60) }

// The two ways in which API v2 writes a time.
const (
	compactTime  = "20060102150405"
	readableTime = time.DateTime
)

// timeOf is zero when the text is no time of that layout.
func timeOf(layout, text string) time.Time {
	at, err := time.ParseInLocation(layout, text, beijing())
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
