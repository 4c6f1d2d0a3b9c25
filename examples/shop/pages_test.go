package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// inline is what the content security policy would stop.
var inline = regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:\s[^>]*)?>\s*[^<\s]|<script>|\son[a-z]+=|javascript:|https?://[^"]*\.(?:js|css)`)

// page fetches a page and holds it against what all of them promise.
func page(t *testing.T, o *site, path, user string, status int) string {
	t.Helper()
	a := o.do("GET", path, user, "")
	if a.status != status {
		t.Fatalf("GET %s is %d, want %d", path, a.status, status)
	}
	csp := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("GET %s: no %s in the policy %q", path, want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || inline.MatchString(a.body) {
		t.Errorf("GET %s: something inline: %q, %q", path, csp, inline.FindString(a.body))
	}
	for header, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if got := a.header.Get(header); got != want {
			t.Errorf("GET %s: %s is %q", path, header, got)
		}
	}
	for _, want := range []string{`<html lang="zh-CN">`, `name="viewport"`, `href="/assets/style.css"`, "<main"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("GET %s: no %s", path, want)
		}
	}
	return a.body
}

// contains fails the test for everything that a page lacks.
func contains(t *testing.T, body string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(body, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func lacks(t *testing.T, body string, not ...string) {
	t.Helper()
	for _, n := range not {
		if strings.Contains(body, n) {
			t.Errorf("the page has %q", n)
		}
	}
}

func TestHomePage(t *testing.T) {
	t.Parallel()
	o := start(t)
	stranger := page(t, o, "/", "", http.StatusOK)
	contains(t, stranger, `action="/login"`, `value="xiaoming"`, "1个月会员", "1.00", "12个月会员", `data-openid=""`)
	lacks(t, stranger, "我的会员记录", "退出")

	signedIn := page(t, o, "/", "xiaoming", http.StatusOK)
	contains(t, signedIn, "xiaoming", "退出", "还不是会员", `href="`+o.phone+`"`, "<noscript>", `data-openid="`+openID("xiaoming")+`"`)
	for _, product := range products {
		contains(t, signedIn, `data-product="`+product+`"`)
	}
	no := o.buy("native", "xiaoming").OutTradeNo
	o.pay(no)
	eventually(t, "the membership is granted", func() bool { return o.me("xiaoming").Grants == 1 })
	member := page(t, o, "/", "xiaoming", http.StatusOK)
	contains(t, member, "会员有效期至", `href="/order?no=`+no+`"`)

	const name = `<script>alert("1")</script>`
	contains(t, page(t, o, "/", name, http.StatusOK), "&lt;script&gt;")
}

func TestOrderPage(t *testing.T) {
	t.Parallel()
	o := start(t)
	for product, want := range map[string][]string{
		"native":      {`/qr.svg"`, "微信扫码"},
		"h5":          {`id="h5"`, "去微信支付"},
		"miniprogram": {`id="sign"`, "小程序"},
		"jsapi":       {`id="sign"`, "公众号"},
		"app":         {`id="sign"`, "App"},
	} {
		no := o.buy(product, "xiaoming").OutTradeNo
		body := page(t, o, "/order?no="+no, "xiaoming", http.StatusOK)
		contains(t, body, no, "等待支付", "1个月会员", "1.00", `href="`+o.phone+`?scan=`, `id="cancel"`, `data-state="waiting"`)
		contains(t, body, want...)
	}
}

// TestOrderPageWithoutScripts reads what a browser without JavaScript shows,
// from the order to the membership.
func TestOrderPageWithoutScripts(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.buy("native", "xiaoming").OutTradeNo
	path := "/order?no=" + no
	const reload = `<noscript><meta http-equiv="refresh"`
	contains(t, page(t, o, path, "xiaoming", http.StatusOK), "等待支付", reload, "手动刷新")
	o.pay(no)
	contains(t, page(t, o, path, "xiaoming", http.StatusOK), "支付成功")
	eventually(t, "the membership is granted", func() bool { return o.me("xiaoming").Grants == 1 })
	paid := page(t, o, path, "xiaoming", http.StatusOK)
	contains(t, paid, "会员已开通", "微信单号")
	lacks(t, paid, reload, "qr.svg", `id="cancel"`)

	cancelled := o.buy("native", "xiaoming").OutTradeNo
	if a := o.do("POST", "/pay/orders/"+cancelled+"/close", "xiaoming", ""); a.status != http.StatusOK {
		t.Fatalf("close: %d %s", a.status, a.body)
	}
	closed := page(t, o, "/order?no="+cancelled, "xiaoming", http.StatusOK)
	contains(t, closed, "订单已关闭")
	lacks(t, closed, reload, "qr.svg", `id="cancel"`)
}

func TestExpiredOrderPage(t *testing.T) {
	t.Parallel()
	o := start(t, "-order-ttl", "1s")
	no := o.buy("native", "xiaoming").OutTradeNo
	eventually(t, "the order expires", func() bool {
		return strings.Contains(page(t, o, "/order?no="+no, "xiaoming", http.StatusOK), "支付时间已过")
	})
	lacks(t, page(t, o, "/order?no="+no, "xiaoming", http.StatusOK), "qr.svg")
}

// TestForeignOrderPage looks the same as an order that does not exist.
func TestForeignOrderPage(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.buy("native", "xiaoming").OutTradeNo
	foreign := page(t, o, "/order?no="+no, "xiaohong", http.StatusNotFound)
	nothing := page(t, o, "/order?no=k0000000", "xiaohong", http.StatusNotFound)
	if foreign != nothing {
		t.Error("the page tells foreign orders from none")
	}
	page(t, o, "/order", "xiaohong", http.StatusNotFound)
}

func TestAssets(t *testing.T) {
	t.Parallel()
	o := start(t)
	for path, kind := range map[string]string{
		"/assets/style.css": "text/css; charset=utf-8", "/assets/shop.js": "text/javascript; charset=utf-8", "/assets/icon.svg": "image/svg+xml",
	} {
		if a := o.do("GET", path, "", ""); a.status != http.StatusOK || a.header.Get("Content-Type") != kind {
			t.Errorf("GET %s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/assets/nothing.css", "/assets/../pages/home.html", "/assets/%2e%2e/pages/home.html", "/pages/home.html", "/nothing"} {
		if a := o.do("GET", path, "", ""); a.status == http.StatusOK {
			t.Errorf("GET %s is %d", path, a.status)
		}
	}
}
