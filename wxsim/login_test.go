package wxsim_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

const someOpenID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

// browser follows nothing, so that a test sees where it is sent.
var browser = &http.Client{
	Transport:     wire,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get asks for a path of the simulator.
func get(t *testing.T, target string, cookies ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", strings.Join(cookies, "; "))
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// session is what an exchange answers.
type session struct {
	ErrCode    int    `json:"errcode"`
	OpenID     string `json:"openid"`
	SessionKey string `json:"session_key"`
	Token      string `json:"access_token"`
	Scope      string `json:"scope"`
	Snapshot   int    `json:"is_snapshotuser"`
}

// asked is the query of an exchange.
func asked(sim *wxsim.Sim, page bool, code string) url.Values {
	a := sim.Account()
	if page {
		return url.Values{"appid": {a.AppIDJSAPI}, "secret": {a.AppSecret}, "code": {code}, "grant_type": {"authorization_code"}}
	}
	return url.Values{"appid": {a.AppID}, "secret": {a.AppSecret}, "js_code": {code}, "grant_type": {"authorization_code"}}
}

// exchange asks for an openid and returns the answer, which is never JSON by
// its name.
func exchange(t *testing.T, sim *wxsim.Sim, page bool, q url.Values) session {
	t.Helper()
	path := "/sns/jscode2session?"
	if page {
		path = "/sns/oauth2/access_token?"
	}
	resp := get(t, sim.URL()+path+q.Encode())
	var s session
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/plain" {
		t.Fatalf("%d %s: %v", resp.StatusCode, resp.Header.Get("Content-Type"), err)
	}
	return s
}

func TestLoginCode(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	code := sim.LoginCode(someOpenID)
	s := exchange(t, sim, false, asked(sim, false, code))
	key, err := base64.StdEncoding.DecodeString(s.SessionKey)
	if s.ErrCode != 0 || s.OpenID != someOpenID || err != nil || len(key) != 16 {
		t.Errorf("%+v: %v", s, err)
	}
	if s := exchange(t, sim, false, asked(sim, false, code)); s.ErrCode != 40163 || s.OpenID != "" {
		t.Errorf("used: %+v", s)
	}
	owner := exchange(t, sim, false, asked(sim, false, sim.LoginCode("")))
	if again := exchange(t, sim, false, asked(sim, false, sim.LoginCode(""))); again.OpenID != owner.OpenID || len(owner.OpenID) != 28 {
		t.Errorf("the phone's owner is %q, then %q", owner.OpenID, again.OpenID)
	}
	if n := sim.Requests("login"); n != 4 {
		t.Errorf("%d calls", n)
	}
}

// TestLoginRefuses changes one thing in a good exchange; the code stays good.
func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	a := sim.Account()
	for _, c := range []struct {
		name, param, value string
		errcode            int
	}{
		{"no appid", "appid", "", 41002},
		{"no secret", "secret", "", 41004},
		{"no code", "js_code", "", 41008},
		{"other grant", "grant_type", "client_credential", 40002},
		{"other appid", "appid", a.AppIDJSAPI, 40013},
		{"other secret", "secret", strings.Repeat("0", 32), 40125},
		{"other code", "js_code", strings.Repeat("c", 32), 40029},
	} {
		code := sim.LoginCode(someOpenID)
		q := asked(sim, false, code)
		q.Set(c.param, c.value)
		if s := exchange(t, sim, false, q); s.ErrCode != c.errcode || s.OpenID != "" || s.SessionKey != "" {
			t.Errorf("%s: %+v, want errcode %d", c.name, s, c.errcode)
		}
		if s := exchange(t, sim, false, asked(sim, false, code)); s.OpenID != someOpenID {
			t.Errorf("%s: afterwards %+v", c.name, s)
		}
	}
}

// TestLoginCodeAges in business time.
func TestLoginCodeAges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	sim := wxsim.Start(t, wxsim.Config{Now: func() time.Time { return now }})
	young, old := sim.LoginCode(someOpenID), sim.LoginCode(someOpenID)
	sim.Advance(5 * time.Minute)
	if s := exchange(t, sim, false, asked(sim, false, young)); s.OpenID != someOpenID {
		t.Errorf("after five minutes: %+v", s)
	}
	sim.Advance(time.Second)
	if s := exchange(t, sim, false, asked(sim, false, old)); s.ErrCode != 40029 {
		t.Errorf("a second later: %+v", s)
	}
}

func TestLoginControl(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	code := func(body string) string {
		r := control(t, "POST", sim.URL()+"/_sim/login", body)
		var got struct{ Code string }
		if err := json.Unmarshal(r.body, &got); err != nil || r.status != 200 || len(got.Code) != 32 {
			t.Fatalf("%s: %d %s", body, r.status, r.body)
		}
		return got.Code
	}
	if s := exchange(t, sim, false, asked(sim, false, code(`{"openid":"`+someOpenID+`"}`))); s.OpenID != someOpenID {
		t.Errorf("%+v", s)
	}
	snapshot := code(`{"openid":"` + someOpenID + `","snapshot":true}`)
	if s := exchange(t, sim, false, asked(sim, false, snapshot)); s.ErrCode != 40029 {
		t.Errorf("a page's code in the mini-program: %+v", s)
	}
	if s := exchange(t, sim, true, asked(sim, true, snapshot)); s.OpenID != someOpenID || s.Snapshot != 1 {
		t.Errorf("%+v", s)
	}
	if s := exchange(t, sim, true, asked(sim, true, code(`{}`))); s.ErrCode != 40029 {
		t.Errorf("a mini-program's code on a page: %+v", s)
	}
	if r := control(t, "POST", sim.URL()+"/_sim/login", `{"openid":"a b"}`); r.status != 400 || !strings.Contains(string(r.body), "openid is not") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// authorize is the URL that a page in WeChat leads to.
func authorize(sim *wxsim.Sim, redirectURI string) string {
	return sim.URL() + "/connect/oauth2/authorize?appid=" + sim.Account().AppIDJSAPI + "&redirect_uri=" + url.QueryEscape(redirectURI) +
		"&response_type=code&scope=snsapi_base&state=Abc123#wechat_redirect"
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t, wxsim.Config{OAuthDomain: "shop.example.com"})
	for _, c := range []struct {
		name, redirectURI string
		cookies           []string
		openid            string // empty: the phone's owner
		snapshot          int
	}{
		{"the phone's owner", "https://shop.example.com/pay/oauth/callback", nil, "", 0},
		{"somebody else", "http://127.0.0.1:8080/pay/oauth/callback", []string{"wxsim_openid=" + someOpenID}, someOpenID, 0},
		{"snapshot", "http://localhost/cb?a=b%20c", []string{"wxsim_openid=" + someOpenID, "wxsim_snapshot=1"}, someOpenID, 1},
	} {
		resp := get(t, authorize(sim, c.redirectURI), c.cookies...)
		back, err := resp.Location()
		if err != nil || resp.StatusCode != http.StatusFound {
			t.Fatalf("%s: %d %v", c.name, resp.StatusCode, err)
		}
		code := back.Query().Get("code")
		sep := "?"
		if strings.Contains(c.redirectURI, "?") {
			sep = "&"
		}
		if want := c.redirectURI + sep + "code=" + code + "&state=Abc123"; back.String() != want || len(code) != 32 {
			t.Errorf("%s: back to %s, want %s", c.name, back, want)
		}
		s := exchange(t, sim, true, asked(sim, true, code))
		if s.ErrCode != 0 || c.openid != "" && s.OpenID != c.openid || len(s.OpenID) != 28 || s.Snapshot != c.snapshot || s.Token == "" || s.Scope != "snsapi_base" || s.SessionKey != "" {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t, wxsim.Config{OAuthDomain: "shop.example.com"})
	strict := wxsim.Start(t)
	good := authorize(sim, "https://shop.example.com/cb")
	replaced := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in %s", old, good)
		}
		return strings.Replace(good, old, with, 1)
	}
	for _, c := range []struct{ name, target, says string }{
		{"other host", authorize(sim, "https://evil.example.com/cb"), "10003"},
		{"sub-domain", authorize(sim, "https://m.shop.example.com/cb"), "10003"},
		{"port", authorize(sim, "https://shop.example.com:8443/cb"), "10003"},
		{"user", authorize(sim, "https://shop.example.com@evil.example.com/cb"), "10003"},
		{"no scheme", authorize(sim, "shop.example.com/cb"), "10003"},
		{"no domain configured", authorize(strict, "https://shop.example.com/cb"), "10003"},
		{"the mini-program", replaced(sim.Account().AppIDJSAPI, sim.Account().AppID), "10005"},
		{"other scope", replaced("snsapi_base", "snsapi_login"), "10005"},
		{"other order", replaced("response_type=code&scope=snsapi_base", "scope=snsapi_base&response_type=code"), "依次"},
		{"one parameter more", replaced("&state=", "&x=1&state="), "依次"},
		{"other response_type", replaced("=code", "=token"), "response_type"},
		{"state with a dash", replaced("Abc123", "Abc-123"), "state"},
		{"state too long", replaced("Abc123", strings.Repeat("a", 129)), "state"},
	} {
		resp := get(t, c.target)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 400 || resp.Header.Get("Location") != "" || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
	for _, path := range []string{"/sns/jscode2session", "/sns/oauth2/access_token", "/connect/oauth2/authorize"} {
		if r := control(t, "POST", sim.URL()+path, "{}"); r.status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, r.status)
		}
	}
}

// struck asks for a path under a fault, and leaves when the simulator has done
// what it does; nil when there is no answer.
func struck(t *testing.T, sim *wxsim.Sim, path string) *http.Response {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	t.Cleanup(leave)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sim.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for ctx.Err() == nil {
			if calls := sim.Calls(); calls[len(calls)-1].Fault == "timeout" {
				leave()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	resp, err := (&http.Client{Transport: new(http.Transport)}).Do(req)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestLoginFaults: what each answers, and whether the code is used up by it.
func TestLoginFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		body  string // of the answer; "-": there is none
		used  bool
	}{
		{"status_500", "500 ", false},
		{"status_429", "429 ", false},
		{"busy", `200 {"errcode":-1,"errmsg":"system error"}`, false},
		{"risky", `200 {"errcode":40226,"errmsg":"code blocked"}`, false},
		{"rate", `200 {"errcode":45011,"errmsg":"api minute-quota reach limit"}`, false},
		{"reset", "-", true},
		{"timeout", "-", true},
		{"garbage", "200 <html>微信", true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			sim := wxsim.Start(t)
			bad := asked(sim, false, sim.LoginCode(someOpenID))
			bad.Set("secret", "none")
			sim.Fault(wxsim.Fault{Target: "login", Fault: c.fault, Count: 1})
			if s := exchange(t, sim, false, bad); s.ErrCode != 40125 {
				t.Errorf("a stranger: %+v", s)
			}
			q := asked(sim, false, sim.LoginCode(someOpenID))
			got := "-"
			if resp := struck(t, sim, "/sns/jscode2session?"+q.Encode()); resp != nil {
				body, _ := io.ReadAll(resp.Body)
				got = fmt.Sprintf("%d %s", resp.StatusCode, body)
			}
			if got != c.body {
				t.Errorf("answer %q, want %q", got, c.body)
			}
			want := session{OpenID: someOpenID}
			if c.used {
				want = session{ErrCode: 40163}
			}
			if s := exchange(t, sim, false, q); s.ErrCode != want.ErrCode || s.OpenID != want.OpenID {
				t.Errorf("afterwards %+v, want %+v", s, want)
			}
		})
	}
}
