package playgroundtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/wxsim"
)

// BuyOnPage is the first visit of somebody to an app with a page at its root:
// the page opens, by whatever way, and the session that came with it buys tea
// for three yuan, with nothing else to say who is asking.
func BuyOnPage(t *testing.T, product string, build func(wxpay.Merchant) (http.Handler, *wxpay.Kit, error)) {
	t.Helper()
	sim := wxsim.Start(t)
	server := httptest.NewUnstartedServer(nil)
	merchant := playground.Merchant(sim)
	merchant.NotifyURL = "http://" + server.Listener.Addr().String() + "/pay/notify"
	app, _, err := build(merchant)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = app
	server.Start()
	t.Cleanup(server.Close)
	client := server.Client()
	if client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}

	visit := func(method, path, body string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
		}
		return reply{resp.StatusCode, resp.Header, string(text)}
	}
	page := visit("GET", "/", "")
	if !strings.Contains(page.body, `id="buy"`) || page.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the first visit ends at %v %.300s", page.header, page.body)
	}
	visit("GET", "/page/pay.js", "")
	no := visit("POST", "/pay/prepay/"+product, `{"goods_id":"tea"}`).data(t).OutTradeNo
	if before := visit("GET", "/pay/orders/"+no, "").data(t); before.PayStatus != 0 {
		t.Errorf("before the payment: %+v", before)
	}
	if err := sim.Pay(no); err != nil {
		t.Fatal(err)
	}
	if after := visit("GET", "/pay/orders/"+no, "").data(t); after.PayStatus != 1 || after.Total != 300 {
		t.Errorf("after the payment: %+v", after)
	}
}
