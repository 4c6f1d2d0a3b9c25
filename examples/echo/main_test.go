package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

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

// newNested puts the kit into a group: it is reached at /api/v1/pay.
func newNested(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	router := echo.New()
	kit, err := wxpay.New(o)
	router.Group("/api/v1").Any("/pay/*", echo.WrapHandler(kit))
	return router, kit, err
}

// newDressed has echo's own middleware in front, and a parameter of the kit's
// name.
func newDressed(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	router := echo.New()
	router.Use(middleware.Gzip(), middleware.Decompress(), middleware.Secure(), middleware.RequestID())
	router.Use(middleware.BodyLimit(1<<20), middleware.ContextTimeout(time.Minute))
	router.Use(middleware.BodyDump(func(*echo.Context, []byte, []byte, error) {})) // it puts the body back
	kit, err := wxpay.New(o)
	router.Group("/shops/:out_trade_no").Any("/pay/*", echo.WrapHandler(kit))
	return router, kit, err
}

// newOrderAlone wires one endpoint; WrapHandler hands the path's values on.
func newOrderAlone(o wxpay.Options) (http.Handler, error) {
	router := echo.New()
	kit, err := wxpay.New(o)
	router.GET("/checkout/orders/:out_trade_no", echo.WrapHandler(kit.OrderStatus()))
	return router, err
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

// TestOrderAlone: the endpoint that is wired alone finds the number.
func TestOrderAlone(t *testing.T) {
	t.Parallel()
	router, err := newOrderAlone(options(playgroundtest.Merchant(t)))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/checkout/orders/a%7Cb-000001", nil)
	r.Header.Set("X-User", "xiaoming")
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "订单不存在") {
		t.Errorf("an order that does not exist: %d %s", w.Code, w.Body)
	}
}
