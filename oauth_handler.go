package wxpay

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxlogin"
)

// OAuthStart sends a page inside WeChat to ask who is in front of it, silently
// (网页授权, snsapi_base): GET /oauth/start?redirect=/path. The browser comes
// back by way of [Kit.OAuthCallback], and then goes to redirect, a path of the
// app's own.
//
// Any page may send its visitor here: all that comes of it is that the visitor
// is signed in as themselves and sees a page of this app.
func (k *Kit) OAuthStart() http.Handler {
	return k.answering("oauth_start", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		redirect := r.URL.Query().Get("redirect")
		switch {
		case k.logins[orderstore.JSAPI] == nil:
			return answer{}, problemNoEndpoint.because(nil)
		case redirect != "" && !isLocal(redirect):
			return answer{}, malformed("redirect").because(nil)
		}
		return k.depart(w, r, trip{Redirect: redirect}), nil
	}, tellBrowser)
}

// OAuthCallback exchanges the code that WeChat sends the browser back with: GET
// /oauth/callback. Options.OnLogin binds the openid to the app's user; then the
// browser goes where /oauth/start was told, or gets the openid.
//
// Nobody can be made to sign in as somebody else: a code counts only together
// with the state that this very browser was given, which its sealed cookie
// holds and nobody else knows.
func (k *Kit) OAuthCallback() http.Handler {
	return k.answering("oauth_callback", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		if k.logins[orderstore.JSAPI] == nil {
			return answer{}, problemNoEndpoint.because(nil)
		}
		t, err := k.tripOf(r)
		if err != nil {
			return answer{}, problemLoginState.because(err)
		}
		if t.OpenID == "" {
			who, err := k.arrive(r, t)
			if errors.Is(err, wxlogin.ErrCode) && !t.Again {
				return k.depart(w, r, trip{Redirect: t.Redirect, Again: true}), nil
			}
			if err != nil {
				return answer{}, err
			}
			t.AppID, t.OpenID, t.UnionID = who.AppID, who.OpenID, who.UnionID
			k.keep(w, r, t, replayLife)
		}
		who := wxlogin.User{AppID: t.AppID, OpenID: t.OpenID, UnionID: t.UnionID}
		if err := k.proven(w, r, orderstore.JSAPI, who); err != nil {
			return answer{}, err
		}
		if t.Redirect != "" {
			return answer{location: t.Redirect}, nil
		}
		return done("", loginAnswer{who.OpenID}, signedIn), nil
	}, tellBrowser)
}

// arrive exchanges the code. WeChat may open the callback twice at once; the
// second waits for the first's answer, because a code is good only once.
// Should it come to another process, or too late, WeChat says that the code is
// used, and the browser is sent round again: that is silent, and ends in the
// same openid. Source: 网页授权, 40163.
func (k *Kit) arrive(r *http.Request, t trip) (wxlogin.User, error) {
	code := r.URL.Query().Get("code")
	if code == "" { // the user said no
		return wxlogin.User{}, problemLoginDenied.because(nil)
	}
	who, _, err := k.exchanging.Do(r.Context(), t.State+" "+code, func(ctx context.Context) (wxlogin.User, error) {
		return k.logins[orderstore.JSAPI].AccessToken(ctx, code)
	})
	switch {
	case err != nil:
		return who, k.loginFailed(orderstore.JSAPI, err)
	case who.Snapshot: // a virtual user, whom WeChat Pay knows not
		return who, problemSnapshot.because(nil)
	}
	return who, nil
}

// depart begins a trip: it gives the browser a new state to come back with and
// sends it to WeChat. The order of the parameters and the fragment are WeChat's.
// Source: 网页授权, step one.
func (k *Kit) depart(w http.ResponseWriter, r *http.Request, t trip) answer {
	t.State = rand.Text()
	k.keep(w, r, t, tripLife)
	base := strings.TrimSuffix(k.opt.Merchant.LoginBase, "/")
	set(&base, "https://open.weixin.qq.com")
	return answer{location: base + "/connect/oauth2/authorize?appid=" + k.acct.appIDs[orderstore.JSAPI] +
		"&redirect_uri=" + url.QueryEscape(k.callbackURL(r).String()) +
		"&response_type=code&scope=snsapi_base&state=" + t.State + "#wechat_redirect"}
}

// callbackURL is where WeChat sends the browser back to.
func (k *Kit) callbackURL(r *http.Request) *url.URL {
	if k.opt.OAuthRedirectURL != "" {
		u, err := url.Parse(k.opt.OAuthRedirectURL)
		if err == nil { // as New has made sure
			return u
		}
	}
	u := &url.URL{Path: k.opt.Prefix + "/oauth/callback"}
	if base := k.base(r); base == "" || base[0] == '/' { // no proxy's absolute URL
		if path, err := url.PathUnescape(base); err == nil {
			u.Path, u.RawPath = path+"/oauth/callback", base+"/oauth/callback"
		}
	}
	if public, err := url.Parse(k.opt.NotifyURL); err == nil {
		u.Scheme, u.Host = public.Scheme, public.Host
	}
	return u
}

// isLocal takes a path of this host, escaped, with its query and fragment, and
// nothing that a browser could take for another place: to it "//host" is one, a
// "\" is a "/", and tabs and line breaks are not there. Source: the URL standard
// of WHATWG, basic URL parser.
func isLocal(s string) bool {
	if len(s) > maxRedirect || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' })
}

// maxRedirect keeps the cookie below what browsers take.
const maxRedirect = 512
