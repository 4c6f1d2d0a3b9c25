package wxpay

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxlogin"
)

// Login is somebody whom WeChat has proven to be in front of the client.
type Login struct {
	AppID   string
	OpenID  string // of this AppID; it goes into no log
	UnionID string // empty unless the appid is bound to an open-platform account
	Product orderstore.Product
	// UserID is who Options.Identify says is signed in to the app; empty if
	// nobody is.
	UserID string
}

// loginAnswer is what the front end gets. The session_key is not in it: it
// must not leave the server, and the kit does not even keep it.
type loginAnswer struct {
	OpenID string `json:"openid"`
}

var signedIn = text{"登录成功", "signed in"}

// Login exchanges the code of a mini-program's wx.login for the openid: POST
// /login. Options.OnLogin binds it to the app's user. It is for those who are
// not signed in yet, so nobody need be; the code proves who comes. A page of
// another site cannot post here, so it cannot sign its visitor in as somebody
// else with a code of its own.
func (k *Kit) Login() http.Handler {
	return k.endpoint("login", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		client := k.logins[orderstore.MiniProgram]
		if client == nil {
			return answer{}, problemNoEndpoint.because(nil)
		}
		if err := k.acct.cross.Check(r); err != nil {
			return answer{}, problemOrigin.because(err)
		}
		var req struct {
			Code string `json:"code"`
		}
		if err := readJSON(w, r, &req); err != nil {
			return answer{}, err
		}
		if req.Code == "" {
			return answer{}, missing("code").because(nil)
		}
		who, err := client.Code2Session(r.Context(), req.Code)
		if err != nil {
			return answer{}, k.loginFailed(orderstore.MiniProgram, err)
		}
		return done("", loginAnswer{who.OpenID}, signedIn), k.proven(w, r, orderstore.MiniProgram, who)
	})
}

// proven tells the app who was proven.
func (k *Kit) proven(w http.ResponseWriter, r *http.Request, product orderstore.Product, who wxlogin.User) error {
	if k.opt.OnLogin == nil {
		return nil
	}
	userID, err := k.opt.Identify(r)
	if err != nil {
		userID = "" // nobody is signed in, which is why people come here
	}
	err = k.opt.OnLogin(w, r, Login{AppID: who.AppID, OpenID: who.OpenID, UnionID: who.UnionID, Product: product, UserID: userID})
	if err != nil {
		return problemInternal.because(fmt.Errorf("OnLogin: %w", err))
	}
	return nil
}

// loginFailed finds the problem to show for an error of package wxlogin. The
// log hears which setting is wrong.
func (k *Kit) loginFailed(product orderstore.Product, err error) error {
	switch {
	case errors.Is(err, wxlogin.ErrCode):
		return problemCode.because(err)
	case errors.Is(err, wxlogin.ErrRate):
		return problemSlowDown.because(err)
	case errors.Is(err, wxlogin.ErrRisky):
		return problemRisky.because(err)
	case errors.Is(err, wxlogin.ErrConfig):
		return problemInternal.because(fmt.Errorf("Merchant.%s is not the secret of %s: %w", k.acct.logins[product].setting, k.acct.logins[product].appID, err))
	}
	if f := failed(err); f.problem != problemInternal {
		return f // the client went away
	}
	return problemLogin.because(err)
}

// newLogins makes a client for each product whose people can be asked for.
func newLogins(o Options, acct account) (map[orderstore.Product]*wxlogin.Client, error) {
	clients := make(map[orderstore.Product]*wxlogin.Client)
	for product, c := range acct.logins {
		client, err := wxlogin.New(wxlogin.Config{
			AppID: c.appID, AppSecret: c.secret, BaseURL: o.Merchant.LoginBase, HTTPClient: o.HTTPClient,
		})
		if err != nil {
			return nil, err
		}
		clients[product] = client
	}
	return clients, nil
}
