package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

var products = []string{"app", "jsapi", "miniprogram", "h5", "native"}

func TestPrepay(t *testing.T) {
	t.Parallel()
	o := start(t)
	request := []string{"nonceStr", "package", "paySign", "signType", "timeStamp"}
	for product, pay := range map[string][]string{
		"app":         {"appid", "noncestr", "package", "partnerid", "prepayid", "sign", "timestamp"},
		"jsapi":       append([]string{"appId"}, request...),
		"miniprogram": request,
		"h5":          nil,
		"native":      nil,
	} {
		placed := o.buy(product, "xiaoming")
		if got := slices.Sorted(maps.Keys(placed.Pay)); !slices.Equal(got, pay) {
			t.Errorf("%s: pay has %v, want %v", product, got, pay)
		}
		for what, got := range map[string]bool{
			"out_trade_no": placed.OutTradeNo != "",
			"prepay_id":    (placed.PrepayID != "") == (pay != nil),
			"h5_url":       strings.HasPrefix(placed.H5URL, o.phone) == (product == "h5"),
			"code_url":     strings.HasPrefix(placed.CodeURL, "weixin://wxpay/bizpayurl") == (product == "native"),
			"qr_url":       (placed.QRURL == "/pay/orders/"+placed.OutTradeNo+"/qr.svg") == (product == "native"),
		} {
			if !got {
				t.Errorf("%s: wrong %s in %+v", product, what, placed)
			}
		}
	}
}

func TestPay(t *testing.T) {
	t.Parallel()
	o := start(t)
	for i, product := range products {
		placed := o.buy(product, "xiaoming")
		if got := o.payStatus("xiaoming", placed.OutTradeNo); got != 0 {
			t.Fatalf("%s: pay_status is %d before the payment", product, got)
		}
		o.pay(placed.OutTradeNo)
		if got := o.payStatus("xiaoming", placed.OutTradeNo); got != 1 {
			t.Fatalf("%s: pay_status is %d after the payment", product, got)
		}
		eventually(t, product+" is granted", func() bool { return o.me("xiaoming").Grants == i+1 })
	}
	until, err := time.Parse(time.RFC3339, o.me("xiaoming").VIPUntil)
	if err != nil {
		t.Fatal(err)
	}
	if days := time.Until(until).Hours() / 24; days < 5*28-1 || days > 5*31+1 {
		t.Errorf("five months end in %.0f days", days)
	}
	if other := o.me("xiaohong"); other != (profile{User: "xiaohong"}) {
		t.Errorf("somebody who bought nothing: %+v", other)
	}
}

func TestSignedOut(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.buy("native", "xiaoming").OutTradeNo
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/me", ""},
		{"POST", "/pay/prepay/native", `{"goods_id":"vip-month"}`},
		{"GET", "/pay/orders/" + no, ""},
		{"POST", "/pay/orders/" + no + "/close", ""},
	} {
		a := o.do(c.method, c.path, "", c.body)
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"code":401`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	a := o.do("GET", "/order?no="+no, "", "")
	if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `action="/login"`) {
		t.Errorf("order page: %d", a.status)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	o := start(t)
	form := func(user string, header ...string) answer {
		return o.do("POST", "/login", "", "user="+url.QueryEscape(user), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
	}
	for _, user := range []string{"xiaoming", "小明", `a"b;c,d e+f%20<g>`} {
		a := form(user)
		cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		if cookie.Name != "shop_user" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
			t.Errorf("%q: cookie %v", user, cookie)
		}
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
			t.Errorf("%q: %d to %q", user, a.status, a.header.Get("Location"))
		}
		if got := into[profile](o.do("GET", "/me", "", "", "Cookie", "shop_user="+cookie.Value)); got.User != user {
			t.Errorf("%q is signed in as %q", user, got.User)
		}
	}
	for _, user := range []string{"", "  ", strings.Repeat("长", 65)} {
		if a := form(user); a.status != http.StatusBadRequest || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%q: %d", user, a.status)
		}
	}
	if a := form("xiaoming", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("another site signs somebody in: %d", a.status)
	}
	if a := o.do("POST", "/logout", "xiaoming", ""); !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out: %v", a.header)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.pay(o.buy("native", "xiaoming").OutTradeNo)
	a := o.do("GET", "/metrics", "", "")
	if a.status != http.StatusOK || !strings.Contains(a.body, "wxpay_request_duration_seconds") {
		t.Errorf("%d without the kit's metrics", a.status)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		says string // empty: they are fine
	}{
		{"defaults", nil, ""},
		{"free ports", []string{"-addr", "127.0.0.1:0", "-sim-addr", "127.0.0.1:0"}, ""},
		{"seconds to pay", []string{"-order-ttl", "10s"}, ""},
		{"no time to pay", []string{"-order-ttl", "0"}, "-order-ttl"},
		{"less than none", []string{"-order-ttl", "-1m"}, "-order-ttl"},
		{"no duration", []string{"-order-ttl", "soon"}, "-order-ttl"},
		{"unknown flag", []string{"-port", "80"}, "-port"},
		{"argument", []string{"shop.db"}, "shop.db"},
	} {
		var out bytes.Buffer
		args := append([]string{"-db", "x.db"}, c.args...)
		if _, err := readFlags(args, &out); (err != nil) != (c.says != "") || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: %v, said %q", c.name, err, out.String())
		}
	}
	if _, err := readFlags([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func TestDefaultDatabase(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("LocalAppData", home)
	conf, err := readFlags(nil, t.Output())
	if err != nil || !strings.HasPrefix(conf.db, home) {
		t.Errorf("%q, %v", conf.db, err)
	}
	if conf.addr != "127.0.0.1:8080" || conf.simAddr != "127.0.0.1:9090" || conf.orderTTL != 30*time.Minute {
		t.Errorf("defaults %+v", conf)
	}
}

// TestCannotOpen starts shops that must say why they do not open.
func TestCannotOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fine := config{addr: "127.0.0.1:0", simAddr: "127.0.0.1:0", orderTTL: time.Minute}
	var real []string // WeChat Pay's own address, which gives a customer a minute at least
	for _, v := range environment(t, wxsim.Start(t), "https://shop.example.com") {
		if !strings.HasPrefix(v, "WXPAY_API_BASE=") {
			real = append(real, v)
		}
	}
	for _, c := range []struct {
		name string
		conf func(*config)
		env  []string
		says string
	}{
		{"address is taken", func(c *config) { c.addr = taken.Addr().String() }, nil, "address already in use"},
		{"simulator's address is taken", func(c *config) { c.simAddr = taken.Addr().String() }, nil, "address already in use"},
		{"no directory for the database", func(c *config) { c.db = filepath.Join(c.db, "in", "nowhere") }, nil, "directory"},
		{"too little time for WeChat Pay", func(c *config) { c.orderTTL = 10 * time.Second }, real, "OrderTTL is 10s"},
		{"half an account", func(*config) {}, []string{"WXPAY_MCHID=1900000001"}, "WXPAY_PRIVATE_KEY_FILE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range c.env {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			conf := fine
			conf.db = filepath.Join(t.TempDir(), "shop.db")
			c.conf(&conf)
			if err := run(t.Context(), conf, io.Discard); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("ended with %v, want something with %q", err, c.says)
			}
		})
	}
}

// TestClose ends a shop and opens it again on the same file.
func TestClose(t *testing.T) {
	t.Parallel()
	conf := config{addr: "127.0.0.1:0", simAddr: "127.0.0.1:0", orderTTL: time.Minute, db: filepath.Join(t.TempDir(), "shop.db")}
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		out, in := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, conf, in) }()
		o := &site{t: t}
		o.read(out)
		cancel()
		if err := <-ended; err != nil {
			t.Fatalf("ended with %v", err)
		}
		if conn, err := net.Dial("tcp", strings.TrimPrefix(o.url, "http://")); err == nil {
			conn.Close()
			t.Error("somebody still listens")
		}
	}
}
