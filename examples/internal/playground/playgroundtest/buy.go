// Package playgroundtest buys through the examples' routers.
package playgroundtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/wxsim"
)

// Merchant is the account at a simulator that runs as long as the test, with a
// notify URL that nobody calls.
func Merchant(t *testing.T) wxpay.Merchant {
	t.Helper()
	merchant := playground.Merchant(wxsim.Start(t))
	merchant.NotifyURL = "http://127.0.0.1/pay/notify"
	return merchant
}

// Buy goes through the router that build makes, from the order of the goods to
// the payment of total fen, and looks at the app's own page beside it.
func Buy(t *testing.T, goods string, total int64, build func(wxpay.Merchant) (http.Handler, error)) {
	t.Helper()
	sim := wxsim.Start(t)
	server := httptest.NewUnstartedServer(nil)
	merchant := playground.Merchant(sim)
	merchant.NotifyURL = "http://" + server.Listener.Addr().String() + "/pay/notify"
	router, err := build(merchant)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = router
	server.Start()
	t.Cleanup(server.Close)

	client := server.Client()
	no := do(t, client, "POST", server.URL+"/pay/prepay/native", `{"goods_id":"`+goods+`"}`, http.StatusOK).OutTradeNo
	if before := do(t, client, "GET", server.URL+"/pay/orders/"+no, "", http.StatusOK); before.PayStatus != 0 {
		t.Errorf("before the payment: %+v", before)
	}
	if err := sim.Pay(no); err != nil {
		t.Fatal(err)
	}
	if sent := sim.Notifications(); len(sent) != 1 || !sent[0].Accepted {
		t.Errorf("notifications: %+v", sent)
	}
	if after := do(t, client, "GET", server.URL+"/pay/orders/"+no, "", http.StatusOK); after.PayStatus != 1 || after.Total != total {
		t.Errorf("after the payment: %+v", after)
	}
	do(t, client, "GET", server.URL+"/pay/nothing", "", http.StatusNotFound)
	do(t, client, "GET", server.URL+"/pay/prepay/native", "", http.StatusMethodNotAllowed)
	do(t, client, "GET", server.URL+"/", "", http.StatusOK) // the app's own
}

func do(t *testing.T, client *http.Client, method, url, body string, status int) order {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-User", "xiaoming")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		t.Fatalf("%s %s is %s", method, url, resp.Status)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}.data(t)
}
