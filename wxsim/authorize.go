package wxsim

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// scopeBase is the silent authorisation, which yields the openid only.
const scopeBase = "snsapi_base"

// stateForm is what WeChat gives back unchanged (wire facts §10.2).
var stateForm = regexp.MustCompile(`^[0-9A-Za-z]{0,128}$`)

// authorizeOrder is the order of parameters that WeChat insists on.
var authorizeOrder = []string{"appid", "redirect_uri", "response_type", "scope", "state"}

// The cookies by which a browser says who holds it.
const (
	customerCookie = "wxsim_openid"
	snapshotCookie = "wxsim_snapshot"
)

// authorizePage plays open.weixin.qq.com inside WeChat: the customer agrees,
// without being asked, and the browser goes back with a code. Whoever asks
// wrongly sees WeChat's error page. Its HTTP status is not documented.
func (s *Sim) authorizePage(w http.ResponseWriter, r *http.Request) {
	back, err := s.authorizable(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q := r.URL.Query()
	c := loginCode{appid: q.Get("appid"), scope: q.Get("scope")}
	if cookie, err := r.Cookie(customerCookie); err == nil && openIDForm.MatchString(cookie.Value) {
		c.openid = cookie.Value
	}
	if cookie, err := r.Cookie(snapshotCookie); err == nil {
		c.snapshot = cookie.Value == "1"
	}
	answer := "code=" + s.newLoginCode(c) + "&state=" + q.Get("state")
	if back.RawQuery != "" {
		answer = back.RawQuery + "&" + answer
	}
	back.RawQuery = answer
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// authorizable says where the browser goes back to, or why it does not.
func (s *Sim) authorizable(r *http.Request) (*url.URL, error) {
	q := r.URL.Query()
	var order []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		order = append(order, name)
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case fmt.Sprint(order) != fmt.Sprint(authorizeOrder):
		return nil, fmt.Errorf("链接参数应依次为 %s", strings.Join(authorizeOrder, " "))
	case err != nil || back.User != nil || back.Scheme != "https" && back.Scheme != "http" || !s.returnsTo(back):
		return nil, fmt.Errorf("redirect_uri域名与后台配置不一致，错误码：10003")
	case q.Get("appid") != s.keys.account.AppIDJSAPI:
		return nil, fmt.Errorf("该公众号没有这些scope的权限，错误码：10005")
	case q.Get("scope") != scopeBase && q.Get("scope") != "snsapi_userinfo":
		return nil, fmt.Errorf("scope参数错误，错误码：10005")
	case q.Get("response_type") != "code" || !stateForm.MatchString(q.Get("state")):
		return nil, fmt.Errorf("response_type应为code，state应为至多128位字母和数字")
	}
	return back, nil
}

// returnsTo reports whether a redirect_uri is on the domain that the account
// has named (网页授权域名): that very host, without a port. COMMUNITY (wire facts
// §10.2): ports other than 80 and 443 are not supported. Laxer than WeChat: any
// port of a loopback host will do.
func (s *Sim) returnsTo(back *url.URL) bool {
	host := back.Hostname()
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return hostForm.MatchString(back.Host)
	}
	_, port, err := net.SplitHostPort(back.Host)
	return (err != nil || port == "80" || port == "443") && s.conf.OAuthDomain != "" && host == s.conf.OAuthDomain
}
