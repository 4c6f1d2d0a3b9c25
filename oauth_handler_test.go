package wxpay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// phone is a browser in WeChat: it keeps cookies and follows nothing by itself.
type phone struct {
	jar    *cookiejar.Jar
	openid string
	extra  string // more cookies for the simulator
}

func newPhone(t testing.TB, openid string) *phone {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &phone{jar: jar, openid: openid}
}

// visit opens a URL or a path of the shop; a nil phone has no cookies.
func (s *shop) visit(p *phone, target string, header ...string) reply {
	s.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.url + target
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	browser := &http.Client{Transport: wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if p != nil {
		browser.Jar = p.jar
		if strings.HasPrefix(target, s.sim.URL()) {
			req.Header.Set("Cookie", "wxsim_openid="+p.openid+p.extra)
		}
	}
	resp, err := browser.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
}

// sent is where an answer sends the browser.
func (s *shop) sent(r reply) string {
	s.t.Helper()
	if r.status != http.StatusFound || r.header.Get("Location") == "" {
		s.t.Fatalf("not sent on: %d %s", r.status, r.raw)
	}
	return r.header.Get("Location")
}

// leaves opens /oauth/start and WeChat, and returns the callback's URL.
func (s *shop) leaves(p *phone, redirect string) string {
	s.t.Helper()
	return s.sent(s.visit(p, s.sent(s.visit(p, "/pay/oauth/start?redirect="+url.QueryEscape(redirect)))))
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	p := newPhone(t, aliceOpenID)

	r := s.visit(p, "/pay/oauth/start?redirect="+url.QueryEscape("/vip?from=wechat#buy"))
	form := regexp.MustCompile("^" + regexp.QuoteMeta(s.sim.URL()+"/connect/oauth2/authorize?appid="+s.sim.Account().AppIDJSAPI+
		"&redirect_uri="+url.QueryEscape(s.url+"/pay/oauth/callback")+"&response_type=code&scope=snsapi_base&state=") + `([0-9A-Za-z]{26})#wechat_redirect$`)
	state := form.FindStringSubmatch(s.sent(r))
	if state == nil {
		t.Fatalf("sent to %s", r.header.Get("Location"))
	}
	cookie := regexp.MustCompile(`^wxpay_oauth_` + state[1] + `=[0-9A-Za-z_-]+; Path=/pay; Max-Age=600; HttpOnly; SameSite=Lax$`)
	if !cookie.MatchString(r.header.Get("Set-Cookie")) || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", r.header)
	}

	back := s.sent(s.visit(p, s.sent(r)))
	r = s.visit(p, back, "X-User", "u1")
	if to := s.sent(r); to != "/vip?from=wechat#buy" || r.header.Get("Referrer-Policy") != "no-referrer" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("sent to %s with %v", to, r.header)
	}
	want := wxpay.Login{AppID: s.sim.Account().AppIDJSAPI, OpenID: aliceOpenID, Product: orderstore.JSAPI, UserID: "u1"}
	if came := g.all(); len(came) != 1 || came[0] != want {
		t.Errorf("the app heard %+v, want %+v", came, want)
	}
	if cookies := strings.Join(r.header["Set-Cookie"], "\n"); !strings.Contains(cookies, "session=of-"+aliceOpenID) {
		t.Errorf("cookies %s", cookies)
	}
}

// TestOAuthWithoutRedirect gives the page its openid.
func TestOAuthWithoutRedirect(t *testing.T) {
	t.Parallel()
	s, _ := openWithGuests(t)
	p := newPhone(t, aliceOpenID)
	back := s.leaves(p, "")
	if r := s.visit(p, back); r.status != 200 || r.raw != `{"code":200,"data":{"openid":"`+aliceOpenID+`"},"msg":"登录成功"}`+"\n" {
		t.Errorf("%d %s", r.status, r.raw)
	}
}

// TestOAuthSecureCookie: a page on https has a cookie that stays there, also
// behind a proxy that ends TLS.
func TestOAuthSecureCookie(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, notify, callback, redirectURI, cookie string }{
		{"notify URL", "https://shop.example.com/pay/notify", "", "https://shop.example.com/deep/pay/oauth/callback", "Path=/deep/pay; Max-Age=600; HttpOnly; Secure; SameSite=Lax"},
		{
			"option", "https://api.example.com/pay/notify", "https://m.example.com/wx/oauth/callback", "https://m.example.com/wx/oauth/callback",
			"Path=/wx; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"path of one's own", "https://api.example.com/pay/notify", "https://m.example.com/back", "https://m.example.com/back",
			"Path=/back; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { o.NotifyURL, o.OAuthRedirectURL = c.notify, c.callback })
			s.mux.Handle("/deep/", http.StripPrefix("/deep/pay", s.kit))
			r := s.visit(nil, "/deep/pay/oauth/start")
			to, err := url.Parse(s.sent(r))
			if err != nil || to.Query().Get("redirect_uri") != c.redirectURI {
				t.Errorf("redirect_uri %q, want %q", to.Query().Get("redirect_uri"), c.redirectURI)
			}
			if _, attributes, _ := strings.Cut(r.header.Get("Set-Cookie"), "; "); attributes != c.cookie {
				t.Errorf("cookie %q, want %q", attributes, c.cookie)
			}
		})
	}
}

// TestOAuthElsewhere: no address of another site is where a login ends.
func TestOAuthElsewhere(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, redirect := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example", "evil.example",
		"javascript:alert(1)", " /x", "/a b", "/会员", "/\x00", "/\x7f", "/" + strings.Repeat("a", 512), `/a\b`, "?x", "#x",
	} {
		r := s.visit(nil, "/pay/oauth/start?redirect="+url.QueryEscape(redirect))
		if r.status != 400 || !strings.Contains(r.raw, "参数redirect格式错误") || r.header.Get("Set-Cookie") != "" {
			t.Errorf("%q: %d %s", redirect, r.status, r.raw)
		}
	}
}

// TestOAuthCallbackRefuses: WeChat is not asked, and nobody is signed in.
func TestOAuthCallbackRefuses(t *testing.T) {
	t.Parallel()
	const over, denied = "登录已过期，请回到商家页面重新打开", "未获得微信授权，请重新打开页面并同意授权"
	change := func(back, name, value string) string {
		u, _ := url.Parse(back)
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for _, c := range []struct {
		name  string
		visit func(s *shop, p *phone, back string) reply
		msg   string
	}{
		{"no cookie", func(s *shop, _ *phone, back string) reply { return s.visit(nil, back) }, over},
		{"another browser", func(s *shop, _ *phone, back string) reply {
			other := newPhone(s.t, bobOpenID)
			s.leaves(other, "")
			return s.visit(other, back)
		}, over},
		{"state changed", func(s *shop, p *phone, back string) reply {
			return s.visit(p, change(back, "state", strings.Repeat("A", 26)))
		}, over},
		{"state empty", func(s *shop, p *phone, back string) reply { return s.visit(p, change(back, "state", "")) }, over},
		{"state too long", func(s *shop, p *phone, back string) reply {
			return s.visit(p, change(back, "state", strings.Repeat("A", 129)))
		}, over},
		{"cookie altered", func(s *shop, p *phone, back string) reply { return s.visit(p, back, "Cookie", s.altered(p, back)) }, over},
		{"cookie of another state", func(s *shop, p *phone, back string) reply {
			other := s.leaves(p, "")
			_, state, _ := strings.Cut(other, "state=")
			cookie := s.tripCookie(p, back)
			return s.visit(nil, other, "Cookie", "wxpay_oauth_"+state+"="+cookie.Value)
		}, over},
		{"after ten minutes", func(s *shop, p *phone, back string) reply {
			cookie := s.tripCookie(p, back)
			s.clock.advance(10*time.Minute + 2*time.Second)
			return s.visit(nil, back, "Cookie", cookie.String())
		}, over},
		{"the user says no", func(s *shop, p *phone, back string) reply { return s.visit(p, change(back, "code", "")) }, denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, g := openWithGuests(t)
			p := newPhone(t, aliceOpenID)
			r := c.visit(s, p, s.leaves(p, "/vip"))
			if r.status != 403 || !strings.Contains(r.raw, `"code":403,"data":null,"msg":"`+c.msg+`"`) {
				t.Errorf("%d %s", r.status, r.raw)
			}
			if len(g.all()) != 0 || s.sim.Requests("login") != 0 || r.header.Get("Location") != "" {
				t.Errorf("heard %v, %d calls, sent to %q", g.all(), s.sim.Requests("login"), r.header.Get("Location"))
			}
		})
	}
}

// tripCookie is the one of the browser for a callback.
func (s *shop) tripCookie(p *phone, back string) *http.Cookie {
	s.t.Helper()
	u, err := url.Parse(back)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range p.jar.Cookies(u) {
		if c.Name == "wxpay_oauth_"+u.Query().Get("state") {
			return c
		}
	}
	s.t.Fatalf("no cookie for %s", back)
	return nil
}

// altered is the same with another letter in its middle.
func (s *shop) altered(p *phone, back string) string {
	c := s.tripCookie(p, back)
	i, letter := len(c.Value)/2, "A"
	if c.Value[i] == 'A' {
		letter = "B"
	}
	c.Value = c.Value[:i] + letter + c.Value[i+1:]
	return c.String()
}

// TestOAuthSnapshot: a virtual user is told what to do, and a full page opened
// afterwards works.
func TestOAuthSnapshot(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	p := newPhone(t, aliceOpenID)
	p.extra = "; wxsim_snapshot=1"
	back := s.leaves(p, "/vip")
	r := s.visit(p, back)
	if r.status != 403 || !strings.Contains(r.raw, "网页快照") || len(g.all()) != 0 {
		t.Fatalf("%d %s, heard %v", r.status, r.raw, g.all())
	}
	p.extra = ""
	again := s.sent(s.visit(p, back)) // the code is used: WeChat is asked once more
	if to := s.sent(s.visit(p, s.sent(s.visit(p, again)))); to != "/vip" || len(g.all()) != 1 {
		t.Errorf("sent to %s, heard %v", to, g.all())
	}
}

// TestOAuthAgain: the callback is opened again, with the cookie that the first
// answer set. WeChat need not be asked.
func TestOAuthAgain(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	p := newPhone(t, aliceOpenID)
	back := s.leaves(p, "/vip")
	for range 3 {
		if to := s.sent(s.visit(p, back)); to != "/vip" {
			t.Errorf("sent to %s", to)
		}
	}
	if came := g.all(); len(came) != 3 || came[2] != came[0] || s.sim.Requests("login") != 1 {
		t.Errorf("heard %v, %d calls", came, s.sim.Requests("login"))
	}
	cookie := s.tripCookie(p, back)
	s.clock.advance(2*time.Minute + 2*time.Second)
	if r := s.visit(nil, back, "Cookie", cookie.String()); r.status != 403 || len(g.all()) != 3 {
		t.Errorf("after two minutes: %d %s", r.status, r.raw)
	}
}

// TestOAuthLostAnswer: the first answer, with its cookie, did not arrive, and
// perhaps another replica gave it. The browser is sent round once more and ends
// as the same person; a code that never works does not send it round for ever.
func TestOAuthLostAnswer(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	p := newPhone(t, aliceOpenID)
	back := s.leaves(p, "/vip")
	before := s.tripCookie(p, back)
	s.sent(s.visit(nil, back, "Cookie", before.String())) // this answer is lost
	round := s.sent(s.visit(p, back))
	if !strings.HasPrefix(round, s.sim.URL()+"/connect/oauth2/authorize?") {
		t.Fatalf("sent to %s", round)
	}
	second := s.sent(s.visit(p, round))
	cookie := s.tripCookie(p, second)
	if to := s.sent(s.visit(p, second)); to != "/vip" {
		t.Errorf("sent to %s", to)
	}
	if came := g.all(); len(came) != 2 || came[0] != came[1] {
		t.Errorf("heard %v", came)
	}
	r := s.visit(nil, second, "Cookie", cookie.String())
	if r.status != 400 || !strings.Contains(r.raw, `"code":301,"data":null,"msg":"code无效或已使用，请重新登录"`) {
		t.Errorf("a second time round: %d %s", r.status, r.raw)
	}
}

// TestOAuthTabs do not get into each other's way, and a browser that begins
// many logins keeps the latest only.
func TestOAuthTabs(t *testing.T) {
	t.Parallel()
	s, _ := openWithGuests(t)
	p := newPhone(t, aliceOpenID)
	var backs []string
	for i := range 6 {
		backs = append(backs, s.leaves(p, fmt.Sprintf("/tab%d", i)))
	}
	for i, back := range backs {
		r := s.visit(p, back)
		if i < 2 && r.status != 403 || i >= 2 && r.header.Get("Location") != fmt.Sprintf("/tab%d", i) {
			t.Errorf("tab %d: %d %s %s", i, r.status, r.header.Get("Location"), r.raw)
		}
	}
}

// TestOAuthTwiceAtOnce: both callbacks come while WeChat is being asked; it is
// asked once, and both end as the same person.
func TestOAuthTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t) // for its options only
	synctest.Test(t, func(t *testing.T) {
		g, asked, answer := new(guests), 0, make(chan struct{})
		o := s.options()
		o.OnLogin = g.onLogin
		o.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			<-answer
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"openid":"` + aliceOpenID + `","unionid":"o6_bm"}`)),
			}, nil
		})}
		kit, err := wxpay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		start := httptest.NewRecorder()
		kit.ServeHTTP(start, httptest.NewRequest("GET", "/pay/oauth/start?redirect=/vip", nil))
		to, err := start.Result().Location()
		if err != nil {
			t.Fatal(err)
		}
		var got [2]*httptest.ResponseRecorder
		for i := range got {
			got[i] = httptest.NewRecorder()
			req := httptest.NewRequest("GET", "/pay/oauth/callback?code=021&state="+to.Query().Get("state"), nil)
			req.AddCookie(start.Result().Cookies()[0])
			go kit.ServeHTTP(got[i], req)
		}
		synctest.Wait()
		close(answer)
		synctest.Wait()
		for i, r := range got {
			if r.Code != 302 || r.Header().Get("Location") != "/vip" {
				t.Errorf("%d: %d %s %s", i, r.Code, r.Header().Get("Location"), r.Body)
			}
		}
		if came := g.all(); asked != 1 || len(came) != 2 || came[0] != came[1] || came[0].UnionID != "o6_bm" {
			t.Errorf("asked %d times, heard %+v", asked, came)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOAuthWeChatFails: the person is told, and the page opened again works.
func TestOAuthWeChatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  string
		status int
		msg    string
	}{
		{"status_500", 502, "微信登录暂时不可用"}, {"busy", 502, "微信登录暂时不可用"}, {"garbage", 502, "微信登录暂时不可用"},
		{"rate", 429, "操作过于频繁"}, {"risky", 403, "存在风险"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s, g := openWithGuests(t)
			p := newPhone(t, aliceOpenID)
			back := s.leaves(p, "/vip")
			s.sim.Fault(wxsim.Fault{Target: "login", Fault: c.fault})
			if r := s.visit(p, back); r.status != c.status || !strings.Contains(r.raw, c.msg) || len(g.all()) != 0 {
				t.Errorf("%d %s", r.status, r.raw)
			}
			s.sim.ClearFaults()
			to := s.sent(s.visit(p, back))
			if c.fault == "garbage" { // its code was used up
				to = s.sent(s.visit(p, s.sent(s.visit(p, to))))
			}
			if to != "/vip" || len(g.all()) != 1 {
				t.Errorf("sent to %s, heard %v", to, g.all())
			}
		})
	}
}

// TestOAuthPage: who opens an endpoint in a browser reads a sentence, not an
// envelope, and nothing that came with the request.
func TestOAuthPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, c := range []struct {
		path, lang, says string
		status           int
	}{
		{"/pay/oauth/callback?state=none", "zh-CN", "登录已过期，请回到商家页面重新打开", 403},
		{"/pay/oauth/callback?state=<script>", "en", "this login is over, please go back and open the page again", 403},
		{"/pay/oauth/start?redirect=//evil.example", "zh", "参数redirect格式错误", 400},
	} {
		r := s.visit(nil, c.path, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language", c.lang)
		want := `<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>` + c.says + `</title><p>` + c.says + "</p>\n"
		if r.status != c.status || r.raw != want || r.header.Get("Content-Type") != "text/html; charset=utf-8" || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", c.path, r.status, r.header, r.raw)
		}
	}
}
