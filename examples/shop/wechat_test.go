package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const customer = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

// signedIn is the user of the session that an answer begins.
func signedIn(t *testing.T, a answer) string {
	t.Helper()
	for _, line := range a.header["Set-Cookie"] {
		cookie, err := http.ParseSetCookie(line)
		if err == nil && cookie.Name == sessionCookie && cookie.HttpOnly && cookie.Path == "/" {
			user, err := url.PathUnescape(cookie.Value)
			if err != nil {
				t.Fatal(err)
			}
			return user
		}
	}
	t.Fatalf("nobody is signed in by %d %s", a.status, a.body)
	return ""
}

// TestMiniProgramLogin: wx.login, login, prepay without an openid, pay, member.
func TestMiniProgramLogin(t *testing.T) {
	t.Parallel()
	o := start(t)
	code := into[struct{ Code string }](o.do("POST", o.phone+"_sim/login", "", `{"openid":"`+customer+`"}`)).Code
	user := signedIn(t, o.do("POST", "/pay/login", "", `{"code":"`+code+`"}`))
	placed := into[envelope](o.do("POST", "/pay/prepay/miniprogram", user, `{"goods_id":"vip-month"}`)).Data
	o.pay(placed.OutTradeNo)
	eventually(t, "the membership", func() bool { return o.me(user).Grants == 1 })
	if a := o.do("POST", "/pay/prepay/miniprogram", user, `{"goods_id":"vip-month","openid":"`+strings.Repeat("o", 28)+`"}`); a.status != http.StatusForbidden {
		t.Errorf("somebody else's openid: %d %s", a.status, a.body)
	}
	if a := o.do("POST", "/pay/prepay/jsapi", user, `{"goods_id":"vip-month"}`); a.status != http.StatusBadRequest {
		t.Errorf("under another appid: %d %s", a.status, a.body)
	}
}

// TestPageLogin goes the way of a page inside WeChat.
func TestPageLogin(t *testing.T) {
	t.Parallel()
	o := start(t)
	away := o.do("GET", "/pay/oauth/start?redirect=/me", "", "")
	cookie, _, _ := strings.Cut(away.header.Get("Set-Cookie"), ";")
	back := o.do("GET", away.header.Get("Location"), "", "", "Cookie", "wxsim_openid="+customer)
	home := o.do("GET", back.header.Get("Location"), "", "", "Cookie", cookie)
	user := signedIn(t, home)
	if to := home.header.Get("Location"); to != "/me" || !strings.HasSuffix(user, openIDMark+customer) {
		t.Fatalf("%q is sent to %q", user, to)
	}
	placed := into[envelope](o.do("POST", "/pay/prepay/jsapi", user, `{"goods_id":"vip-month"}`)).Data
	o.pay(placed.OutTradeNo)
	eventually(t, "the membership", func() bool { return o.me(user).Grants == 1 })
}
