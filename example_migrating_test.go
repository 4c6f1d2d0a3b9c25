package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// An app moves to the kit while orders of before are still on their way: their
// notifications come to the old address, and the old code takes them, behind
// the kit's verification. The kit's own orders are reported to its own address.
func ExampleKit_VerifyNotify_migrating() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	pay, err := wxpay.Mount(mux, wxpay.Options{
		Merchant:  merchantOf(sim),
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "", errors.New("not signed in") },
		Quote:     orderstore.Catalog{}.Quote,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	markPaid := func(_ context.Context, outTradeNo string, fen int64) error { // the app's own, as it was
		fmt.Println("the old code marks", outTradeNo, "paid:", fen, "fen")
		return nil
	}
	mux.Handle("POST /wechat/notify", pay.VerifyNotify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := wxpay.NotificationFrom(r.Context())
		var t struct {
			OutTradeNo string `json:"out_trade_no"`
			TradeState string `json:"trade_state"`
			Amount     struct {
				Total int64 `json:"total"`
			} `json:"amount"`
		}
		err := json.Unmarshal(n.Plaintext, &t)
		if err != nil || t.TradeState != "SUCCESS" || markPaid(r.Context(), t.OutTradeNo, t.Amount.Total) != nil {
			w.WriteHeader(http.StatusInternalServerError) // WeChat sends it again
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))

	transaction := map[string]any{"out_trade_no": "of-before", "trade_state": "SUCCESS", "amount": map[string]any{"total": 100}}
	r, err := sim.SignNotification(transaction, "TRANSACTION.SUCCESS", "https://shop.example.com/wechat/notify")
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// the old code marks of-before paid: 100 fen
	// 204
}

// merchantOf is the account at the simulator.
func merchantOf(sim *wxsim.Sim) wxpay.Merchant {
	acct := sim.Account()
	return wxpay.Merchant{
		MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
		PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM, AppID: acct.AppID,
	}
}
