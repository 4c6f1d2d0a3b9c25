package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// openExample opens a shop whose customer is xiaoming and whose staff is anna,
// with a simulated WeChat Pay beside it. The mini-program posts as xiaoming.
func openExample(now func() time.Time) (post func(user, path, body string) string, pay *wxpay.Kit, sim *wxsim.Sim, end func()) {
	return openExampleWith(now, func(*wxpay.Options) {})
}

// openExampleWith is openExample with options of its own.
func openExampleWith(now func() time.Time, set func(*wxpay.Options)) (post func(user, path, body string) string, pay *wxpay.Kit, sim *wxsim.Sim, end func()) {
	sim, err := wxsim.New(wxsim.Config{Seed: 1, Now: now, RefundDelay: -1})
	if err != nil {
		log.Fatal(err)
	}
	weChat, mux := httptest.NewServer(sim), http.NewServeMux()
	shop := httptest.NewServer(mux)
	sim.SetURL(weChat.URL)
	acct := sim.Account()
	o := wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM, AppID: acct.AppID, APIBase: weChat.URL,
		},
		NotifyURL:   shop.URL + "/pay/notify",
		Store:       memory.New(),
		Identify:    func(r *http.Request) (string, error) { return r.Header.Get("X-User"), nil },
		Quote:       orderstore.Catalog{{GoodsID: "vip-month", Description: "1个月会员", Total: 100}}.Quote,
		OrderNumber: func(user string, _ time.Time) string { return "order-of-" + user },
		AuthorizeRefund: func(_ *http.Request, userID string, _ wxpay.Order) error {
			if userID != "anna" {
				return errors.New("not of the staff")
			}
			return nil
		},
		Logger: slog.New(slog.DiscardHandler),
		Now:    now,
	}
	set(&o)
	pay, err = wxpay.Mount(mux, o)
	if err != nil {
		log.Fatal(err)
	}
	post = func(user, path, body string) string {
		r, err := http.NewRequest("POST", shop.URL+path, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-User", user)
		resp, err := client.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(answer)))
	}
	return post, pay, sim, func() { sim.Close(); shop.Close(); weChat.Close() }
}

// Staff refund an order; its owner cannot.
func ExampleKit_CreateRefund() {
	post, _, sim, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	wish := `{"refund":30,"reason":"缺货","out_refund_no":"R-1"}`
	fmt.Println(post("xiaoming", "/pay/orders/order-of-xiaoming/refunds", wish))
	answer := post("anna", "/pay/orders/order-of-xiaoming/refunds", wish)
	fmt.Println(answer[:3], strings.Contains(answer, `"out_refund_no":"R-1"`), strings.Contains(answer, `"amount":"0.30元"`))
	post("anna", "/pay/orders/order-of-xiaoming/refunds", wish) // one number is one refund
	fmt.Println(len(sim.Refunds()), "refund at WeChat Pay")
	// Output:
	// 403 {"code":403,"data":null,"msg":"无权操作该订单"}
	// 200 true true
	// 1 refund at WeChat Pay
}

// The bill of yesterday knows a payment that nobody told of. It becomes paid;
// one of another system is left to people.
func ExampleKit_Reconcile() {
	yesterday := time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)
	now := yesterday
	post, pay, sim, end := openExample(func() time.Time { return now })
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := errors.Join(sim.PayQuietly("order-of-xiaoming"), sim.AddStrayPayment("ticket-0001", 500, now)); err != nil {
		log.Fatal(err)
	}
	now = now.Add(28 * time.Hour)
	report, err := pay.Reconcile(context.Background(), yesterday)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Payments, "payments in the bill of", report.Day.Format(time.DateOnly))
	for _, d := range report.Differences {
		fmt.Println(d.OutTradeNo, d.Kind, "repaired:", d.Repaired)
	}
	// Output:
	// 2 payments in the bill of 2026-01-02
	// order-of-xiaoming unpaid_here repaired: true
	// ticket-0001 unknown_order repaired: false
}
