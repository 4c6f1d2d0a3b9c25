package wxapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Product is a way to pay, as the prepay path names it.
type Product string

// The products. A mini-program (小程序) uses JSAPI with its own appid.
const (
	App    Product = "app"
	JSAPI  Product = "jsapi"
	H5     Product = "h5"
	Native Product = "native"
)

// Credential is what the customer pays with. One field is set, by product.
type Credential struct {
	PrepayID string `json:"prepay_id"` // app and jsapi; lives two hours
	CodeURL  string `json:"code_url"`  // native: the content of the QR code; lives two hours
	H5URL    string `json:"h5_url"`    // h5: where the browser goes, unchanged; lives five minutes
}

// Prepay orders (下单), or asks for a new credential of an unpaid order by
// sending the very same bytes again. body is what [PrepayRequest.Encode]
// returned, kept since: WeChat Pay refuses a number whose parameters changed.
//
// Expect [*Error] with OUT_TRADE_NO_USED, INVALID_REQUEST, ORDER_CLOSED and
// the like. After [ErrUnknown] send the same bytes again, or query; a new
// number could be a second payment. Source: 下单, 重入规则.
func (c *Client) Prepay(ctx context.Context, p Product, body []byte) (Credential, error) {
	switch p {
	case App, JSAPI, H5, Native:
	default:
		return Credential{}, fmt.Errorf("prepay: %w: no such product %.20q", ErrRequest, string(p))
	}
	if len(body) == 0 {
		return Credential{}, fmt.Errorf("prepay: %w: the body is empty", ErrRequest)
	}
	var cred Credential
	err := c.do(ctx, request{
		op: OpPrepay, method: http.MethodPost, target: "/v3/pay/transactions/" + string(p), body: body,
		accept: c.verified(func(body []byte) (err error) {
			cred, err = readCredential(p, body)
			return err
		}),
	})
	if err != nil {
		return Credential{}, err
	}
	return cred, nil
}

func readCredential(p Product, body []byte) (Credential, error) {
	var cred Credential
	if err := json.Unmarshal(body, &cred); err != nil {
		return Credential{}, err
	}
	field, value := "prepay_id", cred.PrepayID
	switch p {
	case H5:
		field, value = "h5_url", cred.H5URL
	case Native:
		field, value = "code_url", cred.CodeURL
	}
	if value == "" {
		return Credential{}, fmt.Errorf("%s is missing", field)
	}
	return cred, nil
}

// PrepayRequest is an order as WeChat Pay takes it. Lengths are in characters.
// Source: 下单, 请求参数.
type PrepayRequest struct {
	AppID       string     // required; bound to MchID
	MchID       string     // required; the Signer's own
	Description string     // required; up to 127, see TruncateDescription
	OutTradeNo  string     // required; 6 to 32 of [0-9A-Za-z_\-|*], unique for ever
	TimeExpire  time.Time  // last moment to pay; zero leaves it to WeChat Pay: seven days
	Attach      string     // up to 128, comes back once paid
	NotifyURL   string     // required; https, no query
	Amount      Amount     // required
	Payer       *Payer     // jsapi only, and required there
	SceneInfo   *SceneInfo // required by h5
}

// Amount is the price.
type Amount struct {
	Total    int64  `json:"total"`              // fen, at least 1
	Currency string `json:"currency,omitempty"` // CNY, which is also the default
}

// Payer is who pays.
type Payer struct {
	OpenID string `json:"openid,omitempty"` // under the AppID of the order
}

// SceneInfo is where the customer pays.
type SceneInfo struct {
	PayerClientIP string  `json:"payer_client_ip,omitempty"` // the customer's address, IPv4 or IPv6
	DeviceID      string  `json:"device_id,omitempty"`       // up to 32
	H5Info        *H5Info `json:"h5_info,omitempty"`         // required by h5
}

// H5Info is the kind of page an H5 payment comes from.
type H5Info struct {
	Type        string `json:"type,omitempty"`         // Wap, iOS or Android
	AppName     string `json:"app_name,omitempty"`     // up to 64
	AppURL      string `json:"app_url,omitempty"`      // up to 128
	BundleID    string `json:"bundle_id,omitempty"`    // iOS, up to 128
	PackageName string `json:"package_name,omitempty"` // Android, up to 128
}

// prepayWire fixes names and order of the fields on the wire. WeChat Pay takes
// neither null nor empty values nor fields it does not know.
type prepayWire struct {
	AppID       string    `json:"appid"`
	MchID       string    `json:"mchid"`
	Description string    `json:"description"`
	OutTradeNo  string    `json:"out_trade_no"`
	TimeExpire  string    `json:"time_expire,omitempty"`
	Attach      string    `json:"attach,omitempty"`
	NotifyURL   string    `json:"notify_url"`
	Amount      Amount    `json:"amount"`
	Payer       Payer     `json:"payer,omitzero"`
	SceneInfo   SceneInfo `json:"scene_info,omitzero"`
}

// Encode returns the JSON to keep with the order and to give to
// [Client.Prepay], now and again. The same request gives the same bytes: no
// empty fields, no HTML escaping, no line break at the end, time_expire in
// Beijing time to the second. Every field that is missing or cannot be is
// reported at once, each an [ErrRequest].
func (r PrepayRequest) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("prepay: %w", err)
	}
	wire := prepayWire{
		AppID: r.AppID, MchID: r.MchID, Description: r.Description, OutTradeNo: r.OutTradeNo,
		Attach: r.Attach, NotifyURL: r.NotifyURL, Amount: r.Amount,
	}
	if !r.TimeExpire.IsZero() {
		beijing := time.FixedZone("CST", 8*60*60)
		wire.TimeExpire = r.TimeExpire.In(beijing).Format("2006-01-02T15:04:05-07:00")
	}
	if r.Payer != nil {
		wire.Payer = *r.Payer
	}
	if r.SceneInfo != nil {
		wire.SceneInfo = *r.SceneInfo
		if h5 := wire.SceneInfo.H5Info; h5 != nil && *h5 == (H5Info{}) {
			wire.SceneInfo.H5Info = nil
		}
	}
	body, err := encode(wire)
	if err != nil {
		return nil, fmt.Errorf("prepay: %w", err)
	}
	return body, nil
}

// encode is JSON as it is kept and sent: no HTML escaping, no line break.
func encode(wire any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a & in a name stays one
	if err := encoder.Encode(wire); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func (r PrepayRequest) check() error {
	var errs []error
	fault := func(ok bool, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s", ErrRequest, text))
		}
	}
	fault(r.AppID != "", "appid is missing")
	fault(r.MchID != "", "mchid is missing")
	fault(r.Description != "", "description is missing")
	fault(len(r.OutTradeNo) >= 6 && isOutTradeNo(r.OutTradeNo), `out_trade_no is not 6 to 32 of 0-9 A-Z a-z _ - | *`)
	fault(r.NotifyURL != "", "notify_url is missing")
	fault(r.Amount.Total >= 1, "amount.total is less than 1 fen")
	fault(r.Amount.Currency == "" || r.Amount.Currency == "CNY", "amount.currency is not CNY")
	return errors.Join(errs...)
}

// TruncateDescription cuts a description at 127 bytes, between two characters,
// and drops bytes that are not UTF-8. WeChat Pay's limit is 127, and whether it
// counts characters or bytes is not documented for all products; bytes are
// always safe.
func TruncateDescription(s string) string {
	const most = 127
	return cut(strings.ToValidUTF8(s, ""), most)
}
