package wxpay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"

	"github.com/wxpaykit/wxpay"
)

// app is a handler of the app's own.
func app(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, name+" "+r.Method+" "+r.URL.Path)
	})
}

// serve puts an app in front of a shop's store and simulator.
func (s *shop) serve(h http.Handler) *shop {
	s.t.Helper()
	server := httptest.NewServer(h)
	s.t.Cleanup(server.Close)
	return &shop{t: s.t, url: server.URL, store: s.store, sim: s.sim, clock: s.clock, logs: s.logs, grants: s.grants}
}

// mounting makes an app with a kit in it, and says under which path its
// endpoints are.
type mounting struct {
	name, at string
	prefix   string // Options.Prefix
	build    func(t *testing.T, o wxpay.Options) http.Handler
}

func mount(t *testing.T, router any, o wxpay.Options) *wxpay.Kit {
	t.Helper()
	kit, err := wxpay.Mount(router, o)
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

func newKit(t *testing.T, o wxpay.Options) *wxpay.Kit {
	t.Helper()
	kit, err := wxpay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

var mountings = []mounting{
	{"ServeMux", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("GET /", app("own"))
		m.Handle("GET /about", app("own"))
		mount(t, m, o)
		return m
	}},
	{"ServeMux with a catch-all", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		mount(t, m, o)
		m.Handle("/", app("own"))
		m.Handle("POST /{page}", app("own"))
		return m
	}},
	{"ServeMux, own prefix", "/shop/wx", "shop/wx/", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("/shop/", app("own"))
		mount(t, m, o)
		return m
	}},
	{"ServeMux, Chinese prefix", "/%E6%94%AF%E4%BB%98", "/支付", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		mount(t, m, o)
		return m
	}},
	{"ServeMux, prefix named like an endpoint", "/orders", "/orders", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		mount(t, m, o)
		return m
	}},
	{"ServeMux, prefix named like another", "/prepay", "/prepay", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		mount(t, m, o)
		return m
	}},
	{"StripPrefix", "/api/wx", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("/api/wx/", http.StripPrefix("/api/wx", newKit(t, o)))
		return m
	}},
	{"StripPrefix of an outer path", "/api/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("/api/", http.StripPrefix("/api", newKit(t, o)))
		return m
	}},
	{"deeper in the path", "/v1/shop/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("/v1/shop/pay/", newKit(t, o))
		return m
	}},
	{"deeper, under a path of the same name", "/pay/shop/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("/pay/shop/pay/", newKit(t, o))
		return m
	}},
	{"one endpoint each", "/checkout", "/checkout", func(t *testing.T, o wxpay.Options) http.Handler {
		kit := newKit(t, o)
		m := http.NewServeMux()
		m.Handle("/", app("own"))
		m.Handle("POST /checkout/prepay/{product}", kit.Prepay())
		m.Handle("POST /checkout/paysign", kit.PaySign())
		m.Handle("GET /checkout/orders/{out_trade_no}", kit.OrderStatus())
		m.Handle("POST /checkout/orders/{out_trade_no}/close", kit.CloseOrder())
		m.Handle("GET /checkout/orders/{out_trade_no}/qr.svg", kit.QRCodeSVG())
		m.Handle("GET /checkout/orders/{out_trade_no}/qr.png", kit.QRCodePNG())
		m.Handle("GET /checkout/orders/{out_trade_no}/cashier", kit.Cashier())
		m.Handle("GET /checkout/orders/{out_trade_no}/live", kit.OrderLive())
		return m
	}},
	{"chi", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := chi.NewRouter()
		r.Handle("/*", app("own"))
		mount(t, r, o)
		return r
	}},
	{"chi, in a sub-router", "/api/v1/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := chi.NewRouter()
		r.Route("/api", func(r chi.Router) {
			r.Route("/v1", func(r chi.Router) { mount(t, r, o) })
		})
		r.NotFound(app("own").ServeHTTP)
		return r
	}},
	{"chi, in a sub-router with a parameter", "/shops/7/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := chi.NewRouter()
		r.Route("/shops/{out_trade_no}", func(r chi.Router) { mount(t, r, o) })
		r.NotFound(app("own").ServeHTTP)
		return r
	}},
	{"chi, one endpoint each", "/checkout", "/checkout", func(t *testing.T, o wxpay.Options) http.Handler {
		kit := newKit(t, o)
		r := chi.NewRouter()
		r.NotFound(app("own").ServeHTTP)
		r.Method("POST", "/checkout/prepay/{product}", kit.Prepay())
		r.Method("POST", "/checkout/paysign", kit.PaySign())
		r.Method("GET", "/checkout/orders/{out_trade_no}", kit.OrderStatus())
		r.Method("POST", "/checkout/orders/{out_trade_no}/close", kit.CloseOrder())
		r.Method("GET", "/checkout/orders/{out_trade_no}/qr.svg", kit.QRCodeSVG())
		r.Method("GET", "/checkout/orders/{out_trade_no}/qr.png", kit.QRCodePNG())
		r.Method("GET", "/checkout/orders/{out_trade_no}/cashier", kit.Cashier())
		r.Method("GET", "/checkout/orders/{out_trade_no}/live", kit.OrderLive())
		return r
	}},
	{"gorilla", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := mux.NewRouter()
		mount(t, r, o)
		r.PathPrefix("/").Handler(app("own"))
		return r
	}},
	{"gorilla, in a sub-router", "/api/v1/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := mux.NewRouter()
		mount(t, r.PathPrefix("/api/v1").Subrouter(), o)
		r.PathPrefix("/").Handler(app("own"))
		return r
	}},
	{"gorilla, in a sub-router with a parameter", "/shops/7/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := mux.NewRouter()
		mount(t, r.PathPrefix("/shops/{out_trade_no}").Subrouter(), o)
		r.PathPrefix("/").Handler(app("own"))
		return r
	}},
	{"gorilla, one endpoint each", "/checkout", "/checkout", func(t *testing.T, o wxpay.Options) http.Handler {
		kit := newKit(t, o)
		r := mux.NewRouter()
		r.Handle("/checkout/prepay/{product}", kit.Prepay())
		r.Handle("/checkout/paysign", kit.PaySign())
		r.Handle("/checkout/orders/{out_trade_no}", kit.OrderStatus())
		r.Handle("/checkout/orders/{out_trade_no}/close", kit.CloseOrder())
		r.Handle("/checkout/orders/{out_trade_no}/qr.svg", kit.QRCodeSVG())
		r.Handle("/checkout/orders/{out_trade_no}/qr.png", kit.QRCodePNG())
		r.Handle("/checkout/orders/{out_trade_no}/cashier", kit.Cashier())
		r.Handle("/checkout/orders/{out_trade_no}/live", kit.OrderLive())
		r.PathPrefix("/").Handler(app("own"))
		return r
	}},
	{"any router with Handle", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler {
		r := handleOnly{m: http.NewServeMux()}
		mount(t, r, o)
		r.m.Handle("/", app("own"))
		return r.m
	}},
	{"the kit alone", "/pay", "", func(t *testing.T, o wxpay.Options) http.Handler { return newKit(t, o) }},
	{"the kit alone, without its prefix", "", "", func(t *testing.T, o wxpay.Options) http.Handler { return newKit(t, o) }},
}

// handleOnly is a router of which only Handle is known.
type handleOnly struct{ m *http.ServeMux }

func (h handleOnly) Handle(pattern string, handler http.Handler) { h.m.Handle(pattern, handler) }

// TestMount walks through all endpoints of a kit in each kind of app: they are
// found, qr_url leads to a picture, and the app keeps its own pages.
func TestMount(t *testing.T) {
	t.Parallel()
	for _, m := range mountings {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			back := open(t)
			o := back.options()
			o.Prefix = m.prefix
			s := back.serve(m.build(t, o))
			placed := s.do("POST", m.at+"/prepay/native", "u1", body("native", "vip-month")).order(t)
			if want := m.at + "/orders/" + placed.OutTradeNo + "/qr.svg"; placed.QRURL != want {
				t.Errorf("qr_url is %q, want %q", placed.QRURL, want)
			}
			for _, path := range []string{placed.QRURL, strings.Replace(placed.QRURL, ".svg", ".png", 1)} {
				if r := s.do("GET", path, "u1", ""); r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "image/") {
					t.Errorf("%s: %d %s", path, r.status, r.header.Get("Content-Type"))
				}
			}
			path := m.at + "/orders/" + placed.OutTradeNo
			s.do("GET", path+"/cashier", "u1", "").page(t, 200, "waiting", "等待支付")
			if r := s.do("GET", path+"/live", "u2", ""); r.status != 403 {
				t.Errorf("live: %d %s", r.status, r.raw)
			}
			if got := s.do("GET", path, "u1", "").order(t); got.OutTradeNo != placed.OutTradeNo {
				t.Errorf("status: %+v", got)
			}
			s.do("GET", path, "u2", "").refused(t, 403, 403, "无权操作该订单")
			if got := s.do("HEAD", path, "u1", ""); (got.status != 200 || got.raw != "") && !strings.HasPrefix(m.name, "chi, one") { // chi gives HEAD to no GET
				t.Errorf("HEAD: %d %s", got.status, got.raw)
			}
			if got := s.do("POST", path+"/close", "u1", "").order(t); got.PayStatus != 2 {
				t.Errorf("close: %+v", got)
			}
			app := s.do("POST", m.at+"/prepay/app", "u1", body("app", "vip-month")).order(t)
			if got := s.do("POST", m.at+"/paysign", "u1", named(app.OutTradeNo)).order(t); got.PrepayID != app.PrepayID {
				t.Errorf("paysign: %+v", got)
			}
			if m.at != "" && m.name != "the kit alone" {
				for _, own := range []string{"/", "/about", "/payments/7"} {
					if got := s.do("GET", own, "u1", ""); got.raw != "own GET "+own {
						t.Errorf("GET %s: %d %s", own, got.status, got.raw)
					}
				}
			}
		})
	}
}

// TestMountTakesNotifications wherever the kit is mounted.
func TestMountTakesNotifications(t *testing.T) {
	t.Parallel()
	for _, m := range mountings {
		if strings.Contains(m.name, "one endpoint each") {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			back := open(t)
			var h http.Handler
			s := back.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
			o := back.options()
			o.Prefix, o.NotifyURL = m.prefix, s.url+m.at+"/notify"
			h = m.build(t, o)
			s.pay(s.do("POST", m.at+"/prepay/native", "u1", body("native", "vip-month")).order(t).OutTradeNo)
		})
	}
}

// TestUnknownEndpoints and wrong methods are envelopes too, and no redirects.
func TestUnknownEndpoints(t *testing.T) {
	t.Parallel()
	s := open(t)
	alone := s.serve(s.kit) // no router in front that cleans paths by redirects
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/pay/", 404, ""},
		{"POST", "/pay/", 404, ""},
		{"GET", "/pay/nothing", 404, ""},
		{"POST", "/pay/prepay", 404, ""},
		{"POST", "/pay/prepay/", 404, ""},
		{"POST", "/pay/prepay/native/", 404, ""},
		{"POST", "/pay/prepay/native/more", 404, ""},
		{"GET", "/pay/orders", 404, ""},
		{"GET", "/pay/orders/", 404, ""},
		{"GET", "/pay/orders/20260101000000000/", 404, ""},
		{"GET", "/pay/orders/20260101000000000/cashier2", 404, ""},
		{"GET", "/pay/Orders/20260101000000000", 404, ""},
		{"GET", "/pay/prepay/native", 405, "POST"},
		{"PUT", "/pay/prepay/native", 405, "POST"},
		{"OPTIONS", "/pay/prepay/native", 405, "POST"},
		{"GET", "/pay/paysign", 405, "POST"},
		{"POST", "/pay/orders/20260101000000000", 405, "GET"},
		{"DELETE", "/pay/orders/20260101000000000", 405, "GET"},
		{"GET", "/pay/orders/20260101000000000/close", 405, "POST"},
		{"POST", "/pay/orders/20260101000000000/qr.svg", 405, "GET"},
		{"GET", "/pay/notify", 405, "POST"},
	} {
		msg := map[int]string{404: "接口不存在", 405: "请求方法不被允许"}[c.status]
		for _, shop := range []*shop{s, alone} {
			r := shop.do(c.method, c.path, "u1", "")
			r.refused(t, c.status, c.status, msg)
			if got := r.header.Get("Allow"); got != c.allow {
				t.Errorf("%s %s: Allow is %q, want %q", c.method, c.path, got, c.allow)
			}
		}
	}
	for _, path := range []string{
		"//pay/orders/20260101000000000", "/pay//orders/20260101000000000", "/pay/orders//20260101000000000", "/pay/./orders/20260101000000000",
		"/pay/x/../orders/20260101000000000", "/pay/orders/../orders/20260101000000000", "/pay/orders/%2e%2e/paysign", "/pay/orders/..", "/pay/..", "/..",
		"/pay/orders/2026%2F0101000000", "/", "",
	} {
		r := alone.do("GET", path, "u1", "")
		if r.status != 404 || r.Code != 404 {
			t.Errorf("GET %s: %d %s %s", path, r.status, r.header.Get("Location"), r.raw)
		}
	}
	if r := alone.do("HEAD", "/pay/nothing", "u1", ""); r.status != 404 || r.raw != "" {
		t.Errorf("HEAD: %d %s", r.status, r.raw)
	}
	if r := alone.do("HEAD", "/pay/notify", "u1", ""); r.status != 405 || r.header.Get("Allow") != "POST" {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
}

// TestPathsAsWritten: one endpoint has one path. What only means it after
// decoding or cleaning is none.
func TestPathsAsWritten(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderNumber = func(string, time.Time) string { return "a|b*c_d-1" } })
	s.buy("native", "u1")
	for _, c := range []struct {
		target, strip string
		status        int
	}{
		{"/pay/orders/a|b*c_d-1/close", "", 200},
		{"/pay/orders/a%7cb%2A%63_d-1/close", "", 200},
		{"/%70ay/orders/a|b*c_d-1/close", "", 200},
		{"/orders/a|b*c_d-1/close", "", 200},
		{"/shops/a%2Fb/pay/orders/a|b*c_d-1/close", "", 200}, // a parameter of the app's own
		{"/pay/orders/a|b*c_d-1/close", "/pay", 200},
		{"/pay/orders/a|b*c_d-1/close", "/pay/", 200},
		{"/api/pay/orders/a|b*c_d-1/close", "/api/", 200},
		{"/pay/orders/a|b*c_d-1%2Fclose", "", 404},
		{"/pay/orders/a%7Cb%2Ac_d-1%2fclose", "", 404},
		{"/pay/orders/a|b*c_d-1%2Fclose", "/pay/", 404},
		{"/pay/orders%2Fa|b*c_d-1/close", "", 404},
		{"/pay%2Forders/a|b*c_d-1/close", "", 404},
		{"//pay/orders/a|b*c_d-1/close", "", 404},
		{"/x//pay/orders/a|b*c_d-1/close", "", 404},
		{"/x/../pay/orders/a|b*c_d-1/close", "", 404},
		{"/pay/../pay/orders/a|b*c_d-1/close", "", 404},
		{"/pay/%2e%2e/pay/orders/a|b*c_d-1/close", "", 404},
		{"/pay/orders/a|b*c_d-1/close/", "/pay", 404},
	} {
		r := httptest.NewRequest("POST", c.target, nil)
		r.Header.Set("X-User", "u1")
		w := httptest.NewRecorder()
		http.StripPrefix(c.strip, s.kit).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s without %q: %d %s", c.target, c.strip, w.Code, w.Body)
		}
	}
}

// TestPathsWrittenAnew: a middleware that rewrites Path may leave RawPath as it
// was; then Path is what counts.
func TestPathsWrittenAnew(t *testing.T) {
	t.Parallel()
	s := open(t)
	placed := s.buy("native", "u1")
	r := httptest.NewRequest("GET", "/old|%2Fpath", nil)
	r.URL.Path = "/pay/orders/" + placed.OutTradeNo
	r.Header.Set("X-User", "u1")
	w := httptest.NewRecorder()
	if s.kit.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestLongPaths: finding out that a path is no endpoint is no work, however
// long it is and however often the prefix stands in it.
func TestLongPaths(t *testing.T) {
	t.Parallel()
	kit := newKit(t, goodOptions(t))
	for _, path := range []string{strings.Repeat("/pay", 16_000) + "/x", "/pay/" + strings.Repeat("x", 64_000), strings.Repeat("/pay/orders", 6_000)} {
		start := time.Now()
		w := httptest.NewRecorder()
		kit.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if took := time.Since(start); w.Code != 404 || took > 10*time.Second {
			t.Errorf("%.20s…: %d after %v", path, w.Code, took)
		}
	}
}

// TestMountRefuses routers that it does not know, with a way out.
func TestMountRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, router := range []any{nil, "mux", 7, http.HandlerFunc(http.NotFound), struct{}{}} {
		kit, err := wxpay.Mount(router, s.options())
		want := fmt.Sprintf("wxpay: Mount cannot use a %T: pass an *http.ServeMux, *mux.Router or chi.Router, or mount the handler that New returns", router)
		if kit != nil || err == nil || err.Error() != want {
			t.Errorf("Mount on %T: %v, %v", router, kit, err)
		}
	}
	m := http.NewServeMux()
	if kit, err := wxpay.Mount(m, wxpay.Options{}); kit != nil || err == nil {
		t.Errorf("Mount without options: %v, %v", kit, err)
	}
	if _, pattern := m.Handler(httptest.NewRequest("GET", "/pay/orders/x", nil)); pattern != "" {
		t.Errorf("a kit that failed is mounted at %q", pattern)
	}
}

// TestMountTwice: two accounts in one app.
func TestMountTwice(t *testing.T) {
	t.Parallel()
	s := open(t)
	o := s.options()
	o.Prefix = "/pay/second"
	mount(t, s.mux, o)
	a, b := s.buy("native", "u1"), s.do("POST", "/pay/second/prepay/native", "u1", body("native", "vip-month")).order(t)
	got := []string{a.QRURL, b.QRURL}
	if want := []string{"/pay/orders/" + a.OutTradeNo + "/qr.svg", "/pay/second/orders/" + b.OutTradeNo + "/qr.svg"}; !slices.Equal(got, want) {
		t.Errorf("qr_urls %q, want %q", got, want)
	}
}

// TestQRURLOfOddRequests: in-process calls and proxies' absolute forms.
func TestQRURLOfOddRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ uri, want string }{
		{"", "/pay/orders/"},
		{"/pay/prepay/native?x=/prepay/y", "/pay/orders/"},
		{"http://shop.example.com/pay/prepay/native", "http://shop.example.com/pay/orders/"},
		{"/outer/pay/prepay/native", "/outer/pay/orders/"},
	} {
		s := open(t)
		r := httptest.NewRequest("POST", "/pay/prepay/native", strings.NewReader(body("native", "vip-month")))
		r.RequestURI = c.uri
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-User", "u1")
		w := httptest.NewRecorder()
		s.kit.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"qr_url":"`+c.want) {
			t.Errorf("%q: %s, want qr_url to begin with %q", c.uri, w.Body, c.want)
		}
	}
}

// TestQRURLOfOddNumbers: a number may have characters that a URL may not.
func TestQRURLOfOddNumbers(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderNumber = func(string, time.Time) string { return "a|b*c_d-1" } })
	got := s.buy("native", "u1").QRURL
	if want := "/pay/orders/a%7Cb%2Ac_d-1/qr.svg"; got != want {
		t.Errorf("qr_url is %q, want %q", got, want)
	}
	if r := s.do("GET", got, "u1", ""); r.status != 200 {
		t.Errorf("GET %s: %d %s", got, r.status, r.raw)
	}
}
