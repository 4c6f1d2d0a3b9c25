package wxpay_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// handedOut collects the session_keys and tokens that WeChat hands out.
type handedOut struct {
	mu   sync.Mutex
	seen []string
}

func (k *handedOut) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := wire.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	var a struct {
		SessionKey string `json:"session_key"`
		Access     string `json:"access_token"`
		Refresh    string `json:"refresh_token"`
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if json.Unmarshal(raw, &a) == nil {
		k.seen = append(k.seen, a.SessionKey, a.Access, a.Refresh)
	}
	resp.Body = io.NopCloser(strings.NewReader(string(raw)))
	return resp, err
}

// TestLoginKeepsSecrets runs logins of every ending and looks for what belongs
// to somebody, in the log and in every answer.
func TestLoginKeepsSecrets(t *testing.T) {
	t.Parallel()
	wechat := new(handedOut)
	s, _ := openWithGuests(t, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: wechat} })
	p := newPhone(t, bobOpenID)
	var codes, states []string
	var answers strings.Builder
	for _, fault := range []string{"", "status_500", "status_429", "reset", "garbage", "busy", "risky", "rate"} {
		if fault != "" {
			s.sim.Fault(wxsim.Fault{Target: "login", Fault: fault})
		}
		code := s.sim.LoginCode(aliceOpenID)
		for range 2 { // the second is used, or fails as well
			r := s.do("POST", "/pay/login", "", `{"code":"`+code+`"}`)
			answers.WriteString(r.raw)
		}
		back, err := url.Parse(s.leaves(p, "/vip"))
		if err != nil {
			t.Fatal(err)
		}
		before := s.tripCookie(p, back.String())
		for _, cookie := range []string{before.String(), before.String(), "", before.Name + "=broken"} {
			r := s.visit(nil, back.String(), "Cookie", cookie)
			answers.WriteString(r.raw)
		}
		codes, states = append(codes, code, back.Query().Get("code")), append(states, back.Query().Get("state"))
		s.sim.ClearFaults()
	}
	unmounted := open(t, func(o *wxpay.Options) { o.Merchant.AppSecret = strings.Repeat("5f3b", 8) })
	r := unmounted.do("POST", "/pay/login", "", `{"code":"`+unmounted.sim.LoginCode(aliceOpenID)+`"}`)
	answers.WriteString(r.raw)

	log := s.wholeLog() + unmounted.wholeLog()
	if n := len(s.logLines("request answered")); n < 50 {
		t.Errorf("%d lines only", n)
	}
	secrets := append([]string{s.sim.Account().AppSecret, strings.Repeat("5f3b", 8)}, codes...)
	for _, key := range wechat.seen {
		if key != "" {
			secrets = append(secrets, key)
		}
	}
	if len(secrets) < 20 {
		t.Errorf("looked for %d secrets only", len(secrets))
	}
	for _, secret := range secrets {
		if strings.Contains(log, secret) || strings.Contains(answers.String(), secret) {
			t.Errorf("%q is in the log or an answer", secret)
		}
	}
	for _, private := range append(states, aliceOpenID, bobOpenID, "sns/", fmt.Sprint(s.url)) {
		if strings.Contains(log, private) {
			t.Errorf("%q is in the log", private)
		}
	}
}
