package wxsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// control makes a call that carries no signature.
func control(t *testing.T, method, url, body string, headers ...string) result {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatalf("request: %v", err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return result{resp.StatusCode, resp.Header, got}
}

// The JSON names are what clients in other languages were promised.
func TestControlConfig(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var got map[string]string
	if err := json.Unmarshal(control(t, "GET", s.URL()+"/_sim/config", "").body, &got); err != nil {
		t.Fatalf("config: %v", err)
	}
	a := s.Account()
	for name, want := range map[string]string{
		"mchid": a.MchID, "appid": a.AppID, "appid_app": a.AppIDApp, "appid_jsapi": a.AppIDJSAPI, "serial_no": a.SerialNo,
		"private_key_pem": a.PrivateKeyPEM, "apiv3_key": a.APIv3Key, "apiv2_key": a.APIv2Key, "public_key_id": a.PublicKeyID,
		"public_key_pem": a.PublicKeyPEM, "platform_serial": a.PlatformSerial, "platform_cert_pem": a.PlatformCertPEM, "app_secret": a.AppSecret,
	} {
		if got[name] != want || want == "" {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 13 {
		t.Errorf("%d names, want 13", len(got))
	}
}

// A whole story told through the controls alone.
func TestControlStory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.rc.answer = func(n int, _ delivered) int { return map[bool]int{true: 500, false: 200}[n == 1] }
	base := s.URL() + "/_sim"
	s.place("native", "order-story")
	for _, c := range []struct {
		method, path, body string
		status             int
		contains           string
	}{
		{"POST", "/begin", `{"out_trade_no":"order-story"}`, 200, `"paying":true`},
		{"POST", "/cancel", `{"out_trade_no":"order-story"}`, 200, `"paying":false,"last_try":"cancelled"`},
		{"POST", "/fail", `{"out_trade_no":"order-story"}`, 200, `"last_try":"failed"`},
		{"GET", "/orders", "", 200, `"trade_state":"NOTPAY"`},
		{"POST", "/pay", `{"out_trade_no":"order-story","openid":"oStory"}`, 200, `"trade_state":"SUCCESS"`},
		{"GET", "/orders", "", 200, `"openid":"oStory"`},
		{"GET", "/notifications", "", 200, `"attempt":1,"at":"2026-11-21T12:00:00+08:00","status":500,"body":"{\"code\":\"FAIL\"`},
		{"POST", "/clock", `{"advance":"10m"}`, 200, `{"ahead":"10m0s","now":"2026-11-21T12:10:00+08:00"}`},
		{"GET", "/clock", "", 200, `"ahead":"10m0s"`},
		{"GET", "/notifications", "", 200, `"attempt":2,"at":"2026-11-21T12:00:15+08:00","status":200,"body":""`},
		{"GET", "/faults", "", 200, `{"faults":[]}`},
		{"POST", "/faults", `{"target":"query","fault":"slow","count":3,"delay":"1m30s"}`, 200, `{"target":"query","fault":"slow","count":3,"delay":"1m30s","used":0}`},
		{"POST", "/faults", `{"target":"notify","fault":"drop","rate":0.5}`, 200, `{"target":"notify","fault":"drop","rate":0.5,"used":0}`},
		{"DELETE", "/faults", "", 200, `{"faults":[]}`},
		{"POST", "/pay", `{"out_trade_no":"order-story"}`, 409, "paid already"},
		{"POST", "/pay", `{"out_trade_no":"order-none"}`, 404, "no such order"},
		{"POST", "/pay", `{}`, 400, "out_trade_no is missing"},
		{"POST", "/pay", `{"out_trade_no":7}`, 400, "error"},
		{"POST", "/pay", `out_trade_no=1`, 400, "error"},
		{"POST", "/pay", ``, 400, "error"},
		{"POST", "/pay", `{"out_trade_no":"a"}{}`, 400, "more than one"},
		{"POST", "/pay", `{"outTradeNo":"order-story"}`, 400, "unknown field"},
		{"POST", "/pay", `{"out_trade_no":"` + strings.Repeat("x", 70_000) + `"}`, 413, "64 KiB"},
		{"POST", "/clock", `{"advance":"-1s"}`, 400, "is not a duration"},
		{"POST", "/clock", `{"advance":"tomorrow"}`, 400, "is not a duration"},
		{"POST", "/clock", `{}`, 400, "is not a duration"},
		{"POST", "/faults", `{"target":"refunds","fault":"slow"}`, 400, "want one of bill certificates close echo keys login notify prepay query refund"},
		{"POST", "/faults", `{"target":"notify","fault":"slow"}`, 400, "want one of drop delay duplicate reorder forge probe wrong_amount old_timestamp wrong_key"},
		{"POST", "/faults", `{"target":"query","fault":"slow","delay":"soon"}`, 400, "is not a duration"},
		{"POST", "/faults", `{"target":"query","fault":"slow","rate":2}`, 400, "not between 0 and 1"},
		{"GET", "/nothing", "", 404, "no control GET /_sim/nothing"},
		{"GET", "/pay", "", 404, "no control GET /_sim/pay"},
	} {
		r := control(t, c.method, base+c.path, c.body)
		if r.status != c.status || !strings.Contains(string(r.body), c.contains) {
			t.Errorf("%s %s %.80s: %d %s, want %d … %s", c.method, c.path, c.body, r.status, r.body, c.status, c.contains)
		}
		if r.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s %s: Content-Type %q", c.method, c.path, r.header.Get("Content-Type"))
		}
	}
}

// An order that nobody can pay any more is a conflict.
func TestControlConflicts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-closed")
	s.m.close("order-closed")
	s.m.prepay("native", "order-expired", map[string]any{"time_expire": "2026-11-21T12:01:00+08:00"})
	control(t, "POST", s.URL()+"/_sim/clock", `{"advance":"1m"}`)
	for no, want := range map[string]string{"order-closed": "closed", "order-expired": "time_expire"} {
		if r := control(t, "POST", s.URL()+"/_sim/pay", `{"out_trade_no":"`+no+`"}`); r.status != 409 || !strings.Contains(string(r.body), want) {
			t.Errorf("%s: %d %s", no, r.status, r.body)
		}
	}
}

// The fields of an order that other programs read.
func TestControlOrderNames(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("jsapi", "order-names")
	var got struct{ Orders []map[string]any }
	if err := json.Unmarshal(control(t, "GET", s.URL()+"/_sim/orders", "").body, &got); err != nil {
		t.Fatalf("orders: %v", err)
	}
	for name, want := range map[string]any{
		"out_trade_no": "order-names", "trade_state": "NOTPAY", "total": 100.0, "transaction_id": "", "notify_url": s.rc.url,
		"time_expire": "2026-11-28T12:00:00+08:00", "description": "会员一个月", "appid": s.Account().AppID, "product": "jsapi",
		"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
	} {
		if got.Orders[0][name] != want {
			t.Errorf("%s is %v, want %v", name, got.Orders[0][name], want)
		}
	}
}

// A foreign web page cannot steer the simulator through a person's browser.
func TestControlCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-cross")
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/_sim/pay", `{"out_trade_no":"order-cross"}`},
		{"POST", "/_sim/begin", `{"out_trade_no":"order-cross"}`},
		{"POST", "/_sim/cancel", `{"out_trade_no":"order-cross"}`},
		{"POST", "/_sim/fail", `{"out_trade_no":"order-cross"}`},
		{"POST", "/_sim/clock", `{"advance":"1s"}`},
		{"POST", "/_sim/refunds/decide", `{"status":"CLOSED"}`},
		{"POST", "/_sim/login", `{}`},
		{"POST", "/_sim/bill/stray", `{"out_trade_no":"stray-cross","total":1}`},
		{"POST", "/_sim/refunds/balance", `{"enough":false}`},
		{"POST", "/_sim/refunds/payer", `{"out_trade_no":"order-cross","gone":true}`},
		{"POST", "/_sim/faults", `{"target":"notify","fault":"drop"}`},
		{"DELETE", "/_sim/faults", ``},
		{"POST", "/_phone/pay", `out_trade_no=order-cross`},
		{"POST", "/_phone/cancel", `out_trade_no=order-cross`},
		{"POST", "/_phone/fail", `out_trade_no=order-cross`},
	} {
		for _, foreign := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			h := append(foreign, "Content-Type", "application/x-www-form-urlencoded")
			if r := control(t, c.method, s.URL()+c.path, c.body, h...); r.status != 403 {
				t.Errorf("%s %s with %v: %d %s", c.method, c.path, foreign, r.status, r.body)
			}
		}
	}
	if o, _ := s.Order("order-cross"); o.TradeState != "NOTPAY" || o.LastTry != "" {
		t.Errorf("order %+v", o)
	}
	if r := control(t, "POST", s.URL()+"/_sim/pay", `{"out_trade_no":"order-cross"}`, "Origin", s.URL(), "Sec-Fetch-Site", "same-origin"); r.status != 200 {
		t.Errorf("same origin: %d %s", r.status, r.body)
	}
}

// Whoever pays and hangs up has paid, and the merchant is told.
func TestControlCallerLeaves(t *testing.T) {
	t.Parallel()
	for path, contentType := range map[string]string{"/_sim/pay": "application/json", "/_phone/pay": "application/x-www-form-urlencoded"} {
		s := newStage(t)
		s.rc.answer = func(int, delivered) int {
			time.Sleep(300 * time.Millisecond)
			return 204
		}
		s.place("native", "order-left")
		body := map[string]string{"/_sim/pay": `{"out_trade_no":"order-left"}`, "/_phone/pay": "out_trade_no=order-left"}[path]
		client := http.Client{Transport: wire, Timeout: 100 * time.Millisecond}
		if resp, err := client.Post(s.URL()+path, contentType, strings.NewReader(body)); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s answered in time", path)
		}
		s.Advance(0)
		if got := s.Notifications(); len(got) != 1 || !got[0].Accepted {
			t.Errorf("%s: sends %+v", path, got)
		}
	}
}

var _ wxsim.TB = (*testing.B)(nil)
