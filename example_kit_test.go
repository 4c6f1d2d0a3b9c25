package wxpay_test

import (
	"context"
	"errors"
	"fmt"
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

func ExampleKit_CloseStreams() {
	_, pay, _, end := openExample(time.Now)
	defer end()
	server := &http.Server{Handler: pay}
	server.RegisterOnShutdown(pay.CloseStreams)
	fmt.Println(server.Shutdown(context.Background()))
	// Output: <nil>
}

func ExampleKit_Live() {
	_, pay, _, end := openExample(time.Now)
	defer end()
	fmt.Println(ask(pay.Live(), "", "GET", "/livez", "").Body)
	// Output: {"status":"live"}
}

func ExampleNew() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	pay, err := wxpay.New(wxpay.Options{
		Merchant:  merchantOf(sim),
		NotifyURL: "https://shop.example.com/api/v1/wx/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "", errors.New("not signed in") },
		Quote:     orderstore.Catalog{}.Quote,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/wx/", http.StripPrefix("/api/v1/wx", pay))

	fmt.Println(ask(mux, "", "POST", "/api/v1/wx/prepay/native", `{"goods_id":"vip-month"}`).Body)
	// Output: {"code":401,"data":null,"msg":"请先登录"}
}

func ExampleKit_Notify() {
	_, pay, _, end := openExample(time.Now)
	defer end()
	mux := http.NewServeMux()
	mux.Handle("POST /wechat/notify", pay.Notify())

	w := ask(mux, "", "POST", "/wechat/notify", `{"id":"1","event_type":"TRANSACTION.SUCCESS"}`)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 401 {"code":"FAIL","message":"失败"}
}

func ExampleKit_NotifyV2() {
	_, pay, _, end := openExample(time.Now)
	defer end()
	w := ask(pay.NotifyV2(), "", "POST", "/wechat/notify/v2", "<xml><return_code>SUCCESS</return_code></xml>")
	fmt.Println(w.Code, w.Body)
	// Output: 401 <xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[失败]]></return_msg></xml>
}

func ExampleNotificationFrom() {
	_, ok := wxpay.NotificationFrom(context.Background())
	fmt.Println(ok)
	// Output: false
}

func ExampleKit_Run() {
	taken := make(chan string)
	post, pay, sim, end := openExampleWith(time.Now, func(o *wxpay.Options) {
		o.OnPaid = func(_ context.Context, o wxpay.Order) error {
			taken <- o.OutTradeNo
			return nil // an error, and it is called again
		}
	})
	defer end()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pay.Run(ctx) }()

	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-taken, "is handed over")
	stop()
	fmt.Println(<-done)
	// Output:
	// order-of-xiaoming is handed over
	// <nil>
}

func ExampleTraceID() {
	_, pay, _, end := openExampleWith(time.Now, func(o *wxpay.Options) {
		o.Quote = func(ctx context.Context, _ wxpay.QuoteRequest) (wxpay.Quote, error) {
			fmt.Println(wxpay.TraceID(ctx))
			return wxpay.Quote{}, wxpay.ErrNoGoods
		}
	})
	defer end()
	r := httptest.NewRequest("POST", "/pay/prepay/native", strings.NewReader(`{"goods_id":"vip-month"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-User", "xiaoming")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	pay.ServeHTTP(httptest.NewRecorder(), r)
	// Output: 4bf92f3577b34da6a3ce929d0e0e4736
}

func ExampleSettledInfo_Anomaly() {
	hooks := wxpay.Hooks{Settled: func(_ context.Context, s wxpay.SettledInfo) {
		if s.Anomaly() {
			fmt.Println("look at", s.Order.OutTradeNo, s.Outcome)
		}
	}}
	hooks.Settled(context.Background(), wxpay.SettledInfo{Order: wxpay.Order{OutTradeNo: "one"}, Outcome: orderstore.BecamePaid})
	hooks.Settled(context.Background(), wxpay.SettledInfo{Order: wxpay.Order{OutTradeNo: "two"}, Outcome: orderstore.SecondPayment})
	// Output: look at two second_payment
}

func ExampleRefundInfo_NeedsAction() {
	hooks := wxpay.Hooks{Refund: func(_ context.Context, r wxpay.RefundInfo) {
		if r.NeedsAction() {
			fmt.Println("call the customer about", r.Refund.OutRefundNo)
		}
	}}
	hooks.Refund(context.Background(), wxpay.RefundInfo{Refund: wxpay.Refund{OutRefundNo: "R-1"}, Outcome: orderstore.RefundSucceeded})
	hooks.Refund(context.Background(), wxpay.RefundInfo{Refund: wxpay.Refund{OutRefundNo: "R-2"}, Outcome: orderstore.RefundNeedsAction})
	// Output: call the customer about R-2
}
