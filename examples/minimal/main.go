// Command minimal is the code of the README: a running app that takes WeChat
// Pay. It reads the account from the environment; see MerchantFromEnv.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxprom"
)

func main() {
	mux := http.NewServeMux() // the router your app has
	store, err := sqlite.Open("pay.db")
	if err != nil {
		log.Fatal(err)
	}
	catalog := orderstore.Catalog{{GoodsID: "vip-month", Description: "1个月会员", Total: 100}}
	pay, err := wxpay.Mount(mux, wxpay.Options{
		Merchant:  wxpay.MerchantFromEnv(),
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     store,
		Identify:  signedInUser,  // who is asking
		Quote:     catalog.Quote, // the server's own price, never the client's
		OnPaid: func(ctx context.Context, o wxpay.Order) error {
			return grantMembership(ctx, o.UserID, o.OutTradeNo) // again until nil; do it once per number
		},
		Hooks: wxprom.New(prometheus.DefaultRegisterer),
	})
	if err != nil {
		log.Fatal(err) // every wrong field at once, with what to do
	}
	go pay.Run(context.Background()) // asks about silent orders, hands paid ones to OnPaid
	log.Fatal(http.ListenAndServe(":8080", mux))
}

// signedInUser stands for the app's own session.
func signedInUser(r *http.Request) (string, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return "", errors.New("not signed in")
	}
	return c.Value, nil
}

// grantMembership stands for the app's own business.
func grantMembership(_ context.Context, userID, outTradeNo string) error {
	log.Printf("%s is a member now (order %s)", userID, outTradeNo)
	return nil
}
