package orderstore_test

import (
	"errors"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestCatalog(t *testing.T) {
	t.Parallel()
	catalog := orderstore.Catalog{
		{GoodsID: "", Description: "a row without an id", Total: 1},
		{GoodsID: "vip-month", Description: "1个月会员", Total: 100},
		{GoodsID: "vip-year", Description: "12个月会员", Total: 1000},
		{GoodsID: "vip-year", Description: "a second row", Total: 1},
	}
	for id, want := range map[string]orderstore.Quote{
		"vip-month": {Total: 100, Description: "1个月会员"},
		"vip-year":  {Total: 1000, Description: "12个月会员"},
	} {
		if got, err := catalog.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: id, UserID: "u"}); err != nil || got != want {
			t.Errorf("Quote of %s is %+v (%v), want %+v", id, got, err, want)
		}
	}
	for _, r := range []orderstore.QuoteRequest{
		{}, {GoodsID: "VIP-MONTH"}, {GoodsID: "vip-"}, {GoodsID: "vip-month "}, {OrderRef: "vip-month"},
	} {
		if got, err := catalog.Quote(t.Context(), r); !errors.Is(err, orderstore.ErrNoGoods) || got != (orderstore.Quote{}) {
			t.Errorf("Quote of %+v is %+v (%v), want ErrNoGoods", r, got, err)
		}
	}
	if _, err := orderstore.Catalog(nil).Quote(t.Context(), orderstore.QuoteRequest{GoodsID: "vip-month"}); !errors.Is(err, orderstore.ErrNoGoods) {
		t.Errorf("Quote of an empty catalogue: %v", err)
	}
}
