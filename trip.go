package wxpay

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// trip is a browser's way to WeChat and back. It is kept by the browser alone,
// sealed, in a cookie of its own, so that it may begin at one replica and end
// at another and that two tabs do not get into each other's way.
type trip struct {
	State    string `json:"s"`
	Redirect string `json:"r,omitempty"` // where it ends; isLocal
	Again    bool   `json:"a,omitempty"` // WeChat said once that the code was used

	// Who came back, for a browser or a WeChat that opens the callback again.
	AppID   string `json:"i,omitempty"`
	OpenID  string `json:"o,omitempty"`
	UnionID string `json:"u,omitempty"`
}

const (
	tripCookie = "wxpay_oauth_" // and the state
	tripLife   = 10 * time.Minute
	replayLife = 2 * time.Minute
	// maxTrips bounds the cookies: the oldest beyond are dropped.
	maxTrips = 4
)

var (
	errNoTrip    = errors.New("this browser has no such state")
	errNotSealed = errors.New("the cookie is of another state")
)

// keep gives the browser the trip. No script reads it, and no request from
// another site carries it except the one that opens a page: WeChat's, coming
// back. It is as secure as the page it comes back to.
func (k *Kit) keep(w http.ResponseWriter, r *http.Request, t trip, life time.Duration) {
	k.forget(w, r)
	text, err := json.Marshal(t)
	if err != nil { // cannot happen: strings
		return
	}
	c := k.tripCookie(r, t.State)
	c.Value, c.MaxAge = k.acct.seal.Seal(tripCookie, string(text), k.opt.Now().Add(life)), int(life.Seconds())
	http.SetCookie(w, c)
}

// forget drops the oldest trips of a browser that begins many and ends none.
// Browsers send the oldest cookie first. Source: RFC 6265, section 5.4.
func (k *Kit) forget(w http.ResponseWriter, r *http.Request) {
	var states []string
	for _, c := range r.Cookies() {
		if state, ours := strings.CutPrefix(c.Name, tripCookie); ours {
			states = append(states, state)
		}
	}
	for _, state := range states[:max(0, len(states)-maxTrips+1)] {
		c := k.tripCookie(r, state)
		c.MaxAge = -1
		http.SetCookie(w, c)
	}
}

// tripCookie has no value yet. It is sent to the kit only.
func (k *Kit) tripCookie(r *http.Request, state string) *http.Cookie {
	back := k.callbackURL(r)
	path := strings.TrimSuffix(back.EscapedPath(), "/oauth/callback")
	set(&path, "/")
	return &http.Cookie{
		Name: tripCookie + state, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: back.Scheme == "https" || r.TLS != nil,
	}
}

// tripOf finds the trip whose state WeChat brings back.
func (k *Kit) tripOf(r *http.Request) (trip, error) {
	state := r.URL.Query().Get("state")
	c, err := r.Cookie(tripCookie + state)
	if err != nil {
		return trip{}, errNoTrip
	}
	text, err := k.acct.seal.Open(tripCookie, c.Value, k.opt.Now())
	if err != nil {
		return trip{}, err
	}
	var t trip
	if err := json.Unmarshal([]byte(text), &t); err != nil || t.State != state {
		return trip{}, errNotSealed
	}
	return t, nil
}
