package wxsim

import (
	"encoding/base64"
	"net/http"
)

// loginRefusal is an errcode of api.weixin.qq.com.
type loginRefusal struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
}

// Everything that login can refuse, side by side (wire facts §10.1; the 41xxx,
// 40002, 40013 and 40125 from the list of global codes, not confirmed).
var (
	refusedBusy         = loginRefusal{-1, "system error"}
	refusedGrant        = loginRefusal{40002, "invalid grant_type"}
	refusedLoginAppID   = loginRefusal{40013, "invalid appid"}
	refusedCode         = loginRefusal{40029, "invalid code"}
	refusedSecret       = loginRefusal{40125, "invalid appsecret"}
	refusedUsedCode     = loginRefusal{40163, "code been used"}
	refusedRisky        = loginRefusal{40226, "code blocked"}
	refusedMissingAppID = loginRefusal{41002, "appid missing"}
	refusedMissingKey   = loginRefusal{41004, "appsecret missing"}
	refusedMissingCode  = loginRefusal{41008, "missing code"}
	refusedLoginRate    = loginRefusal{45011, "api minute-quota reach limit"}
)

// loginFaults are refusals to order.
var loginFaults = map[string]*loginRefusal{"busy": &refusedBusy, "risky": &refusedRisky, "rate": &refusedLoginRate}

// loginRoutes mounts what api.weixin.qq.com does for a login.
func (s *Sim) loginRoutes(mux *http.ServeMux) {
	const session, token = "/sns/jscode2session", "/sns/oauth2/access_token"
	mux.HandleFunc("GET "+session, s.login(s.keys.account.AppID, "js_code"))
	mux.HandleFunc("GET "+token, s.login(s.keys.account.AppIDJSAPI, "code"))
	mux.HandleFunc("GET /connect/oauth2/authorize", s.authorizePage)
	for _, path := range []string{session, token, "/connect/oauth2/authorize"} {
		mux.HandleFunc(path, empty(http.StatusMethodNotAllowed))
	}
}

// login exchanges a code that param carries. Errors are 200 too, and nothing is
// signed; WeChat's Content-Type is not confirmed, so the worse one is played.
func (s *Sim) login(appid, param string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &Call{Target: "login", Method: r.Method, Path: wireURI(r), At: s.clock.header()}
		s.arrive(c)
		refused := s.admitLogin(r, appid, param)
		var fault Fault
		if refused == nil {
			fault = s.drawFault("login", r.URL.Path)
		}
		status, body := s.exchange(r, appid, param, refused, fault.Fault)
		s.note(func() { c.Authorized, c.Fault = refused == nil, fault.Fault })
		if !s.holdBack(r.Context(), fault) {
			reset(w)
			return
		}
		s.note(func() { c.Status = status })
		s.log.InfoContext(r.Context(), "call", "target", "login", "status", status, "fault", fault.Fault)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client may be gone
	}
}

// admitLogin checks who asks.
func (s *Sim) admitLogin(r *http.Request, appid, param string) *loginRefusal {
	q := r.URL.Query()
	switch {
	case q.Get("appid") == "":
		return &refusedMissingAppID
	case q.Get("secret") == "":
		return &refusedMissingKey
	case q.Get("grant_type") != "authorization_code":
		return &refusedGrant
	case q.Get("appid") != appid:
		return &refusedLoginAppID
	case q.Get("secret") != s.keys.account.AppSecret:
		return &refusedSecret
	case q.Get(param) == "":
		return &refusedMissingCode
	}
	return nil
}

// exchange answers, unless something stands before it.
func (s *Sim) exchange(r *http.Request, appid, param string, refused *loginRefusal, fault string) (int, []byte) {
	if ordered, ok := loginFaults[fault]; ok && refused == nil {
		refused = ordered
	}
	switch {
	case refused != nil:
		return http.StatusOK, compact(refused)
	case fault == "status_500":
		return http.StatusInternalServerError, nil
	case fault == "status_429":
		return http.StatusTooManyRequests, nil
	}
	c, refused := s.useCode(r.URL.Query().Get(param), appid)
	switch {
	case fault == "garbage":
		return http.StatusOK, []byte("<html>微信")
	case refused != nil:
		return http.StatusOK, compact(refused)
	case c.scope == "":
		return http.StatusOK, compact(map[string]any{
			"openid": c.openid, "session_key": base64.StdEncoding.EncodeToString([]byte(nonce(16))),
		})
	}
	token := map[string]any{
		"access_token": nonce(64), "expires_in": 7200, "refresh_token": nonce(64), "openid": c.openid, "scope": c.scope,
	}
	if c.snapshot {
		token["is_snapshotuser"] = 1
	}
	return http.StatusOK, compact(token)
}
