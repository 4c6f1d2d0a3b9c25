package till

import (
	"context"
	"fmt"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
)

// API is the seam between orders and WeChat Pay: below it, API v3 and v2 differ,
// above it they do not. What Encode returns is frozen with the order or the
// refund, and given to Prepay or ApplyRefund now and again. appID is always the
// order's. Errors are those that package wxapi describes.
type API interface {
	EncodePrepay(wxapi.Product, wxapi.PrepayRequest) ([]byte, error)
	Prepay(ctx context.Context, p wxapi.Product, frozen []byte) (wxapi.Credential, error)
	Query(ctx context.Context, appID, outTradeNo string) (wxapi.Transaction, error)
	Close(ctx context.Context, appID, outTradeNo string) error
	EncodeRefund(appID string, r wxapi.RefundRequest) ([]byte, error)
	ApplyRefund(ctx context.Context, frozen []byte) (wxapi.Refund, error)
	QueryRefund(ctx context.Context, appID, outRefundNo string) (wxapi.Refund, error)
}

var (
	_ API = V3{}
	_ API = (*apiv2.Client)(nil)
	_ API = Either{}
)

// V3 is API v3, which finds orders and refunds without their appid.
type V3 struct{ Client *wxapi.Client }

// EncodePrepay leaves the scene out where the product does not need it.
func (v V3) EncodePrepay(p wxapi.Product, r wxapi.PrepayRequest) ([]byte, error) {
	if p != wxapi.H5 {
		r.SceneInfo = nil
	}
	return r.Encode()
}

// Prepay is [wxapi.Client.Prepay].
func (v V3) Prepay(ctx context.Context, p wxapi.Product, frozen []byte) (wxapi.Credential, error) {
	return v.Client.Prepay(ctx, p, frozen)
}

// Query is [wxapi.Client.Query].
func (v V3) Query(ctx context.Context, _, outTradeNo string) (wxapi.Transaction, error) {
	return v.Client.Query(ctx, outTradeNo)
}

// Close is [wxapi.Client.Close].
func (v V3) Close(ctx context.Context, _, outTradeNo string) error {
	return v.Client.Close(ctx, outTradeNo)
}

// EncodeRefund is [wxapi.RefundRequest.Encode].
func (v V3) EncodeRefund(_ string, r wxapi.RefundRequest) ([]byte, error) { return r.Encode() }

// ApplyRefund is [wxapi.Client.ApplyRefund].
func (v V3) ApplyRefund(ctx context.Context, frozen []byte) (wxapi.Refund, error) {
	return v.Client.ApplyRefund(ctx, frozen)
}

// QueryRefund is [wxapi.Client.QueryRefund].
func (v V3) QueryRefund(ctx context.Context, _, outRefundNo string) (wxapi.Refund, error) {
	return v.Client.QueryRefund(ctx, outRefundNo)
}

// Either is both APIs, for a shop that changes from one to the other: new
// orders and refunds are for API, and what was frozen for one of the two is
// sent by that one. Questions go through API whoever placed the order: both know
// all orders of the merchant. Source: wire facts §9.9.
type Either struct {
	API
	V3, V2 API // nil if the merchant has no keys for it
}

// errNoKeys is a [wxapi.ErrUnreachable]: nothing happened, and it works once
// there are keys again.
var errNoKeys = fmt.Errorf("till: frozen for an API that the merchant has no keys for (%w)", wxapi.ErrUnreachable)

// Prepay sends a frozen order through the API it was frozen for.
func (e Either) Prepay(ctx context.Context, p wxapi.Product, frozen []byte) (wxapi.Credential, error) {
	api := e.of(frozen)
	if api == nil {
		return wxapi.Credential{}, errNoKeys
	}
	return api.Prepay(ctx, p, frozen)
}

// ApplyRefund sends a frozen refund through the API it was frozen for.
func (e Either) ApplyRefund(ctx context.Context, frozen []byte) (wxapi.Refund, error) {
	api := e.of(frozen)
	if api == nil {
		return wxapi.Refund{}, errNoKeys
	}
	return api.ApplyRefund(ctx, frozen)
}

func (e Either) of(frozen []byte) API {
	if apiv2.IsFrozen(string(frozen)) {
		return e.V2
	}
	return e.V3
}
