// Command chi mounts the kit on a chi.Router, beside the app's own routes.
// Without WXPAY_MCHID it is paid by the simulated WeChat Pay of simulator.go.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	merchant := wxpay.MerchantFromEnv()
	if merchant.MchID == "" {
		merchant = merchantOf(startSimulator())
		merchant.NotifyURL = "http://" + *addr + "/pay/notify"
	}
	router, kit, err := newRouter(merchant)
	if err != nil {
		log.Fatal(err)
	}
	go kit.Run(context.Background())
	log.Printf("curl http://%s/pay/prepay/native -H 'X-User: xiaoming' --json '{\"goods_id\":\"tea\"}'", *addr)
	log.Fatal(http.ListenAndServe(*addr, router))
}

func newRouter(merchant wxpay.Merchant) (http.Handler, *wxpay.Kit, error) {
	router := chi.NewRouter()
	router.Get("/", home)
	kit, err := wxpay.Mount(router, wxpay.Options{
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
	})
	return router, kit, err
}

func home(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "the app's own page\n")
}
