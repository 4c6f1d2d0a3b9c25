package wxsim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const shopURL = "https://shop.example.com/pay/notify/v2"

// What each trade_type is answered with, under both ways to sign.
func TestV2Order(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	for i, c := range []struct{ tradeType, product, extra, begins string }{
		{"JSAPI", "jsapi", "", ""},
		{"NATIVE", "native", "code_url", "weixin://wxpay/bizpayurl?pr="},
		{"APP", "app", "", ""},
		{"MWEB", "h5", "mweb_url", s.URL() + "/h5?prepay_id="},
	} {
		for _, m.signType = range []string{"", "MD5", "HMAC-SHA256"} {
			no := fmt.Sprint("order-", i, m.signType)
			fields := orderV2(c.tradeType, no, shopURL)
			if c.tradeType == "APP" {
				fields["appid"] = m.account.AppIDApp
			}
			r, err := m.post("/pay/unifiedorder", textV2(m.signed(fields)))
			if err != nil || r.code() != "" || r.fields["sign"] != signV2(r.fields, m.signType, m.key) {
				t.Fatalf("%s: %s %v", no, r.body, err)
			}
			o, _ := s.Order(no)
			if r.fields["trade_type"] != c.tradeType || r.fields["prepay_id"] != o.PrepayID || len(o.PrepayID) != 36 {
				t.Errorf("%s: %s", no, r.body)
			}
			want := 9
			if c.extra != "" {
				want++
			}
			if !strings.HasPrefix(r.fields[c.extra], c.begins) || len(r.fields) != want {
				t.Errorf("%s: %d elements, want %d: %s", no, len(r.fields), want, r.body)
			}
			if o.API != "v2" || o.Product != c.product || o.Total != 100 || o.TradeState != "NOTPAY" || o.NotifyURL != shopURL {
				t.Errorf("%s: %+v", no, o)
			}
		}
	}
}

// Each case changes one thing in a good order; nothing is placed.
func TestV2OrderRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	a := s.Account()
	for _, c := range []struct {
		name, tradeType string
		change          []string
		want            string
	}{
		{"no appid", "NATIVE", []string{"appid", ""}, "缺少参数appid"},
		{"foreign appid", "NATIVE", []string{"appid", "wx0000000000000000"}, "appid和mch_id不匹配"},
		{"app's appid", "JSAPI", []string{"appid", a.AppIDApp}, "appid和mch_id不匹配"},
		{"foreign merchant", "NATIVE", []string{"mch_id", "1600000000"}, "商户号mch_id不存在"},
		{"no nonce", "NATIVE", []string{"nonce_str", ""}, "缺少参数nonce_str"},
		{"long nonce", "NATIVE", []string{"nonce_str", strings.Repeat("n", 33)}, "nonce_str参数长度有误"},
		{"unknown sign_type", "NATIVE", []string{"sign_type", "SHA1"}, "签名错误"},
		{"no trade_type", "NATIVE", []string{"trade_type", ""}, "缺少参数trade_type"},
		{"unknown trade_type", "NATIVE", []string{"trade_type", "MICROPAY"}, "trade_type不正确"},
		{"no body", "NATIVE", []string{"body", ""}, "缺少参数body"},
		{"long body", "NATIVE", []string{"body", strings.Repeat("长", 128)}, "body的长度应为1到127个字符"},
		{"no number", "NATIVE", []string{"out_trade_no", ""}, "缺少参数out_trade_no"},
		{"wrong number", "NATIVE", []string{"out_trade_no", "order 1"}, "out_trade_no只能是数字、大小写字母和_-|*"},
		{"no total", "NATIVE", []string{"total_fee", ""}, "缺少参数total_fee"},
		{"nothing to pay", "NATIVE", []string{"total_fee", "0"}, "invalid total_fee"},
		{"yuan", "NATIVE", []string{"total_fee", "1.00"}, "invalid total_fee"},
		{"huge total", "NATIVE", []string{"total_fee", "9223372036854775808"}, "invalid total_fee"},
		{"dollars", "NATIVE", []string{"fee_type", "USD"}, "取值应为CNY之一"},
		{"no address", "NATIVE", []string{"spbill_create_ip", ""}, "缺少参数spbill_create_ip"},
		{"v3 time", "NATIVE", []string{"time_expire", "2026-11-21T13:00:00+08:00"}, "time_expire的长度应为1到14个字符"},
		{"no such day", "NATIVE", []string{"time_expire", "20261131000000"}, "时间格式应为yyyyMMddHHmmss"},
		{"notify_url with query", "NATIVE", []string{"notify_url", shopURL + "?a=1"}, "notify_url不能携带参数"},
		{"no product_id", "NATIVE", []string{"product_id", ""}, "缺少参数product_id"},
		{"no openid", "JSAPI", []string{"openid", ""}, "JSAPI支付必须传openid"},
		{"no scene", "MWEB", []string{"scene_info", ""}, "缺少参数scene_info"},
		{"scene without h5_info", "MWEB", []string{"scene_info", `{"h5":{}}`}, "scene_info应为含h5_info的JSON"},
	} {
		full := with(m.signed(orderV2(c.tradeType, "order-refused", shopURL)), c.change...)
		full["sign"] = signV2(full, "MD5", m.key)
		r, err := m.post("/pay/unifiedorder", textV2(full))
		if err != nil || r.code() != "FAIL "+c.want {
			t.Errorf("%s: %s %v, want %s", c.name, r.body, err, c.want)
		}
		m.check(c.name, r)
	}
	if got := s.Orders(); len(got) != 0 {
		t.Errorf("orders %+v", got)
	}
}

// What is refused before anything is read, with a signature, and what the sign
// covers.
func TestV2Unheard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	good := m.signed(orderV2("NATIVE", "order-unheard", shopURL))
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "post数据为空"},
		{"json", `{"a":1}`, "XML格式错误"},
		{"document type", "<!DOCTYPE xml>" + textV2(good), "XML格式错误"},
		{"not UTF-8", strings.Replace(textV2(good), "会员", "\xbb\xe1", 1), "编码格式错误，请使用UTF-8"},
		{"too large", "<xml>" + strings.Repeat(" ", 64<<10) + "</xml>", "XML过大"},
		{"no sign", textV2(with(good, "sign", "")), "缺少参数sign"},
		{"lower-case sign", textV2(with(good, "sign", strings.ToLower(good["sign"]))), "签名错误"},
		{"another total", textV2(with(good, "total_fee", "1")), "签名错误"},
		{"an element more", textV2(with(good, "attach", "x")), "签名错误"},
		{"the other way to sign", textV2(with(good, "sign", signV2(good, "HMAC-SHA256", m.key))), "签名错误"},
		{"the other key", textV2(with(good, "sign", signV2(good, "MD5", m.account.APIv3Key))), "签名错误"},
	} {
		r, err := m.post("/pay/unifiedorder", c.text)
		if err != nil || r.code() != "FAIL "+c.want {
			t.Errorf("%s: %s %v, want %s", c.name, r.body, err, c.want)
		}
		m.check(c.name, r)
	}
	resp, err := m.http.Get(m.base + "/pay/unifiedorder")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET: %v %v", resp, err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if got := readV2(string(body)); got["return_code"] != "FAIL" || got["return_msg"] != "请使用post方法" {
		t.Errorf("GET: %s", body)
	}
	for _, c := range s.Calls() {
		if c.Authorized || c.Target != "prepay" || c.Status != 200 {
			t.Errorf("journal %+v", c)
		}
	}
	if got := s.Orders(); len(got) != 0 {
		t.Errorf("orders %+v", got)
	}
	// An empty element is not signed, one that nobody knows is.
	full := m.signed(with(orderV2("NATIVE", "order-heard", shopURL), "version", "1.0"))
	full["attach"] = ""
	if r, err := m.post("/pay/unifiedorder", textV2(full)); err != nil || r.code() != "" {
		t.Errorf("heard: %s %v", r.body, err)
	}
}

// The same number again: with the same parameters it gets fresh credentials,
// whatever the nonce and the way to sign.
func TestV2OrderAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	fields := with(orderV2("NATIVE", "order-again", shopURL), "time_expire", "20261121123000")
	first := m.call("/pay/unifiedorder", fields)
	m.signType = "HMAC-SHA256"
	second := m.call("/pay/unifiedorder", fields)
	m.signType = ""
	if first.code() != "" || second.code() != "" || first.fields["prepay_id"] == second.fields["prepay_id"] || first.fields["code_url"] == second.fields["code_url"] {
		t.Errorf("%s\n%s", first.body, second.body)
	}
	if o, _ := s.Order("order-again"); !o.TimeExpire.Equal(noon.Add(30*time.Minute)) || o.Prepays != 2 {
		t.Errorf("order %+v", o)
	}
	for name, change := range map[string][]string{
		"another total": {"total_fee", "1"}, "one more": {"attach", "x"}, "another product": {"trade_type", "MWEB", "scene_info", `{"h5_info":{}}`},
	} {
		if r := m.call("/pay/unifiedorder", with(fields, change...)); r.code() != "OUT_TRADE_NO_USED" {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	if r := s.m.call("POST", transactions+"native", s.m.order("native", "order-again", nil)); r.code() != "OUT_TRADE_NO_USED" {
		t.Errorf("by API v3: %s", r.body)
	}
	s.placePaid("order-paid")
	for no, want := range map[string]string{"order-paid": "ORDERPAID", "order-again": "ORDERCLOSED"} {
		s.Advance(31 * time.Minute)
		if r := m.call("/pay/unifiedorder", with(fields, "out_trade_no", no)); r.code() != want {
			t.Errorf("%s: %s, want %s", no, r.body, want)
		}
	}
}
