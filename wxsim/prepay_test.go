package wxsim_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPrepayAnswers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for product, want := range map[string]string{
		"jsapi":  `^\{"prepay_id":"wx20261121120000[0-9a-f]{20}"\}$`,
		"app":    `^\{"prepay_id":"wx20261121120000[0-9a-f]{20}"\}$`,
		"native": `^\{"code_url":"weixin://wxpay/bizpayurl\?pr=[0-9A-Za-z]{12}"\}$`,
		"h5":     `^\{"h5_url":"` + regexp.QuoteMeta(s.URL()) + `/h5\?prepay_id=wx20261121120000[0-9a-f]{20}&package=[0-9]{10}"\}$`,
	} {
		r := s.m.prepay(product, "order-"+product, nil)
		if !regexp.MustCompile(want).Match(r.body) {
			t.Errorf("%s answers %s, want %s", product, r.body, want)
		}
		if got := r.header.Get("Request-ID"); !strings.HasSuffix(got, "-0") {
			t.Errorf("%s: Request-ID %q", product, got)
		}
	}
}

// Each case changes one parameter of a good order.
func TestPrepayParameters(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.Account()
	long := func(n int) string { return strings.Repeat("长", n) }
	amount := func(raw string) map[string]any { return map[string]any{"amount": json.RawMessage(raw)} }
	scene := func(raw string) map[string]any { return map[string]any{"scene_info": json.RawMessage(raw)} }
	set := func(name string, v any) map[string]any { return map[string]any{name: v} }
	for i, c := range []struct {
		name    string
		product string
		change  map[string]any
		status  int
		code    string
		field   string // detail.field
	}{
		{"good", "jsapi", nil, 200, "", ""},
		{"everything", "jsapi", map[string]any{
			"time_expire": "2026-11-21T13:00:00+08:00", "attach": "a=1", "goods_tag": "WXG", "support_fapiao": true,
			"detail":      json.RawMessage(`{"cost_price":100,"invoice_id":"i","goods_detail":[{"merchant_goods_id":"g-1","wechatpay_goods_id":"1","goods_name":"会员","quantity":1,"unit_price":100}]}`),
			"scene_info":  json.RawMessage(`{"payer_client_ip":"::1","device_id":"013467007045764","store_info":{"id":"1","name":"店","area_code":"440305","address":"深圳"}}`),
			"settle_info": json.RawMessage(`{"profit_sharing":false}`), "limit_pay": []string{"no_credit"},
			"subsidy_info": json.RawMessage(`{"subsidy_detail":[{"subsidy_period_type":"PERIOD","subsidy_plan":[{"subsidy_installment_num":3,"subsidy_percent":100}]}]}`),
		}, 200, "", ""},
		{"appid missing", "jsapi", set("appid", deleted{}), 400, "PARAM_ERROR", "/appid"},
		{"foreign appid", "jsapi", set("appid", "wxd678efh567hg6787"), 400, "APPID_MCHID_NOT_MATCH", "/appid"},
		{"service account's appid on jsapi", "jsapi", set("appid", a.AppIDJSAPI), 200, "", ""},
		{"mobile app's appid on jsapi", "jsapi", set("appid", a.AppIDApp), 400, "APPID_MCHID_NOT_MATCH", "/appid"},
		{"mini-program's appid on app", "app", set("appid", a.AppID), 400, "APPID_MCHID_NOT_MATCH", "/appid"},
		{"mobile app's appid on native", "native", set("appid", a.AppIDApp), 200, "", ""},
		{"service account's appid on h5", "h5", set("appid", a.AppIDJSAPI), 200, "", ""},
		{"mchid missing", "native", set("mchid", deleted{}), 400, "PARAM_ERROR", "/mchid"},
		{"foreign mchid", "native", set("mchid", "1900000109"), 400, "PARAM_ERROR", "/mchid"},
		{"mchid a number", "native", set("mchid", 1900000109), 400, "PARAM_ERROR", "/mchid"},
		{"description missing", "native", set("description", deleted{}), 400, "PARAM_ERROR", "/description"},
		{"description empty", "native", set("description", ""), 400, "PARAM_ERROR", "/description"},
		{"description null", "native", set("description", nil), 400, "PARAM_ERROR", "/description"},
		{"description of 127 characters", "native", set("description", long(127)), 200, "", ""},
		{"description of 128 characters", "native", set("description", long(128)), 400, "PARAM_ERROR", "/description"},
		{"number of 5", "native", set("out_trade_no", "abcd5"), 400, "PARAM_ERROR", "/out_trade_no"},
		{"number of 6", "native", set("out_trade_no", "abcde6"), 200, "", ""},
		{"number of 32", "native", set("out_trade_no", strings.Repeat("0", 32)), 200, "", ""},
		{"number of 33", "native", set("out_trade_no", strings.Repeat("0", 33)), 400, "PARAM_ERROR", "/out_trade_no"},
		{"number with all signs", "native", set("out_trade_no", "aZ09_-|*"), 200, "", ""},
		{"number with a dot", "native", set("out_trade_no", "order.1"), 400, "PARAM_ERROR", "/out_trade_no"},
		{"number with a slash", "native", set("out_trade_no", "order/1"), 400, "PARAM_ERROR", "/out_trade_no"},
		{"number in Chinese", "native", set("out_trade_no", "订单号码一二三"), 400, "PARAM_ERROR", "/out_trade_no"},
		{"number with a newline at its end", "native", set("out_trade_no", "order-1\n"), 400, "PARAM_ERROR", "/out_trade_no"},
		{"attach of 128", "native", set("attach", long(128)), 200, "", ""},
		{"attach of 129", "native", set("attach", long(129)), 400, "PARAM_ERROR", "/attach"},
		{"attach empty", "native", set("attach", ""), 400, "PARAM_ERROR", "/attach"},
		{"goods_tag of 33", "native", set("goods_tag", long(33)), 400, "PARAM_ERROR", "/goods_tag"},
		{"amount missing", "native", set("amount", deleted{}), 400, "PARAM_ERROR", "/amount"},
		{"amount a number", "native", amount(`100`), 400, "PARAM_ERROR", "/amount"},
		{"total missing", "native", amount(`{"currency":"CNY"}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total 0", "native", amount(`{"total":0}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total negative", "native", amount(`{"total":-1}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total 1", "native", amount(`{"total":1}`), 200, "", ""},
		{"total in yuan", "native", amount(`{"total":1.5}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total 1.0", "native", amount(`{"total":1.0}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total as text", "native", amount(`{"total":"100"}`), 400, "PARAM_ERROR", "/amount/total"},
		{"total beyond 63 bits", "native", amount(`{"total":9223372036854775808}`), 400, "PARAM_ERROR", "/amount/total"},
		{"currency USD", "native", amount(`{"total":1,"currency":"USD"}`), 400, "PARAM_ERROR", "/amount/currency"},
		{"currency null", "native", amount(`{"total":1,"currency":null}`), 400, "PARAM_ERROR", "/amount/currency"},
		{"amount with more", "native", amount(`{"total":1,"refund":1}`), 400, "PARAM_ERROR", "/amount/refund"},
		{"unknown field", "native", set("sign_type", "RSA"), 400, "PARAM_ERROR", "/sign_type"},
		{"time_expire without offset", "native", set("time_expire", "2026-11-21T13:00:00"), 400, "PARAM_ERROR", "/time_expire"},
		{"time_expire with a space", "native", set("time_expire", "2026-11-21 13:00:00+08:00"), 400, "PARAM_ERROR", "/time_expire"},
		{"time_expire with a fraction", "native", set("time_expire", "2026-11-21T13:00:00.5+08:00"), 400, "PARAM_ERROR", "/time_expire"},
		{"time_expire of V2", "native", set("time_expire", "20261121130000"), 400, "PARAM_ERROR", "/time_expire"},
		{"time_expire in UTC", "native", set("time_expire", "2026-11-21T05:00:00Z"), 200, "", ""},
		{"notify_url missing", "native", set("notify_url", deleted{}), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url http", "native", set("notify_url", "http://shop.example.com/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url with query", "native", set("notify_url", "https://shop.example.com/notify?a=1"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url with an empty query", "native", set("notify_url", "https://shop.example.com/notify?"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url with fragment", "native", set("notify_url", "https://shop.example.com/notify#a"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url without path", "native", set("notify_url", "https://shop.example.com"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url with a blank", "native", set("notify_url", " https://shop.example.com/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url private", "native", set("notify_url", "https://192.168.1.5/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url with user", "native", set("notify_url", "https://a:b@shop.example.com/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url ftp on loopback", "native", set("notify_url", "ftp://127.0.0.1/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url http on loopback", "native", set("notify_url", "http://127.0.0.1:8080/notify"), 200, "", ""},
		{"notify_url http on localhost", "native", set("notify_url", "http://localhost:8080/notify"), 200, "", ""},
		{"notify_url http on ::1", "native", set("notify_url", "http://[::1]:8080/notify"), 200, "", ""},
		{"notify_url with query on loopback", "native", set("notify_url", "http://127.0.0.1:8080/notify?a=1"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url disguised as loopback", "native", set("notify_url", "http://127.0.0.1.example.com/notify"), 400, "PARAM_ERROR", "/notify_url"},
		{"notify_url of 255", "native", set("notify_url", "https://shop.example.com/"+strings.Repeat("n", 230)), 200, "", ""},
		{"notify_url of 256", "native", set("notify_url", "https://shop.example.com/"+strings.Repeat("n", 231)), 400, "PARAM_ERROR", "/notify_url"},
		{"support_fapiao as text", "native", set("support_fapiao", "true"), 400, "PARAM_ERROR", "/support_fapiao"},
		{"limit_pay unknown", "native", set("limit_pay", []string{"no_cash"}), 400, "PARAM_ERROR", "/limit_pay/0"},
		{"limit_pay empty", "native", set("limit_pay", []string{}), 400, "PARAM_ERROR", "/limit_pay"},
		{"payer missing", "jsapi", set("payer", deleted{}), 400, "PARAM_ERROR", "/payer/openid"},
		{"openid missing", "jsapi", set("payer", map[string]any{}), 400, "PARAM_ERROR", "/payer/openid"},
		{"openid empty", "jsapi", set("payer", map[string]any{"openid": ""}), 400, "PARAM_ERROR", "/payer/openid"},
		{"openid of 129", "jsapi", set("payer", map[string]any{"openid": strings.Repeat("o", 129)}), 400, "PARAM_ERROR", "/payer/openid"},
		{"payer on native", "native", set("payer", map[string]any{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}), 400, "PARAM_ERROR", "/payer"},
		{"scene_info missing on h5", "h5", set("scene_info", deleted{}), 400, "PARAM_ERROR", "/scene_info"},
		{"h5_info missing", "h5", scene(`{"payer_client_ip":"1.2.3.4"}`), 400, "PARAM_ERROR", "/scene_info/h5_info"},
		{"h5 type unknown", "h5", scene(`{"payer_client_ip":"1.2.3.4","h5_info":{"type":"Web"}}`), 400, "PARAM_ERROR", "/scene_info/h5_info/type"},
		{"ip missing on h5", "h5", scene(`{"h5_info":{"type":"Wap"}}`), 400, "PARAM_ERROR", "/scene_info/payer_client_ip"},
		{"ip is a name", "native", scene(`{"payer_client_ip":"localhost"}`), 400, "PARAM_ERROR", "/scene_info/payer_client_ip"},
		{"h5_info on native", "native", scene(`{"payer_client_ip":"1.2.3.4","h5_info":{"type":"Wap"}}`), 400, "PARAM_ERROR", "/scene_info/h5_info"},
		{"store without id", "native", scene(`{"payer_client_ip":"1.2.3.4","store_info":{"name":"店"}}`), 400, "PARAM_ERROR", "/scene_info/store_info/id"},
		{"goods_detail empty", "native", set("detail", json.RawMessage(`{"goods_detail":[]}`)), 400, "PARAM_ERROR", "/detail/goods_detail"},
		{"goods without quantity", "native", set("detail", json.RawMessage(`{"goods_detail":[{"merchant_goods_id":"g","unit_price":1}]}`)), 400, "PARAM_ERROR", "/detail/goods_detail/0/quantity"},
		{"goods id with a dot", "native", set("detail", json.RawMessage(`{"goods_detail":[{"merchant_goods_id":"g.1","quantity":1,"unit_price":1}]}`)), 400, "PARAM_ERROR", "/detail/goods_detail/0/merchant_goods_id"},
		{"detail of 7 KiB", "native", set("detail", json.RawMessage(`{"goods_detail":[`+strings.Repeat(`{"merchant_goods_id":"g","quantity":1,"unit_price":1},`, 130)+`{"merchant_goods_id":"g","quantity":1,"unit_price":1}]}`)), 400, "PARAM_ERROR", "/detail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := s.m.call("POST", transactions+c.product, s.m.order(c.product, fmt.Sprintf("param-%03d", i), c.change))
			if r.status != c.status || r.code() != c.code || detailField(r) != c.field {
				t.Errorf("answer %d %q at %q, want %d %q at %q: %s", r.status, r.code(), detailField(r), c.status, c.code, c.field, r.body)
			}
		})
	}
}

// detailField is detail.field of an error body.
func detailField(r result) string {
	var e struct{ Detail struct{ Field string } }
	_ = json.Unmarshal(r.body, &e)
	return e.Detail.Field
}

// Bodies that are no order at all.
func TestPrepayBodies(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	good := string(s.m.order("native", "order-body", nil))
	for name, body := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "text": `"x"`, "cut off": good[:len(good)-1],
		"two objects": good + good, "not UTF-8": strings.Replace(good, "会员", "\xff", 1),
		"65 KiB": good[:len(good)-1] + `,"attach":"` + strings.Repeat("x", 65<<10) + `"}`,
	} {
		if r := s.m.call("POST", transactions+"native", []byte(body)); r.status != 400 || r.code() != "PARAM_ERROR" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := s.m.call("POST", transactions+"native", []byte(good+" \n")); r.status != 200 {
		t.Errorf("good body with white space after it: %d %s", r.status, r.body)
	}
	if got := s.Orders(); len(got) != 1 {
		t.Errorf("%d orders, want the good one alone", len(got))
	}
}

// WeChat silently raises and lowers time_expire.
func TestPrepayTimeExpire(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i, c := range []struct {
		sent string
		want time.Time
	}{
		{"", noon.Add(7 * 24 * time.Hour)},
		{"2026-11-21T12:30:00+08:00", noon.Add(30 * time.Minute)},
		{"2026-11-21T04:30:00Z", noon.Add(30 * time.Minute)},
		{"2026-11-21T12:00:30+08:00", noon.Add(time.Minute)},
		{"2020-01-01T00:00:00+08:00", noon.Add(time.Minute)},
		{"2027-11-21T12:00:00+08:00", noon.Add(7 * 24 * time.Hour)},
	} {
		no := fmt.Sprintf("expire-%d", i)
		change := map[string]any{}
		if c.sent != "" {
			change["time_expire"] = c.sent
		}
		s.m.prepay("native", no, change)
		if o, _ := s.Order(no); !o.TimeExpire.Equal(c.want) {
			t.Errorf("time_expire %q is taken as %v, want %v", c.sent, o.TimeExpire, c.want)
		}
	}
}

// Placing the same number again, by the state of the order.
func TestPrepayAgain(t *testing.T) {
	t.Parallel()
	nothing := func(*stage, string) {}
	const anyProduct = "an appid that both endpoints take"
	for _, c := range []struct {
		name    string
		first   string
		before  func(s *stage, no string) // what happens in between
		product string
		change  map[string]any
		status  int
		code    string
	}{
		{"unpaid, the same", "jsapi", nothing, "jsapi", nil, 200, ""},
		{"unpaid, other total", "jsapi", nothing, "jsapi", map[string]any{"amount": map[string]any{"total": 101, "currency": "CNY"}}, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, other notify_url", "native", nothing, "native", map[string]any{"notify_url": "https://shop.example.com/other"}, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, other time_expire", "native", nothing, "native", map[string]any{"time_expire": "2026-11-21T13:00:00+08:00"}, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, one more parameter", "native", nothing, "native", map[string]any{"attach": "a"}, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, other payer", "jsapi", nothing, "jsapi", map[string]any{"payer": map[string]any{"openid": "oOther"}}, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, other endpoint", "native", nothing, "app", nil, 403, "OUT_TRADE_NO_USED"},
		{"unpaid, other endpoint, the same body", "native", nothing, "app", map[string]any{"appid": anyProduct}, 403, "OUT_TRADE_NO_USED"},
		{"cancelled, the same", "native", func(s *stage, no string) { _ = s.Cancel(no) }, "native", nil, 200, ""},
		{"paid", "jsapi", func(s *stage, no string) { _ = s.PayQuietly(no) }, "jsapi", nil, 400, "INVALID_REQUEST"},
		{"paid, other total", "native", func(s *stage, no string) { _ = s.PayQuietly(no) }, "native", map[string]any{"amount": map[string]any{"total": 1}}, 400, "INVALID_REQUEST"},
		{"closed", "jsapi", func(s *stage, no string) { s.m.close(no) }, "jsapi", nil, 400, "INVALID_REQUEST"},
		{"closed, native", "native", func(s *stage, no string) { s.m.close(no) }, "native", nil, 400, "ORDER_CLOSED"},
		{"expired", "app", func(s *stage, _ string) { s.Advance(7 * 24 * time.Hour) }, "app", nil, 400, "INVALID_REQUEST"},
		{"expired, native", "native", func(s *stage, _ string) { s.Advance(7 * 24 * time.Hour) }, "native", nil, 400, "ORDER_CLOSED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			var common map[string]any
			if c.change["appid"] == anyProduct {
				common = map[string]any{"appid": s.Account().AppIDApp}
				c.change = common
			}
			first := s.m.prepay(c.first, "order-again", common)
			c.before(s, "order-again")
			r := s.m.call("POST", transactions+c.product, s.m.order(c.product, "order-again", c.change))
			if r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %s, want %d %q", r.status, r.body, c.status, c.code)
			}
			if r.status == 200 && string(r.body) == string(first.body) {
				t.Errorf("the same credential again: %s", r.body)
			}
			if len(s.Orders()) != 1 {
				t.Errorf("%d orders, want 1", len(s.Orders()))
			}
		})
	}
}
