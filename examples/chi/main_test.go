package main

import (
	"net/http"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground/playgroundtest"
)

// TestBuy goes through the router from the order to the payment.
func TestBuy(t *testing.T) {
	t.Parallel()
	playgroundtest.Buy(t, "tea", 300, func(merchant wxpay.Merchant) (http.Handler, error) {
		router, _, err := newRouter(merchant)
		return router, err
	})
}
