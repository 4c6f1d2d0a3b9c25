package wxpay_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
)

// pathSeeds are request targets, those of an order first.
var pathSeeds = []string{
	"/pay/orders/a|b*c_d-1", "/pay/orders/a%7Cb%2Ac_d-1?x=/y", "/orders/a|b*c_d-1", "/pay/pay/orders/a|b*c_d-1", "/a%2Fb/pay/orders/a|b*c_d-1",
	"/pay/orders%2Fa|b*c_d-1", "//pay/orders/a|b*c_d-1", "/pay/../pay/orders/a|b*c_d-1", "/pay/%2e/orders/a|b*c_d-1", "/pay/orders/a|b*c_d-1/",
	"/pay/orders/a|b*c_d-1/qr.svg", "/pay/orders/a|b*c_d-1/close", "/pay/notify", "/pay", "/", "/%", "/pay/%00", "/pay/prepay/native;x",
}

// FuzzPaths: whatever path a client writes, the kit neither redirects nor
// breaks, and shows an order only under its own path.
func FuzzPaths(f *testing.F) {
	s := open(f, func(o *wxpay.Options) {
		o.OrderNumber = func(string, time.Time) string { return "a|b*c_d-1" }
		o.Logger = slog.New(slog.DiscardHandler)
	})
	s.do("POST", "/pay/orders/"+s.buy("native", "u1").OutTradeNo+"/close", "u1", "").order(f) // nobody asks about it any more
	shown := 0
	for _, seed := range pathSeeds {
		f.Add(seed)
		if w := answered(s.kit, seed); w != nil && w.Code == http.StatusOK {
			shown++
		}
	}
	if shown != 5 {
		f.Fatalf("%d seeds show the order, want the first 5", shown)
	}
	f.Fuzz(func(t *testing.T, target string) {
		w := answered(s.kit, target)
		if w == nil {
			return
		}
		if !slices.Contains([]int{200, 403, 404, 405, 409}, w.Code) || !strings.HasPrefix(w.Body.String(), `{"code":`) {
			t.Errorf("GET %q: %d %s", target, w.Code, w.Body)
		}
		if w.Code == http.StatusOK && !ownPath(target) {
			t.Errorf("GET %q shows the order", target)
		}
	})
}

// answered is the kit's answer to GET target; nil for what net/http refuses.
func answered(kit http.Handler, target string) *httptest.ResponseRecorder {
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") {
		return nil
	}
	w := httptest.NewRecorder()
	kit.ServeHTTP(w, &http.Request{Method: "GET", URL: u, RequestURI: target, Header: http.Header{"X-User": {"u1"}}, Body: http.NoBody})
	return w
}

// ownPath reports whether target ends in orders/{number} without empty or dot
// segments before it.
func ownPath(target string) bool {
	written, _, _ := strings.Cut(target, "?")
	segments := strings.Split(written, "/")[1:]
	for i, s := range segments {
		segments[i], _ = url.PathUnescape(s)
		if slices.Contains([]string{"", ".", ".."}, segments[i]) {
			return false
		}
	}
	n := len(segments)
	return n >= 2 && segments[n-2] == "orders" && segments[n-1] == "a|b*c_d-1"
}
