package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay"
)

// refused checks an answer that is no success: HTTP status, code and message,
// and that there is nothing else in it.
func (r reply) refused(t testing.TB, status, code int, msg string) {
	t.Helper()
	if r.status != status || r.Code != code || r.Msg != msg {
		t.Errorf("answer is %d %s, want %d, code %d, msg %q", r.status, strings.TrimSpace(r.raw), status, code, msg)
	}
	if got := r.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.raw), &members); err != nil || len(members) != 3 {
		t.Errorf("no envelope: %s", r.raw)
	}
	if status < 429 && string(members["data"]) != "null" {
		t.Errorf("data is %s", members["data"])
	}
}

// without is a prepay body with one member taken out, or replaced.
func without(product, member string, value ...any) string {
	var b map[string]any
	if err := json.Unmarshal([]byte(body(product, "vip-month")), &b); err != nil {
		panic(err)
	}
	delete(b, member)
	if len(value) > 0 {
		b[member] = value[0]
	}
	raw, _ := json.Marshal(b)
	return string(raw)
}

// TestPrepayRefuses changes one thing in a good request at a time. Each is
// answered in both languages, and leaves nothing behind.
func TestPrepayRefuses(t *testing.T) {
	t.Parallel()
	good := body("native", "vip-month")
	const typ = "Content-Type"
	for _, c := range []struct {
		name, product, user, body string
		header                    []string
		status, code              int
		zh, en                    string
	}{
		{"nobody", "native", "", good, nil, 401, 401, "请先登录", "please sign in"},
		{"unknown product", "alipay", "u1", good, nil, 404, 404, "接口不存在", "no such endpoint"},
		{"product in capitals", "Native", "u1", good, nil, 404, 404, "接口不存在", "no such endpoint"},
		{"unknown goods", "native", "u1", body("native", "vip-decade"), nil, 404, 404, "商品信息不存在", "no such goods"},
		{"goods of zero", "native", "u1", body("native", "free"), nil, 500, 500, "查询商品信息失败", "the goods could not be priced"},
		{"goods of less", "native", "u1", body("native", "negative"), nil, 500, 500, "查询商品信息失败", "the goods could not be priced"},
		{"unknown reference", "native", "u1", `{"order_ref":"desk-1"}`, nil, 404, 404, "商品信息不存在", "no such goods"},

		{"not JSON", "native", "u1", `goods_id=vip-month`, nil, 400, 301, "请求体不是有效的JSON", "the body is not valid JSON"},
		{"half JSON", "native", "u1", good[:len(good)-1], nil, 400, 301, "请求体不是有效的JSON", "the body is not valid JSON"},
		{"two objects", "native", "u1", good + good, nil, 400, 301, "请求体不是有效的JSON", "the body is not valid JSON"},
		{"a list", "native", "u1", "[" + good + "]", nil, 400, 301, "请求体不是有效的JSON", "the body is not valid JSON"},
		{"null", "native", "u1", `null`, nil, 400, 301, "缺少参数goods_id", "missing parameter goods_id"},
		{"no body", "native", "u1", ``, []string{typ, "application/json"}, 400, 301, "请求体不是有效的JSON", "the body is not valid JSON"},
		{"a form", "native", "u1", good, []string{typ, "application/x-www-form-urlencoded"}, 415, 415, "请求体须为application/json", "the body must be application/json"},
		{"plain text", "native", "u1", good, []string{typ, "text/plain"}, 415, 415, "请求体须为application/json", "the body must be application/json"},
		{"no type", "native", "u1", good, []string{typ, ""}, 415, 415, "请求体须为application/json", "the body must be application/json"},
		{"a byte over 64 KiB", "native", "u1", good + strings.Repeat(" ", 64<<10+1-len(good)), nil, 413, 413, "请求体过大", "the body is too large"},

		{"no goods_id", "native", "u1", without("native", "goods_id"), nil, 400, 301, "缺少参数goods_id", "missing parameter goods_id"},
		{"blank goods_id", "native", "u1", body("native", " "), nil, 400, 301, "缺少参数goods_id", "missing parameter goods_id"},
		{"app: no goods_id", "app", "u1", without("app", "goods_id"), nil, 400, 301, "缺少参数goods_id", "missing parameter goods_id"},
		{"app: no app_name", "app", "u1", without("app", "app_name"), nil, 400, 301, "缺少参数app_name", "missing parameter app_name"},
		{"app: no app_channel", "app", "u1", without("app", "app_channel"), nil, 400, 301, "缺少参数app_channel", "missing parameter app_channel"},
		{"app: no device", "app", "u1", without("app", "device"), nil, 400, 301, "缺少参数device", "missing parameter device"},
		{"app: null device", "app", "u1", without("app", "device", nil), nil, 400, 301, "缺少参数device", "missing parameter device"},
		{"jsapi: no openid", "jsapi", "u1", without("jsapi", "openid"), nil, 400, 301, "缺少参数openid", "missing parameter openid"},
		{"jsapi: blank openid", "jsapi", "u1", without("jsapi", "openid", "\t"), nil, 400, 301, "缺少参数openid", "missing parameter openid"},
		{"miniprogram: no openid", "miniprogram", "u1", without("miniprogram", "openid"), nil, 400, 301, "缺少参数openid", "missing parameter openid"},
		{"openid of 129", "jsapi", "u1", without("jsapi", "openid", strings.Repeat("o", 129)), nil, 400, 301, "参数openid格式错误", "malformed parameter openid"},
		{"app_name of 129", "app", "u1", without("app", "app_name", strings.Repeat("a", 129)), nil, 400, 301, "参数app_name格式错误", "malformed parameter app_name"},
		{"order_ref of 129", "native", "u1", cart("cart-" + strings.Repeat("1", 124)), nil, 400, 301, "参数order_ref格式错误", "malformed parameter order_ref"},
		{"U+0000 in device", "app", "u1", without("app", "device", "a\x00"), nil, 400, 301, "参数device格式错误", "malformed parameter device"},
		{"line break in goods_id", "native", "u1", body("native", "vip-month\n"), nil, 400, 301, "参数goods_id格式错误", "malformed parameter goods_id"},
		{"both goods and reference", "native", "u1", `{"goods_id":"vip-month","order_ref":"cart-1"}`, nil, 400, 301, "参数order_ref格式错误", "malformed parameter order_ref"},

		{"goods_id is a number", "native", "u1", `{"goods_id":1}`, nil, 400, 301, "参数goods_id格式错误", "malformed parameter goods_id"},
		{"goods_id is an object", "native", "u1", `{"goods_id":{"$ne":""}}`, nil, 400, 301, "参数goods_id格式错误", "malformed parameter goods_id"},
		{"platform is text", "app", "u1", without("app", "platform", "2"), nil, 400, 301, "参数platform格式错误", "malformed parameter platform"},
		{"platform is half", "app", "u1", without("app", "platform", 1.5), nil, 400, 301, "参数platform格式错误", "malformed parameter platform"},
		{"out_trade_no is a list", "native", "u1", `{"out_trade_no":["a"]}`, nil, 400, 301, "参数out_trade_no格式错误", "malformed parameter out_trade_no"},

		{"somebody else's user_id", "native", "u1", without("native", "user_id", "u2"), nil, 403, 403, "user_id与登录用户不一致", "user_id is not the signed-in user"},
		{"cross-site", "native", "u1", good, []string{"Sec-Fetch-Site", "cross-site"}, 403, 403, "请求来源不被允许", "requests from this origin are not allowed"},
		{"same-site, another origin", "native", "u1", good, []string{"Sec-Fetch-Site", "same-site"}, 403, 403, "请求来源不被允许", "requests from this origin are not allowed"},
		{"Origin of another site", "native", "u1", good, []string{"Origin", "https://evil.example"}, 403, 403, "请求来源不被允许", "requests from this origin are not allowed"},
		{"opaque Origin", "native", "u1", good, []string{"Origin", "null"}, 403, 403, "请求来源不被允许", "requests from this origin are not allowed"},
		{"cross-site from an allowed name", "native", "u1", good, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://m.example.com.evil.example"}, 403, 403, "请求来源不被允许", "requests from this origin are not allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, func(o *wxpay.Options) { o.Origins = []string{"https://m.example.com"} })
			path := "/pay/prepay/" + c.product
			s.do("POST", path, c.user, c.body, c.header...).refused(t, c.status, c.code, c.zh)
			s.do("POST", path, c.user, c.body, append(c.header, "Accept-Language", "en-GB,en;q=0.9")...).refused(t, c.status, c.code, c.en)
			s.nothingDone(l)
		})
	}
}

// TestPrepayTakes are the neighbours of what is refused.
func TestPrepayTakes(t *testing.T) {
	t.Parallel()
	good := body("native", "vip-month")
	for _, c := range []struct {
		name, product, body string
		header              []string
	}{
		{"64 KiB", "native", good + strings.Repeat(" ", 64<<10-len(good)), nil},
		{"a charset", "native", good, []string{"Content-Type", "Application/JSON; charset=utf-8"}},
		{"one's own user_id", "native", without("native", "user_id", "u1"), nil},
		{"openid of 128", "jsapi", without("jsapi", "openid", strings.Repeat("o", 128)), nil},
		{"same origin", "native", good, []string{"Sec-Fetch-Site", "same-origin"}},
		{"typed address", "native", good, []string{"Sec-Fetch-Site", "none"}},
		{"allowed origin", "native", good, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://m.example.com"}},
		{"unknown members", "native", without("native", "x", map[string]any{"y": []int{1}}), nil},
		{"null members", "native", without("native", "out_trade_no", nil), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.Origins = []string{"https://m.example.com"} })
			s.do("POST", "/pay/prepay/"+c.product, "u1", c.body, c.header...).order(t)
		})
	}
}

// TestIdentify: without a user nothing is done, whatever Identify does.
func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		identify func(*http.Request) (string, error)
		status   int
		msg      string
	}{
		{"error", func(*http.Request) (string, error) { return "u1", errors.New("session expired") }, 401, "请先登录"},
		{"nobody", func(*http.Request) (string, error) { return "", nil }, 401, "请先登录"},
		{"panic", func(*http.Request) (string, error) { panic("nil session") }, 500, "系统异常，请稍后重试"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, func(o *wxpay.Options) { o.Identify = c.identify })
			for _, e := range endpoints {
				s.do(e.method, e.path("no-such-order"), "u1", e.body("no-such-order")).refused(t, c.status, c.status, c.msg)
			}
			s.nothingDone(l)
			if n := s.quotes.Load(); n != 0 {
				t.Errorf("priced %d times", n)
			}
		})
	}
}

// endpoints are those that speak of an order.
var endpoints = []struct {
	name, method string
	path, body   func(outTradeNo string) string
}{
	{"status", "GET", func(no string) string { return "/pay/orders/" + no }, none},
	{"close", "POST", func(no string) string { return "/pay/orders/" + no + "/close" }, none},
	{"qr.svg", "GET", func(no string) string { return "/pay/orders/" + no + "/qr.svg" }, none},
	{"qr.png", "GET", func(no string) string { return "/pay/orders/" + no + "/qr.png" }, none},
	{"paysign", "POST", func(string) string { return "/pay/paysign" }, named},
	{"prepay", "POST", func(string) string { return "/pay/prepay/native" }, named},
}

func none(string) string { return "" }

func named(no string) string {
	raw, _ := json.Marshal(map[string]string{"out_trade_no": no})
	return string(raw)
}

// TestOrdersAreTheirOwners: nobody sees, pays or closes another's order, and
// what is no order is none for anybody.
func TestOrdersAreTheirOwners(t *testing.T) {
	t.Parallel()
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.buy("native", "u1").OutTradeNo
			before, calls := s.stored(no), len(s.sim.Calls())
			s.do(e.method, e.path(no), "u2", e.body(no)).refused(t, 403, 403, "无权操作该订单")
			s.do(e.method, e.path(no), "U1", e.body(no)).refused(t, 403, 403, "无权操作该订单")
			s.do(e.method, e.path(no), "u2", e.body(no), "Accept-Language", "en").refused(t, 403, 403, "this order is not yours")
			s.do(e.method, e.path(no), "", e.body(no)).refused(t, 401, 401, "请先登录")
			for _, unknown := range []string{"20260101000000000unknown", strings.ToUpper(no)} {
				s.do(e.method, e.path(unknown), "u1", e.body(unknown)).refused(t, 404, 404, "订单不存在")
			}
			if got := s.stored(no); got.Version != before.Version || len(s.sim.Calls()) != calls {
				t.Errorf("something was done: version %d, %d calls", got.Version, len(s.sim.Calls()))
			}
		})
	}
}

// TestMalformedNumbers never reach the store.
func TestMalformedNumbers(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	l.breakDown("get")
	for _, e := range endpoints {
		inPath := e.body("x") == ""
		for _, no := range []string{"short", strings.Repeat("a", 33), "订单号订单号", "a'or'1'='1", "abc def"} {
			path := e.path(no)
			if inPath {
				path = e.path(strings.ReplaceAll(no, " ", "%20"))
			}
			s.do(e.method, path, "u1", e.body(no)).refused(t, 404, 404, "订单不存在")
		}
	}
	for _, no := range []string{"", "null"} {
		s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+strings.ReplaceAll(no, "null", "")+`"}`).refused(t, 400, 301, "缺少参数out_trade_no")
	}
}

// TestStoreFailsForOrders: every endpoint says that the store is down, and
// asks nothing of WeChat.
func TestStoreFailsForOrders(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	no := s.buy("native", "u1").OutTradeNo
	calls := len(s.sim.Calls())
	l.breakDown("get")
	for _, e := range endpoints {
		s.do(e.method, e.path(no), "u1", e.body(no)).refused(t, 503, 503, "订单服务暂时不可用，请稍后重试")
	}
	if n := len(s.sim.Calls()); n != calls {
		t.Errorf("%d calls were made to WeChat", n-calls)
	}
}

// TestCrossSitePosts: a page of another site does not spend its visitor's
// session on any endpoint that changes something.
func TestCrossSitePosts(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	for _, e := range endpoints {
		r := s.do(e.method, e.path(no), "u1", e.body(no), "Sec-Fetch-Site", "cross-site")
		if e.method == "GET" {
			if r.status != 200 {
				t.Errorf("%s: %d", e.name, r.status)
			}
			continue
		}
		r.refused(t, 403, 403, "请求来源不被允许")
	}
	if o := s.stored(no); o.PayStatus != 0 {
		t.Errorf("order is %v", o.PayStatus)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	s := open(t)
	const zh, en = "请先登录", "please sign in"
	for accept, want := range map[string]string{
		"": zh, "zh-CN": zh, "zh-TW,en;q=0.5": zh, "fr": zh, "*": zh, "en": en, "EN-us": en, "en-US,en;q=0.9,zh;q=0.8": en,
		"zh-CN,zh;q=0.9,en;q=0.8": zh, "en;q=0.3, zh;q=0.7": zh, "zh;q=0.3, en ; q=0.7": en, "zh,en": zh, "en;q=0": zh, "en;q=x": zh, "english": zh,
		"fr,en;q=0.1": en, ",,;": zh,
	} {
		if got := s.do("GET", "/pay/orders/20260101000000000", "", "", "Accept-Language", accept).Msg; got != want {
			t.Errorf("Accept-Language %q: %q, want %q", accept, got, want)
		}
	}
}

// TestAnswerHeaders: no cache keeps an answer, no browser takes it for a page.
func TestAnswerHeaders(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	for _, path := range []string{"/pay/orders/" + no, "/pay/orders/" + no + "/qr.png", "/pay/orders/unknown", "/pay/"} {
		h := s.do("GET", path, "u1", "").header
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestRequestHookAndLog: one call of the hook and one line for each request,
// with words from a closed list and nothing secret.
func TestRequestHookAndLog(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []wxpay.RequestInfo
	s := open(t, func(o *wxpay.Options) {
		o.Hooks.Request = func(_ context.Context, i wxpay.RequestInfo) {
			mu.Lock()
			defer mu.Unlock()
			i.Took = 0
			got = append(got, i)
		}
	})
	const typ = "Content-Type"
	no := s.buy("jsapi", "u1").OutTradeNo
	s.do("POST", "/pay/prepay/native", "u1", "{}")
	s.do("POST", "/pay/prepay/native", "u1", body("native", "free"))
	s.do("POST", "/pay/prepay/native", "u1", "{}", typ, "text/plain")
	s.do("POST", "/pay/paysign", "u2", named(no))
	s.do("GET", "/pay/orders/"+no, "", "")
	s.do("GET", "/pay/orders/"+no+"/qr.svg", "u1", "")
	s.do("POST", "/pay/orders/"+no+"/close", "u1", "")
	s.do("GET", "/pay/nothing", "u1", "")
	s.do("DELETE", "/pay/orders/"+no, "u1", "")
	mu.Lock()
	defer mu.Unlock()
	want := []wxpay.RequestInfo{
		{Endpoint: "prepay", Outcome: "ok", Status: 200},
		{Endpoint: "prepay", Outcome: "bad_parameter", Status: 400},
		{Endpoint: "prepay", Outcome: "quote", Status: 500},
		{Endpoint: "prepay", Outcome: "not_json", Status: 415},
		{Endpoint: "paysign", Outcome: "not_yours", Status: 403},
		{Endpoint: "order", Outcome: "not_identified", Status: 401},
		{Endpoint: "qr", Outcome: "other_product", Status: 409},
		{Endpoint: "close", Outcome: "ok", Status: 200},
		{Endpoint: "other", Outcome: "no_endpoint", Status: 404},
		{Endpoint: "other", Outcome: "bad_method", Status: 405},
	}
	if !slices.Equal(got, want) {
		t.Errorf("hooks:\n%+v, want\n%+v", got, want)
	}
	logs := s.logs.String()
	if n := strings.Count(logs, `"msg":"request answered"`); n != len(want) {
		t.Errorf("%d lines for %d requests", n, len(want))
	}
	if n := strings.Count(logs, `"level":"ERROR"`); n != 1 { // the quote
		t.Errorf("%d lines say that someone must act", n)
	}
	for _, line := range s.logLines("request answered") {
		ending, _ := line["ending"].(string)
		remedy, _ := line["remedy"].(string)
		if remedy != wxpay.RequestRemedy(ending) || ending == "quote" && remedy == "" {
			t.Errorf("the log advises %q for %q", remedy, ending)
		}
	}
	acct := s.sim.Account()
	for _, secret := range []string{openID, acct.APIv3Key, "PRIVATE KEY", s.stored(no).PrepayID, "signature="} {
		if strings.Contains(logs, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// TestPanicInAHandler is an envelope, and a line in the log, and nothing more.
func TestPanicInAHandler(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t, func(o *wxpay.Options) { o.ClientIP = func(*http.Request) (ip netip.Addr) { panic("no header") } })
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).refused(t, 500, 500, "系统异常，请稍后重试")
	s.nothingDone(l)
	if !strings.Contains(s.logs.String(), "no header") {
		t.Error("the log does not say why")
	}
}
