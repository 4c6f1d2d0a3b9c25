package till_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/wxapi"
)

// side is an API that only says that it was the one.
type side struct {
	till.API
	name string
}

func (s side) Prepay(context.Context, wxapi.Product, []byte) (wxapi.Credential, error) {
	return wxapi.Credential{PrepayID: s.name}, nil
}

func (s side) ApplyRefund(context.Context, []byte) (wxapi.Refund, error) {
	return wxapi.Refund{RefundID: s.name}, nil
}

func (s side) Query(context.Context, string, string) (wxapi.Transaction, error) {
	return wxapi.Transaction{TransactionID: s.name}, nil
}

// What was frozen for one API is sent by that one, whichever the shop is at.
func TestEither(t *testing.T) {
	t.Parallel()
	v3, v2 := side{name: "v3"}, side{name: "v2"}
	for _, test := range []struct {
		name   string
		apis   till.Either
		frozen string
		want   string // who sent it
		err    error
	}{
		{"v3 at v3", till.Either{API: v3, V3: v3, V2: v2}, `{"appid":"x"}`, "v3", nil},
		{"v2 at v3", till.Either{API: v3, V3: v3, V2: v2}, "<xml><appid>x</appid></xml>", "v2", nil},
		{"v3 at v2", till.Either{API: v2, V3: v3, V2: v2}, `{"appid":"x"}`, "v3", nil},
		{"v2 at v2", till.Either{API: v2, V3: v3, V2: v2}, "<xml><appid>x</appid></xml>", "v2", nil},
		{"v2 without its keys", till.Either{API: v3, V3: v3}, "<xml><appid>x</appid></xml>", "", wxapi.ErrUnreachable},
		{"v3 without its keys", till.Either{API: v2, V2: v2}, `{"appid":"x"}`, "", wxapi.ErrUnreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cred, err := test.apis.Prepay(t.Context(), wxapi.App, []byte(test.frozen))
			if cred.PrepayID != test.want || !errors.Is(err, test.err) {
				t.Errorf("prepay by %q, %v", cred.PrepayID, err)
			}
			refund, err := test.apis.ApplyRefund(t.Context(), []byte(test.frozen))
			if refund.RefundID != test.want || !errors.Is(err, test.err) {
				t.Errorf("refund by %q, %v", refund.RefundID, err)
			}
			tx, err := test.apis.Query(t.Context(), "x", "1")
			if tx.TransactionID != test.apis.API.(side).name || err != nil {
				t.Errorf("query by %q, %v", tx.TransactionID, err)
			}
		})
	}
}

// API v3 is told of the customer's address where it asks for it.
func TestV3SceneInfo(t *testing.T) {
	t.Parallel()
	r := wxapi.PrepayRequest{
		AppID: "x", MchID: "1", Description: "x", OutTradeNo: "order-1", NotifyURL: "https://shop.example.com/pay/notify",
		Amount:    wxapi.Amount{Total: 1},
		SceneInfo: &wxapi.SceneInfo{PayerClientIP: "203.0.113.7", H5Info: &wxapi.H5Info{Type: "Wap"}},
	}
	for product, want := range map[wxapi.Product]bool{wxapi.H5: true, wxapi.App: false, wxapi.JSAPI: false, wxapi.Native: false} {
		body, err := till.V3{}.EncodePrepay(product, r)
		if got := strings.Contains(string(body), "scene_info"); err != nil || got != want {
			t.Errorf("%s: %s, %v", product, body, err)
		}
	}
}
