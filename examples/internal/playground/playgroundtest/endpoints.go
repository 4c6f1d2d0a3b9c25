package playgroundtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// endpoint is a row of the table of all endpoints. {native} is the number of
// an order of that product, {paid} of a paid one, {refund} of its refund;
// {%native} is the same escaped.
type endpoint struct {
	method, path string
	user, body   string
	kind         string // Content-Type of the success; envelope if empty
	status       int    // of the success; 200 if zero, 302 for a way to elsewhere
	open         bool   // to those who are not signed in, too
	page         bool   // tells people why it fails, and not programs
}

// endpoints are tried in this order. POST /notify is tried by paying.
var endpoints = []endpoint{
	{method: "POST", path: "/prepay/app", user: customer, body: prepayBody("app")},
	{method: "POST", path: "/prepay/jsapi", user: customer, body: prepayBody("jsapi")},
	{method: "POST", path: "/prepay/miniprogram", user: customer, body: prepayBody("miniprogram")},
	{method: "POST", path: "/prepay/h5", user: customer, body: prepayBody("h5")},
	{method: "POST", path: "/prepay/native", user: customer, body: prepayBody("native")},
	{method: "POST", path: "/paysign", user: customer, body: `{"out_trade_no":"{app}"}`},
	{method: "GET", path: "/orders/{native}", user: customer},
	{method: "GET", path: "/orders/{%native}", user: customer},
	{method: "GET", path: "/orders/{native}/qr.svg", user: customer, kind: "image/svg+xml"},
	{method: "GET", path: "/orders/{%native}/qr.svg", user: customer, kind: "image/svg+xml"},
	{method: "GET", path: "/orders/{native}/qr.png", user: customer, kind: "image/png"},
	{method: "GET", path: "/orders/{native}/cashier", user: customer, kind: "text/html", page: true},
	{method: "GET", path: "/orders/{%h5}/cashier", user: customer, kind: "text/html", page: true},
	{method: "GET", path: "/orders/{paid}/live", user: customer, kind: "text/event-stream"}, // which ends with its first event
	{method: "GET", path: "/orders/{%paid}/live", user: customer, kind: "text/event-stream"},
	{method: "POST", path: "/orders/{app}/close", user: customer},
	{method: "POST", path: "/orders/{%h5}/close", user: customer},
	{method: "POST", path: "/orders/{paid}/refunds", user: clerk, body: `{"refund":100,"reason":"凉了","out_refund_no":"{refund}"}`},
	{method: "POST", path: "/orders/{%paid}/refunds", user: clerk, body: `{"refund":100,"reason":"凉了","out_refund_no":"{refund}"}`},
	{method: "GET", path: "/orders/{paid}/refunds/{refund}", user: customer},
	{method: "GET", path: "/orders/{%paid}/refunds/{%refund}", user: clerk},
	{method: "GET", path: "/orders/{paid}/events", user: clerk},
	{method: "GET", path: "/orders/{%paid}/events", user: clerk},
	{method: "POST", path: "/login", body: `{"code":"{code}"}`, open: true},
	{method: "GET", path: "/oauth/start?redirect=/", status: http.StatusFound, open: true},
}

// prepare places an order of each product, and one that is paid.
func (a *app) prepare() {
	a.Helper()
	for _, product := range []string{"app", "jsapi", "miniprogram", "h5", "native"} {
		a.place(product, product)
	}
	a.place("native", "paid")
	a.pay("paid")
	a.values["code"] = a.sim.LoginCode("")
	a.values["refund"] = "r|e*f@u-n_d"
}

// walk tries every endpoint: as it is meant, with the wrong methods, by
// nobody, and as a HEAD.
func (a *app) walk() {
	a.prepare()
	for _, e := range endpoints {
		e.path, e.body = a.fill(e.path), a.fill(e.body)
		e.status = cmp.Or(e.status, http.StatusOK)
		a.succeeds(e)
		a.hasHead(e)
		a.hasNoOther(e)
		if r := a.send(e.method, e.path, "", e.body); !e.open && (r.status != 401 || !e.page && !r.envelope(401)) {
			a.Errorf("%s %s by nobody: %d %s", e.method, e.path, r.status, r.body)
		}
	}
	a.shows()
}

func (a *app) succeeds(e endpoint) {
	a.Helper()
	r := a.send(e.method, e.path, e.user, e.body)
	right := r.envelope(http.StatusOK)
	switch {
	case e.status == http.StatusFound:
		right = r.header.Get("Location") != ""
	case e.kind != "":
		right = strings.HasPrefix(r.header.Get("Content-Type"), e.kind) && len(r.body) > 0
	}
	if r.status != e.status || !right {
		a.Errorf("%s %s: %d %q %.300s", e.method, e.path, r.status, r.header.Get("Content-Type"), r.body)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		a.Errorf("%s %s: Cache-Control is %q", e.method, e.path, got)
	}
}

// hasHead: where there is a GET there is a HEAD, without a body.
func (a *app) hasHead(e endpoint) {
	a.Helper()
	want := http.StatusMethodNotAllowed
	if e.method == "GET" {
		want = e.status
	}
	if r := a.send("HEAD", e.path, e.user, ""); r.status != want || r.body != "" || r.status == http.StatusOK && r.header.Get("Content-Type") == "" {
		a.Errorf("HEAD %s: %d %q, want %d", e.path, r.status, r.body, want)
	}
}

// hasNoOther: every other method is told which one is right.
func (a *app) hasNoOther(e endpoint) {
	a.Helper()
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		own := slices.ContainsFunc(endpoints, func(o endpoint) bool { return o.method == method && a.fill(o.path) == e.path })
		if own {
			continue
		}
		r := a.send(method, e.path, e.user, e.body)
		if r.status != 405 || !r.envelope(405) || r.header.Get("Allow") != e.method {
			a.Errorf("%s %s: %d, Allow %q, %s", method, e.path, r.status, r.header.Get("Allow"), r.body)
		}
	}
}

// shows: qr_url leads to the picture, from wherever the client came.
func (a *app) shows() {
	a.Helper()
	url := a.send("POST", "/prepay/native", customer, prepayBody("native")).data(a.T).QRURL
	if r := a.sendTo("GET", url, customer, ""); r.status != http.StatusOK || r.header.Get("Content-Type") != "image/svg+xml" {
		a.Errorf("qr_url %s: %d %s", url, r.status, r.body)
	}
	if strings.ContainsAny(url, "|*") {
		a.Errorf("qr_url %s has characters that no URL may have", url)
	}
}

// refuse asks for what there is not, and for what is another's.
func (a *app) refuse() {
	a.prepare()
	for _, c := range []struct {
		method, path, user, body string
		status, code             int
	}{
		{"POST", "/prepay/native", customer, `{"goods_id":"gold"}`, 404, 404},
		{"POST", "/prepay/native", customer, `{}`, 400, 301},
		{"POST", "/prepay/native", customer, `{`, 400, 301},
		{"POST", "/prepay/native", customer, "", 415, 415},
		{"POST", "/prepay/native", customer, `"` + strings.Repeat("x", 64<<10) + `"`, 413, 413},
		{"POST", "/prepay/gold", customer, prepayBody("native"), 404, 404},
		{"GET", "/orders/a|b*c_d-9999", customer, "", 404, 404},
		{"GET", "/orders/{native}", stranger, "", 403, 403},
		{"GET", "/orders/{native}/qr.svg", stranger, "", 403, 403},
		{"GET", "/orders/{app}/qr.svg", customer, "", 409, 409},
		{"POST", "/orders/{native}/close", stranger, "", 403, 403},
		{"POST", "/orders/{paid}/close", customer, "", 409, 409},
		{"POST", "/orders/{paid}/refunds", customer, `{"refund":1}`, 403, 403},
		{"POST", "/orders/{paid}/refunds", clerk, `{"refund":301}`, 409, 409},
		{"GET", "/orders/{paid}/refunds/none", customer, "", 404, 404},
		{"GET", "/orders/{paid}/events", customer, "", 403, 403},
		{"GET", "/orders/{native}/live", stranger, "", 403, 403},
		{"POST", "/login", "", `{"code":"made-up"}`, 400, 301},
		{"GET", "/oauth/start?redirect=//evil.example", "", "", 400, 301},
		{"GET", "/oauth/callback?code=made-up&state=made-up", "", "", 403, 403},
		{"GET", "/", customer, "", 404, 404},
		{"GET", "/nothing", customer, "", 404, 404},
		{"DELETE", "/nothing", customer, "", 404, 404},
	} {
		r := a.send(c.method, a.fill(c.path), c.user, a.fill(c.body))
		if r.status != c.status || !r.envelope(c.code) {
			a.Errorf("%s %s by %s: %d %.300s, want %d", c.method, c.path, c.user, r.status, r.body, c.status)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "OPTIONS"} {
		if r := a.send(method, "/notify", "", ""); r.status != 405 || r.header.Get("Allow") != "POST" {
			a.Errorf("%s /notify: %d, Allow %q", method, r.status, r.header.Get("Allow"))
		}
	}
	if r := a.send("POST", "/notify/v2", "", "<xml></xml>"); r.status != 401 || !strings.Contains(r.body, "<return_code><![CDATA[FAIL]]>") {
		a.Errorf("a notification of API v2 that nobody signed: %d %s", r.status, r.body)
	}
	if r := a.send("POST", "/notify", "", "{}"); r.status != 401 || !strings.Contains(r.body, `"FAIL"`) {
		a.Errorf("a notification that nobody signed: %d %s", r.status, r.body)
	}
}
