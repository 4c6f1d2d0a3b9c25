package apiv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// The trade_type of a product. Source: 统一下单, trade_type.
var tradeTypes = map[wxapi.Product]string{
	wxapi.JSAPI: "JSAPI", wxapi.App: "APP", wxapi.H5: "MWEB", wxapi.Native: "NATIVE",
}

// Longest texts, in bytes, where API v2 takes less than API v3.
const (
	maxBody   = 127
	maxAttach = 127
)

// unknownIP stands for a customer's address that nobody knows:
// spbill_create_ip must not be missing.
const unknownIP = "127.0.0.1"

// IsFrozen reports whether a body was encoded here; those of API v3 are JSON.
func IsFrozen(body string) bool { return strings.HasPrefix(body, "<xml>") }

// SignTypeOf is how a frozen body is signed, and so must be what the client
// takes to pay for it. It is MD5 for what is no frozen body.
func SignTypeOf(body string) wxcrypto.SignType {
	f, err := parse("xml", []byte(body))
	if err != nil {
		return wxcrypto.SignMD5
	}
	return signType(f)
}

// EncodePrepay returns the parameters of an order (统一下单) to keep with it and
// to give to [Client.Prepay], now and again. The same request gives the same
// bytes. SceneInfo is of use for every product: PayerClientIP is
// spbill_create_ip. Faults are those of [wxapi.PrepayRequest.Encode], each a
// [wxapi.ErrRequest].
func (c *Client) EncodePrepay(p wxapi.Product, r wxapi.PrepayRequest) ([]byte, error) {
	if err := c.checkPrepay(p, r); err != nil {
		return nil, fmt.Errorf("prepay: %w", err)
	}
	f := fields{
		"appid": r.AppID, "mch_id": c.cfg.MchID, "sign_type": string(c.cfg.SignType),
		"body": r.Description, "out_trade_no": r.OutTradeNo, "attach": r.Attach,
		"fee_type": "CNY", "total_fee": strconv.FormatInt(r.Amount.Total, 10),
		"spbill_create_ip": unknownIP, "notify_url": r.NotifyURL, "trade_type": tradeTypes[p],
	}
	if !r.TimeExpire.IsZero() {
		f["time_expire"] = r.TimeExpire.In(beijing()).Format(compactTime)
	}
	if s := r.SceneInfo; s != nil && s.PayerClientIP != "" {
		f["spbill_create_ip"] = s.PayerClientIP
	}
	switch p {
	case wxapi.JSAPI:
		f["openid"] = r.Payer.OpenID
	case wxapi.Native:
		f["product_id"] = r.OutTradeNo // required; a code is for one order here
	case wxapi.H5:
		scene, err := json.Marshal(map[string]any{"h5_info": map[string]string{"type": r.SceneInfo.H5Info.Type}})
		if err != nil {
			return nil, fmt.Errorf("prepay: %w", err)
		}
		f["scene_info"] = string(scene)
	}
	body, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("prepay: %w", err)
	}
	return body, nil
}

// checkPrepay refuses what API v3 refuses, and what API v2 wants besides.
func (c *Client) checkPrepay(p wxapi.Product, r wxapi.PrepayRequest) error {
	var errs []error
	if _, err := r.Encode(); err != nil {
		errs = append(errs, err)
	}
	fault := func(ok bool, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s", wxapi.ErrRequest, text))
		}
	}
	fault(tradeTypes[p] != "", "no such product")
	fault(r.MchID == c.cfg.MchID, "mch_id is another merchant's")
	fault(len(r.Description) <= maxBody, "body is longer than 127")
	fault(len(r.Attach) <= maxAttach, "attach is longer than 127")
	fault(p != wxapi.JSAPI || r.Payer != nil && r.Payer.OpenID != "", "openid is missing")
	fault(p != wxapi.H5 || r.SceneInfo != nil && r.SceneInfo.H5Info != nil && r.SceneInfo.H5Info.Type != "", "scene_info.h5_info is missing")
	return errors.Join(errs...)
}

// Prepay orders, or asks for a new credential of an unpaid order by sending the
// same parameters again; see [wxapi.Client.Prepay]. body is what
// [Client.EncodePrepay] returned, kept since. Source: 统一下单.
func (c *Client) Prepay(ctx context.Context, p wxapi.Product, body []byte) (wxapi.Credential, error) {
	f, err := c.frozen(body)
	if err != nil || f["trade_type"] == "" || f["trade_type"] != tradeTypes[p] {
		return wxapi.Credential{}, fmt.Errorf("prepay: %w: the body is not what EncodePrepay returns for this product and merchant", wxapi.ErrRequest)
	}
	var cred wxapi.Credential
	err = c.do(ctx, call{
		op: wxapi.OpPrepay, path: "/pay/unifiedorder", fields: f,
		read: func(got fields) error {
			var name string
			switch p {
			case wxapi.H5:
				name, cred.H5URL = "mweb_url", got["mweb_url"]
			case wxapi.Native:
				name, cred.CodeURL = "code_url", got["code_url"]
			default:
				name, cred.PrepayID = "prepay_id", got["prepay_id"]
			}
			if got[name] == "" {
				return errors.New(name + " is missing")
			}
			return nil
		},
	})
	if err != nil {
		return wxapi.Credential{}, err
	}
	return cred, nil
}

// frozen reads parameters that were kept.
func (c *Client) frozen(body []byte) (fields, error) {
	f, err := parse("xml", body)
	if err != nil {
		return nil, err
	}
	if f["mch_id"] != c.cfg.MchID {
		return nil, errors.New("mch_id is another merchant's")
	}
	return f, nil
}
