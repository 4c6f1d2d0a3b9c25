package wxsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// A test of a shop: place an order through the shop's own code, let the
// customer pay, lose the first notification, and watch the second arrive.
func ExampleStart() {
	testShop := func(t wxsim.TB) {
		sim := wxsim.Start(t)
		sim.Fault(wxsim.Fault{Target: "notify", Fault: "drop", Count: 1})

		notify := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent) // a shop verifies and stores first
		}))
		t.Cleanup(notify.Close)
		placeOrder(sim, "order-0001", notify.URL+"/pay/notify")

		if err := sim.Pay("order-0001"); err != nil {
			t.Fatalf("pay: %v", err)
		}
		sim.Advance(15 * time.Second)
		for _, sent := range sim.Notifications() {
			fmt.Println(sent.OutTradeNo, sent.Attempt, sent.Status)
		}
	}
	run(testShop)
	// Output:
	// order-0001 1 0
	// order-0001 2 204
}

// placeOrder stands for the shop's own client of WeChat Pay.
func placeOrder(sim *wxsim.Sim, no, notifyURL string) {
	m := newMerchant(new(testing.T), sim)
	m.prepay("native", no, map[string]any{"notify_url": notifyURL})
}

// run calls a test function outside of go test's own machinery.
func run(test func(wxsim.TB)) {
	t := &exampleTB{}
	test(t)
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

type exampleTB struct{ cleanups []func() }

func (t *exampleTB) Helper()                           {}
func (t *exampleTB) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleTB) Logf(format string, args ...any)   { fmt.Printf(format+"\n", args...) }
func (t *exampleTB) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// A refund that does not arrive: the customer's card and wallet are both gone,
// and the shop is told so on the refund's own notify_url.
func ExampleSim_DecideRefund() {
	testShop := func(t wxsim.TB) {
		sim := wxsim.Start(t)
		notify := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}))
		t.Cleanup(notify.Close)
		placeOrder(sim, "order-0001", notify.URL+"/pay/notify")
		if err := sim.Pay("order-0001"); err != nil {
			t.Fatalf("pay: %v", err)
		}

		if err := sim.DecideRefund("", "ABNORMAL"); err != nil {
			t.Fatalf("decide: %v", err)
		}
		refundOrder(sim, "order-0001", "refund-0001", notify.URL+"/pay/refund")
		sim.Advance(5 * time.Second)
		for _, sent := range sim.Notifications() {
			fmt.Println(sent.EventType, sent.OutTradeNo, sent.OutRefundNo, sent.Status)
		}
	}
	run(testShop)
	// Output:
	// TRANSACTION.SUCCESS order-0001  204
	// REFUND.ABNORMAL order-0001 refund-0001 204
}

// refundOrder stands for the shop's own client, too.
func refundOrder(sim *wxsim.Sim, no, refundNo, notifyURL string) {
	m := newMerchant(new(testing.T), sim)
	m.call("POST", refunds, fmt.Appendf(nil, `{"out_trade_no":%q,"out_refund_no":%q,"notify_url":%q,"amount":{"refund":100,"total":100,"currency":"CNY"}}`, no, refundNo, notifyURL))
}
