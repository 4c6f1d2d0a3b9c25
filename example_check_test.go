package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// An app that looks at itself before it takes money. The account is a made-up
// one here, so the settings are what is wrong.
func ExampleMerchant_Check() {
	report := wxpay.Merchant{MchID: "1900000109"}.Check(context.Background())
	for _, f := range report.From(checkup.Error)[:1] {
		fmt.Println(f.ID, f.Severity)
		fmt.Println(f.Remedy.ZH)
	}
	// Output:
	// settings-wrong error
	// 按提示逐项改正后再检查
}

// Once the server listens and Run runs, Check calls the notify URL as well. It
// prints for people; Err is for those who would rather not start.
func ExampleKit_Check() {
	mux := http.NewServeMux()
	pay, err := wxpay.Mount(mux, wxpay.Options{
		Merchant: wxpay.MerchantFromEnv(),
		Store:    memory.New(),
		Identify: func(*http.Request) (string, error) { return "", errors.New("not signed in") },
		Quote:    orderstore.Catalog{}.Quote,
	})
	if err != nil {
		log.Print(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go pay.Run(ctx)
	go http.ListenAndServe(":8080", mux)

	report := pay.Check(ctx)
	if err := report.Print(os.Stdout, "zh"); err != nil {
		log.Print(err)
	}
	if err := report.Err(); err != nil {
		log.Print("not open for business: ", err)
	}
}

// Probes are mounted where the orchestrator looks for them.
func ExampleKit_Ready() {
	_, pay, _, end := openExample(time.Now) // whose Run does not run yet
	defer end()
	mux := http.NewServeMux()
	mux.Handle("GET /livez", pay.Live())
	mux.Handle("GET /readyz", pay.Ready())

	for _, path := range []string{"/livez", "/readyz"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"status":"live"}
	//
	// 503 {"status":"not_ready","store":"ok","keys":"ok","run":"stopped"}
}
