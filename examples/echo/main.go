// Command echo puts the kit into an app of echo, beside the app's own routes.
// Without WXPAY_MCHID it is paid by the simulated WeChat Pay beside it.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	merchant := wxpay.MerchantFromEnv()
	if merchant.MchID == "" {
		sim, _, err := playground.Start("127.0.0.1:0", 0)
		if err != nil {
			log.Fatal(err)
		}
		merchant = playground.Merchant(sim)
		merchant.NotifyURL = "http://" + *addr + "/pay/notify"
		log.Printf("the customer's phone is %s/", sim.URL())
	}
	router, kit, err := newRouter(options(merchant))
	if err != nil {
		log.Fatal(err)
	}
	go kit.Run(context.Background())
	log.Printf("curl http://%s/pay/prepay/native -H 'X-User: xiaoming' --json '{\"goods_id\":\"tea\"}'", *addr)
	log.Fatal(http.ListenAndServe(*addr, router))
}

// newRouter is the app's router with the kit under /pay.
func newRouter(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	router := echo.New()
	router.Use(middleware.RequestLogger(), middleware.Recover())
	router.GET("/", func(c *echo.Context) error { return c.String(http.StatusOK, "the app's own page\n") })
	kit, err := wxpay.New(o)
	router.Any("/pay/*", echo.WrapHandler(kit))
	return router, kit, err
}

func options(merchant wxpay.Merchant) wxpay.Options {
	return wxpay.Options{
		Merchant: merchant,
		Store:    memory.New(), // in earnest: sqlite.Open("pay.db")
		Identify: func(r *http.Request) (string, error) {
			return r.Header.Get("X-User"), nil // in earnest: the app's own session
		},
		Quote: orderstore.Catalog{{GoodsID: "tea", Description: "一杯茶", Total: 300}}.Quote,
		OnPaid: func(_ context.Context, o wxpay.Order) error {
			log.Printf("%s has paid for %s", o.UserID, o.Description)
			return nil
		},
	}
}
