package wxpay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

const (
	aliceOpenID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	bobOpenID   = "oBobBobBobBobBobBobBobBobBob"
)

// guests is what an app does with who signs in.
type guests struct {
	mu   sync.Mutex
	came []wxpay.Login
	fail error
}

func (g *guests) onLogin(w http.ResponseWriter, _ *http.Request, l wxpay.Login) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return g.fail
	}
	g.came = append(g.came, l)
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "of-" + l.OpenID})
	return nil
}

func (g *guests) all() []wxpay.Login {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]wxpay.Login(nil), g.came...)
}

// openWithGuests is a shop that binds who signs in.
func openWithGuests(t *testing.T, change ...func(*wxpay.Options)) (*shop, *guests) {
	t.Helper()
	g := new(guests)
	return open(t, append([]func(*wxpay.Options){func(o *wxpay.Options) { o.OnLogin = g.onLogin }}, change...)...), g
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	for _, c := range []struct{ user, lang, msg string }{{"", "", "登录成功"}, {"u1", "en", "signed in"}} {
		r := s.do("POST", "/pay/login", c.user, `{"code":"`+s.sim.LoginCode(aliceOpenID)+`"}`, "Accept-Language", c.lang)
		if r.status != 200 || r.raw != `{"code":200,"data":{"openid":"`+aliceOpenID+`"},"msg":"`+c.msg+`"}`+"\n" {
			t.Errorf("%d %s", r.status, r.raw)
		}
		if cookie := r.header.Get("Set-Cookie"); cookie != "session=of-"+aliceOpenID {
			t.Errorf("Set-Cookie %q", cookie)
		}
		want := wxpay.Login{AppID: s.sim.Account().AppID, OpenID: aliceOpenID, Product: orderstore.MiniProgram, UserID: c.user}
		if came := g.all(); came[len(came)-1] != want {
			t.Errorf("the app heard %+v, want %+v", came, want)
		}
	}
}

// TestLoginRefuses: nobody is signed in, and WeChat is asked only where the
// request is sound.
func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	code := func(c string) string { return `{"code":"` + c + `"}` }
	for _, c := range []struct {
		name         string
		body         func(*wxsim.Sim) string
		header       []string
		status, code int
		msg          string
		calls        int
	}{
		{"used", func(sim *wxsim.Sim) string {
			c := sim.LoginCode(aliceOpenID)
			resp, err := client.Get(sim.URL() + "/sns/jscode2session?grant_type=authorization_code&appid=" + sim.Account().AppID + "&secret=" + sim.Account().AppSecret + "&js_code=" + c)
			if err == nil {
				resp.Body.Close()
			}
			return code(c)
		}, nil, 400, 301, "code无效或已使用，请重新登录", 2},
		{"made up", func(*wxsim.Sim) string { return code("021") }, nil, 400, 301, "code无效或已使用，请重新登录", 1},
		{"too old", func(sim *wxsim.Sim) string {
			c := sim.LoginCode(aliceOpenID)
			sim.Advance(6 * time.Minute)
			return code(c)
		}, nil, 400, 301, "code无效或已使用，请重新登录", 1},
		{"too long", func(*wxsim.Sim) string { return code(strings.Repeat("c", 1000)) }, nil, 400, 301, "code无效或已使用，请重新登录", 0},
		{"with an ampersand", func(sim *wxsim.Sim) string { return code("x&js_code=" + sim.LoginCode(aliceOpenID)) }, nil, 400, 301, "code无效或已使用，请重新登录", 1},
		{"empty", func(*wxsim.Sim) string { return code("") }, nil, 400, 301, "缺少参数code", 0},
		{"none", func(*wxsim.Sim) string { return `{}` }, nil, 400, 301, "缺少参数code", 0},
		{"a number", func(*wxsim.Sim) string { return `{"code":7}` }, nil, 400, 301, "参数code格式错误", 0},
		{"no JSON", func(*wxsim.Sim) string { return `code` }, nil, 400, 301, "请求体不是有效的JSON", 0},
		{"a form", func(sim *wxsim.Sim) string { return code(sim.LoginCode(aliceOpenID)) }, []string{"Content-Type", "text/plain"}, 415, 415, "请求体须为application/json", 0},
		{"another site's page", func(sim *wxsim.Sim) string { return code(sim.LoginCode(bobOpenID)) }, []string{"Origin", "https://evil.example"}, 403, 403, "请求来源不被允许", 0},
		{"another site's page, as browsers say", func(sim *wxsim.Sim) string { return code(sim.LoginCode(bobOpenID)) }, []string{"Sec-Fetch-Site", "cross-site"}, 403, 403, "请求来源不被允许", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, g := openWithGuests(t)
			r := s.do("POST", "/pay/login", "", c.body(s.sim), c.header...)
			r.refused(t, c.status, c.code, c.msg)
			if r.header.Get("Set-Cookie") != "" || len(g.all()) != 0 || s.sim.Requests("login") != c.calls {
				t.Errorf("cookie %q, heard %v, %d calls", r.header.Get("Set-Cookie"), g.all(), s.sim.Requests("login"))
			}
		})
	}
}

// TestLoginWeChatFails: each fault has its own answer, and the log says what
// somebody must mend.
func TestLoginWeChatFails(t *testing.T) {
	t.Parallel()
	const down = "微信登录暂时不可用，请稍后重试"
	hurry := func(o *wxpay.Options) {
		o.HTTPClient = &http.Client{Transport: wire, Timeout: 300 * time.Millisecond}
	}
	secret := func(o *wxpay.Options) { o.Merchant.AppSecret = strings.Repeat("0", 32) }
	appID := func(o *wxpay.Options) { o.Merchant.AppIDMiniProgram = "wx0000000000000000" }
	same := func(*wxpay.Options) {}
	for _, c := range []struct {
		name, fault  string
		change       func(*wxpay.Options)
		status, code int
		msg          string
		calls        int // -1: whichever the clock allows
		cause        string
	}{
		{"busy", "busy", same, 502, 502, down, 3, "wechat_login: WeChat answered -1: system error"},
		{"500", "status_500", same, 502, 502, down, 3, "wechat_login: wxlogin: WeChat is busy: status 500"},
		{"garbage", "garbage", same, 502, 502, down, 1, "wechat_login: wxlogin: unreadable answer: not what WeChat answers"},
		{"timeout", "timeout", hurry, 502, 502, down, -1, "wechat_login: wxlogin: WeChat cannot be reached"},
		{"429", "status_429", same, 429, 429, "操作过于频繁，请稍后再试", 1, "slow_down: wxlogin: too many requests: status 429"},
		{"rate", "rate", same, 429, 429, "操作过于频繁，请稍后再试", 1, "slow_down: WeChat answered 45011"},
		{"risky", "risky", same, 403, 403, "微信认为该账号存在风险，暂时无法登录", 1, "risky_user: WeChat answered 40226"},
		{"wrong secret", "", secret, 500, 500, "系统异常，请稍后重试", 1, "internal: Merchant.AppSecret is not the secret of wx"},
		{"wrong appid", "", appID, 500, 500, "系统异常，请稍后重试", 1, "internal: Merchant.AppSecret is not the secret of wx0000000000000000: WeChat answered 40013"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, g := openWithGuests(t, c.change)
			if c.fault != "" {
				s.sim.Fault(wxsim.Fault{Target: "login", Fault: c.fault})
			}
			s.do("POST", "/pay/login", "", `{"code":"`+s.sim.LoginCode(aliceOpenID)+`"}`).refused(t, c.status, c.code, c.msg)
			if n := s.sim.Requests("login"); c.calls >= 0 && n != c.calls || len(g.all()) != 0 {
				t.Errorf("%d calls, heard %v", n, g.all())
			}
			lines := s.logLines("request answered")
			if cause, _ := lines[len(lines)-1]["cause"].(string); !strings.HasPrefix(cause, c.cause) {
				t.Errorf("the log says %q, want %q", cause, c.cause)
			}
		})
	}
}

// TestLoginReset: the connection is cut after WeChat has used the code up. The
// next try says so, and a new code works.
func TestLoginReset(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t, func(o *wxpay.Options) {
		o.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	})
	s.sim.Fault(wxsim.Fault{Target: "login", Fault: "reset", Count: 1})
	code := `{"code":"` + s.sim.LoginCode(aliceOpenID) + `"}`
	s.do("POST", "/pay/login", "", code).refused(t, 502, 502, "微信登录暂时不可用，请稍后重试")
	s.do("POST", "/pay/login", "", code).refused(t, 400, 301, "code无效或已使用，请重新登录")
	if r := s.do("POST", "/pay/login", "", `{"code":"`+s.sim.LoginCode(aliceOpenID)+`"}`); r.status != 200 || len(g.all()) != 1 {
		t.Errorf("%d %s, heard %v", r.status, r.raw, g.all())
	}
}

// TestLoginAppFails: without the app's binding there is no login.
func TestLoginAppFails(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t)
	g.fail = errors.New("the members are locked")
	s.do("POST", "/pay/login", "", `{"code":"`+s.sim.LoginCode(aliceOpenID)+`"}`).refused(t, 500, 500, "系统异常，请稍后重试")
	panics := open(t, func(o *wxpay.Options) {
		o.OnLogin = func(http.ResponseWriter, *http.Request, wxpay.Login) error { panic("no members") }
	})
	panics.do("POST", "/pay/login", "", `{"code":"`+panics.sim.LoginCode(aliceOpenID)+`"}`).refused(t, 500, 500, "系统异常，请稍后重试")
}

// TestLoginOfNobody: whom Identify does not vouch for is not told to the app.
func TestLoginOfNobody(t *testing.T) {
	t.Parallel()
	s, g := openWithGuests(t, func(o *wxpay.Options) {
		o.Identify = func(*http.Request) (string, error) { return "u1", errors.New("the session is over") }
	})
	r := s.do("POST", "/pay/login", "", `{"code":"`+s.sim.LoginCode(aliceOpenID)+`"}`)
	if came := g.all(); r.status != 200 || len(came) != 1 || came[0].UserID != "" {
		t.Errorf("%d %s, heard %+v", r.status, r.raw, came)
	}
}

// TestLoginEndpoints exist only with a secret for their appid.
func TestLoginEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		change      func(m *wxpay.Merchant)
		login, page int // status; 404: there is none
	}{
		{"both", func(*wxpay.Merchant) {}, 400, 302},
		{"neither", func(m *wxpay.Merchant) { m.AppSecret, m.AppSecretJSAPI = "", "" }, 404, 404},
		{"mini-program", func(m *wxpay.Merchant) { m.AppSecretJSAPI = "" }, 400, 404},
		{"pages", func(m *wxpay.Merchant) { m.AppSecret = "" }, 404, 302},
		{"one appid", func(m *wxpay.Merchant) { m.AppSecretJSAPI, m.AppIDJSAPI = "", "" }, 400, 302},
		{"pages only", func(m *wxpay.Merchant) { m.AppSecretJSAPI, m.AppID = "", "" }, 404, 302},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) { c.change(&o.Merchant) })
			if r := s.do("POST", "/pay/login", "", `{}`); r.status != c.login {
				t.Errorf("login: %d %s", r.status, r.raw)
			}
			for path, handler := range map[string]http.Handler{"/pay/oauth/start": s.kit.OAuthStart(), "/pay/login": s.kit.Login()} {
				s.mux.Handle("/own"+path, handler)
			}
			if r := s.visit(nil, "/pay/oauth/start"); r.status != c.page {
				t.Errorf("start: %d %s", r.status, r.raw)
			}
			if r := s.visit(nil, "/own/pay/oauth/start"); r.status != c.page {
				t.Errorf("start as a handler of its own: %d %s", r.status, r.raw)
			}
			if r := s.do("POST", "/own/pay/login", "", `{}`); r.status != c.login {
				t.Errorf("login as a handler of its own: %d %s", r.status, r.raw)
			}
		})
	}
}

// TestPrepayLooksOpenIDUp, so that the client need not send it.
func TestPrepayLooksOpenIDUp(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.OpenID = func(_ context.Context, userID, appID string) (string, error) {
			switch userID {
			case "alice":
				return aliceOpenID + map[string]string{o.Merchant.AppIDJSAPI: "-page"}[appID], nil
			case "stranger":
				return "", nil
			}
			return "", errors.New("the members are locked")
		}
	})
	for _, c := range []struct {
		name, product, user, openid string
		status, code                int
		msg                         string
		want                        string // openid at WeChat
	}{
		{"not sent", "miniprogram", "alice", "", 200, 200, "创建订单成功", aliceOpenID},
		{"of the page's appid", "jsapi", "alice", "", 200, 200, "创建订单成功", aliceOpenID + "-page"},
		{"the same", "miniprogram", "alice", aliceOpenID, 200, 200, "创建订单成功", aliceOpenID},
		{"another's", "miniprogram", "alice", bobOpenID, 403, 403, "openid与登录用户不一致", ""},
		{"the other appid's", "jsapi", "alice", aliceOpenID, 403, 403, "openid与登录用户不一致", ""},
		{"unknown, sent", "miniprogram", "stranger", bobOpenID, 200, 200, "创建订单成功", bobOpenID},
		{"unknown, not sent", "miniprogram", "stranger", "", 400, 301, "缺少参数openid", ""},
		{"look-up fails", "miniprogram", "carol", bobOpenID, 500, 500, "系统异常，请稍后重试", ""},
		{"not asked for other products", "native", "carol", "", 200, 200, "创建订单成功", ""},
	} {
		before := s.sim.Requests("prepay")
		r := s.do("POST", "/pay/prepay/"+c.product, c.user, `{"goods_id":"vip-month","openid":"`+c.openid+`"}`)
		if r.status != c.status || r.Code != c.code || r.Msg != c.msg {
			t.Errorf("%s: %d %s", c.name, r.status, r.raw)
		}
		if r.status != 200 {
			if n := s.sim.Requests("prepay"); n != before {
				t.Errorf("%s: WeChat was asked", c.name)
			}
			continue
		}
		if o := s.stored(r.order(t).OutTradeNo); o.OpenID != c.want {
			t.Errorf("%s: openid %q, want %q", c.name, o.OpenID, c.want)
		}
	}
}
