package wxsim_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// card cuts one order's card out of a page.
func card(t *testing.T, page, no string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `data-out-trade-no="`+no+`"`)
	if !found {
		return ""
	}
	inside, _, _ := strings.Cut(rest, "</article>")
	return inside
}

// press submits the form of a card by one of its buttons, as a browser would.
func (s *stage) press(page, no, button string) result {
	s.m.t.Helper()
	inside := card(s.m.t, page, no)
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(inside)
	pressed := regexp.MustCompile(`<button [^>]*name="` + button + `"[^>]*>`).FindString(inside)
	if action == nil || pressed == "" {
		s.m.t.Fatalf("no button %s in %q", button, inside)
	}
	target := action[1]
	if other := regexp.MustCompile(`formaction="([^"]+)"`).FindStringSubmatch(pressed); other != nil {
		target = other[1]
	}
	form := url.Values{button: {"1"}}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(inside, -1) {
		form.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	return control(s.m.t, "POST", s.URL()+target, form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Origin", s.URL(), "Sec-Fetch-Site", "same-origin")
}

func (s *stage) page(path string) string {
	s.m.t.Helper()
	r := control(s.m.t, "GET", s.URL()+path, "")
	if r.status != 200 {
		s.m.t.Fatalf("GET %s: %d %s", path, r.status, r.body)
	}
	return string(r.body)
}

func TestPhone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if page := s.page("/"); !strings.Contains(page, `id="empty"`) {
		t.Errorf("empty phone: %s", page)
	}
	s.m.prepay("native", "order-1st", map[string]any{"notify_url": s.rc.url, "description": `<script>alert("x")</script>`})
	s.m.prepay("jsapi", "order-2nd", map[string]any{"notify_url": s.rc.url, "amount": map[string]any{"total": 1234567}})
	page := s.page("/")
	if strings.Index(page, "order-2nd") > strings.Index(page, "order-1st") {
		t.Error("the newest order is not first")
	}
	if first := card(t, page, "order-1st"); !strings.Contains(first, "<b>1.00</b>") || strings.Contains(page, "<script>alert") {
		t.Errorf("card %s", first)
	}
	if second := card(t, page, "order-2nd"); !strings.Contains(second, "<b>12345.67</b>") || !strings.Contains(second, "会员一个月") || !strings.Contains(second, "模拟商户 "+s.Account().MchID) {
		t.Errorf("card %s", second)
	}

	for button, want := range map[string]string{"cancel": "已取消", "fail": "支付失败"} {
		if r := s.press(page, "order-1st", button); r.status != 303 || r.header.Get("Location") != "/" {
			t.Errorf("%s: %d %q", button, r.status, r.header.Get("Location"))
		}
		if c := card(t, s.page("/"), "order-1st"); !strings.Contains(c, `class="last-try">`+want) {
			t.Errorf("after %s: %s", button, c)
		}
	}
	if r := s.press(page, "order-1st", "pay"); r.status != 303 || r.header.Get("Location") != "/" {
		t.Errorf("pay: %d %q", r.status, r.header.Get("Location"))
	}
	if got := s.rc.arrivals(); len(got) != 1 || got[0].genuine != nil || got[0].outTradeNo() != "order-1st" {
		t.Errorf("arrivals %+v", got)
	}
	if c := card(t, s.page("/"), "order-1st"); !strings.Contains(c, "第1次通知已被商户接受") || strings.Contains(c, "<button") {
		t.Errorf("after paying: %s", c)
	}
	if r := s.press(page, "order-1st", "pay"); r.status != 409 || !strings.Contains(string(r.body), "该订单已支付") {
		t.Errorf("paying again: %d %s", r.status, r.body)
	}
	if r := control(t, "POST", s.URL()+"/_phone/pay", "out_trade_no=order-none", "Content-Type", "application/x-www-form-urlencoded"); r.status != 404 {
		t.Errorf("unknown order: %d", r.status)
	}
}

func TestPhoneShowsNotifications(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.rc.answerWith(500)
	s.placePaid("order-refused")
	if c := card(t, s.page("/"), "order-refused"); !strings.Contains(c, "第1次通知没有被接受（500），下一次在 12:00:15") {
		t.Errorf("refused: %s", c)
	}
	s.place("native", "order-quiet")
	if err := s.PayQuietly("order-quiet"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	if c := card(t, s.page("/"), "order-quiet"); !strings.Contains(c, "商户没有收到通知") {
		t.Errorf("quiet: %s", c)
	}
}

// Expired and closed orders cannot be pressed.
func TestPhonePast(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-late", map[string]any{"time_expire": "2026-11-21T12:01:00+08:00"})
	s.place("native", "order-closed")
	s.m.close("order-closed")
	s.Advance(time.Minute)
	page := s.page("/")
	for no, want := range map[string]string{"order-late": "已过支付时间", "order-closed": "订单已关闭"} {
		if c := card(t, page, no); !strings.Contains(c, want) || strings.Contains(c, "<button") {
			t.Errorf("%s: %s", no, c)
		}
	}
}

func TestPhoneScan(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.m.prepay("native", "order-scan", nil).text("code_url")
	code := s.m.prepay("native", "order-scan", nil).text("code_url")
	s.place("native", "order-other")
	prepayID := s.m.prepay("app", "order-app", nil).text("prepay_id")
	h5 := s.m.prepay("h5", "order-h5", nil).text("h5_url")
	scan := func(code string) result { return control(t, "GET", s.URL()+"/?scan="+url.QueryEscape(code), "") }
	for code, no := range map[string]string{code: "order-scan", "  " + code + "\n": "order-scan", prepayID: "order-app", h5: "order-h5"} {
		r := scan(code)
		if c := card(t, string(r.body), no); !strings.Contains(c, `name="pay"`) || strings.Contains(string(r.body), "order-other") {
			t.Errorf("scan %s: %d %s", code, r.status, r.body)
		}
	}
	for _, dead := range []string{first, "weixin://wxpay/bizpayurl?pr=none", "x"} {
		if r := scan(dead); r.status != 404 || !strings.Contains(string(r.body), "无效") {
			t.Errorf("scan %s: %d %s", dead, r.status, r.body)
		}
	}
	s.Advance(2 * time.Hour)
	if r := scan(code); r.status != 404 || !strings.Contains(string(r.body), "已过期") {
		t.Errorf("after two hours: %d %s", r.status, r.body)
	}
	again := s.m.prepay("native", "order-scan", nil).text("code_url")
	if r := scan(again); r.status != 200 {
		t.Errorf("placed again: %d", r.status)
	}
}

// A browser follows h5_url, pays, and comes back to the shop.
func TestPhoneH5(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("h5", "order-h5", map[string]any{"notify_url": s.rc.url})
	o, _ := s.Order("order-h5")
	back := "https://shop.example.com:8443/done?a=1&b=<2>"
	link := o.H5URL + "&redirect_url=" + url.QueryEscape(back)
	r := control(t, "GET", link, "", "Referer", "https://shop.example.com/")
	if r.status != 200 || !strings.Contains(r.header.Get("Content-Security-Policy"), "form-action 'self' https://shop.example.com:8443") || strings.Contains(string(r.body), `id="hint"`) {
		t.Errorf("page: %d %v %s", r.status, r.header, r.body)
	}
	if direct := control(t, "GET", link, ""); !strings.Contains(string(direct.body), "商家参数格式有误") {
		t.Error("a page opened without Referer does not warn")
	}
	for name, bad := range map[string]string{
		"foreign package": strings.Replace(o.H5URL, "package=", "package=1", 1),
		"script":          o.H5URL + "&redirect_url=" + url.QueryEscape("javascript:alert(1)"),
		"header injected": o.H5URL + "&redirect_url=" + url.QueryEscape("https://a;script-src"),
	} {
		if r := control(t, "GET", bad, ""); r.status != 400 || strings.Contains(string(r.body), "<button") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := s.press(string(r.body), "order-h5", "pay"); r.status != 303 || r.header.Get("Location") != back {
		t.Errorf("pay leads to %d %q", r.status, r.header.Get("Location"))
	}
	if got := s.m.query("order-h5").text("trade_state"); got != "SUCCESS" {
		t.Errorf("trade_state %q", got)
	}
	if r := control(t, "GET", link, ""); r.status != 400 || !strings.Contains(string(r.body), "该订单已支付") {
		t.Errorf("after paying: %d %s", r.status, r.body)
	}
}

func TestPhoneH5Expires(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("h5", "order-h5", nil)
	o, _ := s.Order("order-h5")
	s.Advance(5 * time.Minute)
	if r := control(t, "GET", o.H5URL, ""); r.status != 400 || !strings.Contains(string(r.body), "已过期") {
		t.Errorf("after five minutes: %d %s", r.status, r.body)
	}
}

// The page brings everything along and lets nothing else in.
func TestPhoneAssets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-asset")
	r := control(t, "GET", s.URL()+"/", "")
	csp := r.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || regexp.MustCompile(`(?i) style=| on[a-z]+=|<style|https?://`).Match(r.body) {
		t.Errorf("page has inline or foreign parts: %s", r.body)
	}
	if !strings.Contains(string(r.body), `<script src="/_phone/refresh.js" defer></script>`) || !strings.Contains(string(r.body), `<noscript><meta http-equiv="refresh"`) {
		t.Error("the list does not refresh by itself")
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/_phone[^"]+)"`).FindAllStringSubmatch(string(r.body), -1) {
		if got := control(t, "GET", s.URL()+m[1], ""); got.status != http.StatusOK || len(got.body) == 0 {
			t.Errorf("%s: %d", m[1], got.status)
		}
	}
}

// A paid order shows what became of its refunds.
func TestPhoneRefunds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	for i, want := range []string{"已退款 ¥0.10", "退款异常 ¥0.10", "退款已关闭 ¥0.10", "退款处理中 ¥0.10"} {
		status := []string{"SUCCESS", "ABNORMAL", "CLOSED", "PROCESSING"}[i]
		if err := s.DecideRefund("", status); err != nil {
			t.Fatalf("decide: %v", err)
		}
		no := "r-" + status
		s.refund("order-paid", no, 10)
		s.Advance(time.Minute)
		shown := card(t, s.page("/"), "order-paid")
		if !strings.Contains(shown, "转入退款") || !strings.Contains(shown, `data-refund-status="`+status+`"><code>`+no+`</code><span>`+want) {
			t.Errorf("%s: %s", status, shown)
		}
		if !strings.Contains(shown, "第1次通知已被商户接受") {
			t.Errorf("the payment's notification is not shown: %s", shown)
		}
	}
}
