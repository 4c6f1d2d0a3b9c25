package main

import (
	"net/http"
	"testing"

	"github.com/gorilla/mux"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground/playgroundtest"
)

// TestBuy goes through the router from the order to the payment.
func TestBuy(t *testing.T) {
	t.Parallel()
	playgroundtest.Buy(t, "tea", 300, func(merchant wxpay.Merchant) (http.Handler, error) {
		router, _, err := newRouter(options(merchant))
		return router, err
	})
}

// newNested mounts the kit on a sub-router: it is reached at /api/v1/pay.
func newNested(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	router := mux.NewRouter()
	kit, err := wxpay.Mount(router.PathPrefix("/api/v1").Subrouter(), o)
	return router, kit, err
}

// newParted mounts it beside routes that look alike, on a router that does not
// clean paths and matches them as they were written.
func newParted(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	router := mux.NewRouter().SkipClean(true).UseEncodedPath().StrictSlash(true)
	shop := router.PathPrefix("/shops/{out_trade_no}").Subrouter()
	shop.HandleFunc("/paying", home)
	kit, err := wxpay.Mount(shop, o)
	return router, kit, err
}

// TestConform runs the suite of all routers.
func TestConform(t *testing.T) {
	t.Parallel()
	playgroundtest.ConformAll(t, []playgroundtest.Mounting{
		{Name: "example", At: "/pay", New: newRouter},
		{Name: "nested", At: "/api/v1/pay", New: newNested},
		{Name: "parted", At: "/shops/7/pay", New: newParted},
	})
}
