package wxlogin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxlogin"
)

const (
	testAppID  = "wx8888888888888888"
	testSecret = "5f3b1c9a7e2d4c6b8a0f1e3d5c7b9a2e"
	testCode   = "021aBc+d/ef=1"
	testOpenID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
)

// step answers one request.
type step func(w http.ResponseWriter, r *http.Request)

// says answers as WeChat does, errors included: 200 and text/plain.
func says(body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, body)
	}
}

func status(code int) step {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// wechat answers with the steps, in order, the last of them for ever.
type wechat struct {
	client *wxlogin.Client
	mu     sync.Mutex // the reader and the server's goroutine
	hits   []url.URL
	slept  []time.Duration
}

func start(t *testing.T, steps ...step) *wechat {
	t.Helper()
	w := new(wechat)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.hits = append(w.hits, *r.URL)
		step := steps[min(len(w.hits), len(steps))-1]
		w.mu.Unlock()
		step(rw, r)
	}))
	t.Cleanup(server.Close)
	var err error
	w.client, err = wxlogin.New(wxlogin.Config{
		AppID: testAppID, AppSecret: testSecret, BaseURL: server.URL, HTTPClient: &http.Client{Transport: new(http.Transport)},
		Sleep: func(_ context.Context, d time.Duration) error { w.slept = append(w.slept, d); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestExchange(t *testing.T) {
	t.Parallel()
	type call = func(*wxlogin.Client, context.Context, string) (wxlogin.User, error)
	for _, c := range []struct {
		name  string
		call  call
		body  string
		path  string
		param string
		want  wxlogin.User
	}{
		{
			"mini-program", (*wxlogin.Client).Code2Session, `{"session_key":"tiihtNczf5v6AKRyjwEUhQ==","openid":"` + testOpenID + `"}`,
			"/sns/jscode2session", "js_code", wxlogin.User{AppID: testAppID, OpenID: testOpenID},
		},
		{
			"with unionid and a zero errcode", (*wxlogin.Client).Code2Session, `{"errcode":0,"errmsg":"ok","openid":"` + testOpenID + `","unionid":"o6_bm"}`,
			"/sns/jscode2session", "js_code", wxlogin.User{AppID: testAppID, OpenID: testOpenID, UnionID: "o6_bm"},
		},
		{
			"page", (*wxlogin.Client).AccessToken, `{"access_token":"ACCESS","expires_in":7200,"openid":"` + testOpenID + `","scope":"snsapi_base"}`,
			"/sns/oauth2/access_token", "code", wxlogin.User{AppID: testAppID, OpenID: testOpenID},
		},
		{
			"snapshot page", (*wxlogin.Client).AccessToken, `{"openid":"` + testOpenID + `","is_snapshotuser":1}`,
			"/sns/oauth2/access_token", "code", wxlogin.User{AppID: testAppID, OpenID: testOpenID, Snapshot: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, says(c.body))
			user, err := c.call(w.client, t.Context(), testCode)
			if err != nil || user != c.want {
				t.Fatalf("%+v, %v", user, err)
			}
			want := url.Values{"appid": {testAppID}, "secret": {testSecret}, c.param: {testCode}, "grant_type": {"authorization_code"}}
			if len(w.hits) != 1 || w.hits[0].Path != c.path || w.hits[0].RawQuery != want.Encode() {
				t.Errorf("asked %v", w.hits)
			}
		})
	}
}

// TestRefusals: each kind is told from all others, and only "busy" is asked
// again.
func TestRefusals(t *testing.T) {
	t.Parallel()
	kinds := []error{
		wxlogin.ErrCode, wxlogin.ErrRate, wxlogin.ErrRisky, wxlogin.ErrConfig, wxlogin.ErrBusy, wxlogin.ErrUnreachable, wxlogin.ErrGarbage,
	}
	refusal := func(code int) step { return says(fmt.Sprintf(`{"errcode":%d,"errmsg":"no"}`, code)) }
	for _, c := range []struct {
		name  string
		step  step
		kind  error // nil: none of them
		tries int
	}{
		{"invalid", refusal(40029), wxlogin.ErrCode, 1},
		{"used", refusal(40163), wxlogin.ErrCode, 1},
		{"rate", refusal(45011), wxlogin.ErrRate, 1},
		{"risky", refusal(40226), wxlogin.ErrRisky, 1},
		{"bad appid", refusal(40013), wxlogin.ErrConfig, 1},
		{"bad secret", refusal(40125), wxlogin.ErrConfig, 1},
		{"no appid", refusal(41002), wxlogin.ErrConfig, 1},
		{"no secret", refusal(41004), wxlogin.ErrConfig, 1},
		{"unknown code", refusal(48001), nil, 1},
		{"refused with an openid", says(`{"errcode":40226,"openid":"` + testOpenID + `"}`), wxlogin.ErrRisky, 1},
		{"busy", refusal(-1), wxlogin.ErrBusy, 3},
		{"500", status(500), wxlogin.ErrBusy, 3},
		{"503", status(503), wxlogin.ErrBusy, 3},
		{"429", status(429), wxlogin.ErrRate, 1},
		{"404", status(404), wxlogin.ErrGarbage, 1},
		{"404 with an openid", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			says(`{"openid":"`+testOpenID+`"}`)(w, r)
		}, wxlogin.ErrGarbage, 1},
		{"empty", says(``), wxlogin.ErrGarbage, 1},
		{"a page", says(`<html>`), wxlogin.ErrGarbage, 1},
		{"cut off", says(`{"openid":"` + testOpenID), wxlogin.ErrGarbage, 1},
		{"null", says(`null`), wxlogin.ErrGarbage, 1},
		{"no openid", says(`{"session_key":"tiihtNczf5v6AKRyjwEUhQ=="}`), wxlogin.ErrGarbage, 1},
		{"openid with a line break", says(`{"openid":"o\n"}`), wxlogin.ErrGarbage, 1},
		{"openid too long", says(`{"openid":"` + strings.Repeat("o", 129) + `"}`), wxlogin.ErrGarbage, 1},
		{"unionid with a blank", says(`{"openid":"` + testOpenID + `","unionid":"a b"}`), wxlogin.ErrGarbage, 1},
		{"errcode of another type", says(`{"errcode":"40029"}`), wxlogin.ErrGarbage, 1},
		{"too long", says(`{"openid":"` + testOpenID + `"}` + strings.Repeat(" ", 64<<10)), wxlogin.ErrGarbage, 1},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, wxlogin.ErrGarbage, 1},
		{"cut connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, wxlogin.ErrUnreachable, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, c.step)
			user, err := w.client.Code2Session(t.Context(), testCode)
			for _, kind := range kinds {
				if errors.Is(err, kind) != (kind == c.kind) {
					t.Errorf("%v: is %v", err, kind)
				}
			}
			if err == nil || user != (wxlogin.User{}) {
				t.Errorf("%+v, %v", user, err)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.hits) != c.tries || len(w.slept) != c.tries-1 {
				t.Errorf("%d tries, slept %v", len(w.hits), w.slept)
			}
			if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, testSecret) || strings.Contains(text, url.QueryEscape(testCode)) || strings.Contains(text, "/sns/") {
				t.Errorf("error tells the URL: %v", text)
			}
		})
	}
}

// TestBusyThenAnswered: the second or third try may succeed, and a code that
// the first has used up is the client's to renew.
func TestBusyThenAnswered(t *testing.T) {
	t.Parallel()
	busy, good := says(`{"errcode":-1,"errmsg":"system error"}`), says(`{"openid":"`+testOpenID+`"}`)
	w := start(t, busy, status(502), good)
	if user, err := w.client.Code2Session(t.Context(), testCode); err != nil || user.OpenID != testOpenID {
		t.Errorf("%+v, %v", user, err)
	}
	w = start(t, busy, says(`{"errcode":40163,"errmsg":"code been used"}`))
	if _, err := w.client.Code2Session(t.Context(), testCode); !errors.Is(err, wxlogin.ErrCode) {
		t.Errorf("%v", err)
	}
}

func TestCodeNotSent(t *testing.T) {
	t.Parallel()
	w := start(t, says(`{}`))
	for _, code := range []string{"", strings.Repeat("c", 513)} {
		if _, err := w.client.AccessToken(t.Context(), code); !errors.Is(err, wxlogin.ErrCode) || len(w.hits) != 0 {
			t.Errorf("%v after %d calls", err, len(w.hits))
		}
	}
}

// roundTrip is a transport of the app's own.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTransportTells: an error of a transport that repeats the URL does not get
// through, as text or in the chain; the end of the caller's context does.
func TestTransportTells(t *testing.T) {
	t.Parallel()
	var secret error
	client, err := wxlogin.New(wxlogin.Config{AppID: testAppID, AppSecret: testSecret, HTTPClient: &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			secret = fmt.Errorf("GET %s giving up for %s", r.URL, testOpenID)
			return nil, secret
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Code2Session(t.Context(), testCode)
	if !errors.Is(err, wxlogin.ErrUnreachable) || errors.Is(err, secret) {
		t.Errorf("error %v", err)
	}
	for _, text := range []string{testSecret, url.QueryEscape(testCode), testCode, testOpenID} {
		if strings.Contains(err.Error(), text) {
			t.Errorf("error tells %q: %v", text, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Code2Session(ctx, testCode); !errors.Is(err, wxlogin.ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTimeout ends the whole call.
func TestTimeout(t *testing.T) {
	t.Parallel()
	client, err := wxlogin.New(wxlogin.Config{AppID: testAppID, AppSecret: testSecret, Timeout: time.Millisecond, HTTPClient: &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AccessToken(t.Context(), testCode); !errors.Is(err, wxlogin.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	const base = "wxlogin: Config.BaseURL must be scheme and host only, like https://api.weixin.qq.com; http is for loopback hosts only"
	for _, c := range []struct {
		name   string
		change func(*wxlogin.Config)
		want   []string
	}{
		{"good", func(*wxlogin.Config) {}, nil},
		{"loopback", func(c *wxlogin.Config) { c.BaseURL = "http://[::1]:9090/" }, nil},
		{"nothing", func(c *wxlogin.Config) { c.AppID, c.AppSecret = "", "" }, []string{
			"wxlogin: Config.AppID is required: the mini-program's or the service account's",
			"wxlogin: Config.AppSecret is required: the secret of AppID",
		}},
		{"http", func(c *wxlogin.Config) { c.BaseURL = "http://api.weixin.qq.com" }, []string{base}},
		{"path", func(c *wxlogin.Config) { c.BaseURL = "https://api.weixin.qq.com/sns" }, []string{base}},
		{"query", func(c *wxlogin.Config) { c.BaseURL = "https://api.weixin.qq.com?" }, []string{base}},
		{"user", func(c *wxlogin.Config) { c.BaseURL = "https://a:b@api.weixin.qq.com" }, []string{base}},
		{"other scheme", func(c *wxlogin.Config) { c.BaseURL = "ftp://127.0.0.1" }, []string{base}},
		{"no host", func(c *wxlogin.Config) { c.BaseURL = "api.weixin.qq.com" }, []string{base}},
		{"negative timeout", func(c *wxlogin.Config) { c.Timeout = -1 }, []string{"wxlogin: Config.Timeout must not be negative"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := wxlogin.Config{AppID: testAppID, AppSecret: testSecret}
			c.change(&cfg)
			_, err := wxlogin.New(cfg)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("faults %q, want %q", got, c.want)
			}
		})
	}
}

// TestSecretIsNotPrinted however it is tried.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	cfg := wxlogin.Config{AppID: testAppID, AppSecret: testSecret}
	client, err := wxlogin.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+verb, cfg, client)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "cfg", cfg, "client", client)
	raw, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
	if strings.Contains(out.String(), testSecret) || !strings.Contains(out.String(), testAppID) {
		t.Errorf("printed %s", &out)
	}
}
