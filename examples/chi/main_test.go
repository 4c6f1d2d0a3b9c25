package main

import (
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

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

// newNested mounts the kit inside of a route: it is reached at /api/v1/pay.
func newNested(o wxpay.Options) (_ http.Handler, kit *wxpay.Kit, err error) {
	router := chi.NewRouter()
	router.Route("/api/v1", func(r chi.Router) {
		kit, err = wxpay.Mount(r, o)
	})
	return router, kit, err
}

// newDressed mounts it behind chi's own middleware, in a group with another
// parameter of the kit's name.
func newDressed(o wxpay.Options) (_ http.Handler, kit *wxpay.Kit, err error) {
	router := chi.NewRouter()
	router.Use(middleware.RequestID, middleware.Recoverer, middleware.Compress(5))
	router.Route("/shops/{out_trade_no}", func(r chi.Router) {
		kit, err = wxpay.Mount(r, o)
	})
	return router, kit, err
}

// TestConform runs the suite of all routers.
func TestConform(t *testing.T) {
	t.Parallel()
	playgroundtest.ConformAll(t, []playgroundtest.Mounting{
		{Name: "example", At: "/pay", New: newRouter},
		{Name: "nested", At: "/api/v1/pay", New: newNested},
		{Name: "dressed", At: "/shops/7/pay", New: newDressed},
	})
}
