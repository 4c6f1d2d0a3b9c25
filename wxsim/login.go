package wxsim

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"time"
)

// loginCodeLife is how long a login code is good for, in business time. COMMUNITY
// (wire facts §10.1): five minutes; that it is single-use is documented.
const loginCodeLife = 5 * time.Minute

// openIDForm is what WeChat's own openids are made of.
var openIDForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// loginCode is a code that waits to be exchanged for an openid.
type loginCode struct {
	appid    string
	openid   string
	scope    string // of a page's authorisation; empty for wx.login
	snapshot bool
	used     bool
	made     time.Time
}

// LoginCode returns what wx.login of the mini-program returns for a customer:
// a code that is good for one exchange within five minutes of business time. An
// empty openid is the phone's owner.
func (s *Sim) LoginCode(openid string) string {
	return s.newLoginCode(loginCode{appid: s.keys.account.AppID, openid: openid})
}

// newLoginCode hands out a code. Those that are out of date are forgotten.
func (s *Sim) newLoginCode(c loginCode) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.made = s.clock.now()
	if c.openid == "" {
		c.openid = s.customer(c.appid)
	}
	maps.DeleteFunc(s.logins, func(_ string, old loginCode) bool { return c.made.Sub(old.made) > loginCodeLife })
	s.loginsMade++
	code := s.keys.letters(fmt.Sprint("login ", s.loginsMade), alnum, 32)
	s.logins[code] = c
	return code
}

// useCode exchanges a code, once.
func (s *Sim) useCode(code, appid string) (loginCode, *loginRefusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.logins[code]
	switch {
	case !known, c.appid != appid, s.clock.now().Sub(c.made) > loginCodeLife:
		return loginCode{}, &refusedCode
	case c.used:
		return loginCode{}, &refusedUsedCode
	}
	c.used = true
	s.logins[code] = c
	return c, nil
}

// controlLogin makes a code as the customer's phone would: of wx.login, or with
// snapshot of a page.
func (s *Sim) controlLogin(w http.ResponseWriter, r *http.Request) {
	var body struct {
		OpenID   string `json:"openid"`
		Snapshot bool   `json:"snapshot"`
	}
	if !readControl(w, r, &body) {
		return
	}
	if body.OpenID != "" && !openIDForm.MatchString(body.OpenID) {
		refuse(w, http.StatusBadRequest, errors.New("openid is not 1 to 128 of 0-9 A-Z a-z _ -"))
		return
	}
	code := s.LoginCode
	if body.Snapshot { // mini-programs have no such mode
		code = func(openid string) string {
			return s.newLoginCode(loginCode{appid: s.keys.account.AppIDJSAPI, openid: openid, scope: scopeBase, snapshot: true})
		}
	}
	reply(w, http.StatusOK, map[string]string{"code": code(body.OpenID)})
}
