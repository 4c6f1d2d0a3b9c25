package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxsim"
)

// A running app that takes WeChat Pay.
func ExampleMount() {
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
		Identify: func(r *http.Request) (userID string, err error) { // who is asking
			session, err := r.Cookie("session")
			if err != nil {
				return "", errors.New("not signed in")
			}
			return session.Value, nil
		},
		Quote: catalog.Quote, // the server's own price, never the client's
		OnPaid: func(_ context.Context, o wxpay.Order) error {
			log.Printf("%s is a member now", o.UserID) // again until nil; do it once per o.OutTradeNo
			return nil
		},
	})
	if err != nil {
		log.Fatal(err) // every wrong field at once, with what to do
	}
	go pay.Run(context.Background()) // hands paid orders to OnPaid
	log.Fatal(http.ListenAndServe(":8080", mux))
}

// An app that handles notifications itself, here of a product that the kit
// leaves alone, gets them verified and decrypted. The simulator plays WeChat Pay.
func ExampleKit_VerifyNotify() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	acct := sim.Account()
	pay, err := wxpay.New(wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM, AppID: acct.AppID,
		},
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "", errors.New("not signed in") },
		Quote:     orderstore.Catalog{}.Quote,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	coupons := pay.VerifyNotify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := wxpay.NotificationFrom(r.Context())
		fmt.Println(n.EventType, string(n.Plaintext))
		w.WriteHeader(http.StatusNoContent) // only when what you learnt is durable
	}))

	genuine, err := sim.SignNotification(map[string]any{"coupon_id": "C-1"}, "COUPON.USE", "https://shop.example.com/coupons")
	if err != nil {
		log.Fatal(err)
	}
	forged := httptest.NewRequest("POST", "https://shop.example.com/coupons", strings.NewReader(`{"id":"1"}`))
	for _, r := range []*http.Request{forged, genuine} {
		w := httptest.NewRecorder()
		coupons.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 401
	// COUPON.USE {"coupon_id":"C-1"}
	// 204
}

func ExampleMerchantFromEnv() {
	os.Setenv("WXPAY_MCHID", "1900000109")
	defer os.Unsetenv("WXPAY_MCHID")
	m := wxpay.MerchantFromEnv()
	fmt.Println(m.MchID)
	fmt.Println(m) // never a secret
	// Output:
	// 1900000109
	// wxpay.Merchant{1900000109}
}

// Behind a load balancer the customer's address is the right-most one that is
// not a proxy of one's own. What the customer writes further left is his.
func ExampleTrustedProxies() {
	clientIP := wxpay.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"))
	r := httptest.NewRequest("POST", "/pay/prepay/h5", nil)
	r.RemoteAddr = "10.0.0.2:41234"
	r.Header.Set("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.0.0.1")
	fmt.Println(clientIP(r))
	// Output: 203.0.113.7
}

func ExampleTutorialNumber() {
	at := time.UnixMilli(1623846752103)
	fmt.Println(wxpay.TutorialNumber("1008", at))
	fmt.Println(wxpay.TutorialNumber("a user id that is far too long for a number", at))
	// Output:
	// tzxz_1008_1623846752103
	// tzxz_swzje2143tkqd_1623846752103
}
