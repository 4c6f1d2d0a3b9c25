package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay"
)

// shop is what the pages work with.
type shop struct {
	orders  wxpay.OrderStore
	members *members
	cashier func(outTradeNo string, life time.Duration) string // a link that pays one order
	phone   string                                             // the simulator's page, empty without one
	logger  *slog.Logger
}

// addRoutes mounts all that is not the kit.
func (s shop) addRoutes(mux *http.ServeMux) error {
	p, err := newPages(s)
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /order", p.order)
	mux.HandleFunc("GET /assets/", p.asset)
	mux.HandleFunc("GET /me", s.me)
	ownPages := http.NewCrossOriginProtection() // no other site signs anybody in
	mux.Handle("POST /login", ownPages.Handler(http.HandlerFunc(login)))
	mux.Handle("POST /logout", ownPages.Handler(http.HandlerFunc(logout)))
	return nil
}

// me tells a front end who is signed in, and how often this person was granted
// a membership.
func (s shop) me(w http.ResponseWriter, r *http.Request) {
	user, err := identify(r)
	if err != nil {
		reply(w, http.StatusUnauthorized, refusal{http.StatusUnauthorized, "请先登录"})
		return
	}
	who, err := s.members.of(r.Context(), user)
	if err != nil {
		s.logger.ErrorContext(r.Context(), "member cannot be read", slog.Any("cause", err))
		reply(w, http.StatusServiceUnavailable, refusal{http.StatusServiceUnavailable, "会员服务暂时不可用，请稍后重试"})
		return
	}
	until := ""
	if !who.VIPUntil.IsZero() {
		until = who.VIPUntil.In(beijing).Format(time.RFC3339)
	}
	reply(w, http.StatusOK, profile{user, len(who.Grants), until})
}

// profile is the answer of GET /me.
type profile struct {
	User     string `json:"user"`
	Grants   int    `json:"grants"`
	VIPUntil string `json:"vip_until"` // RFC 3339, or empty
}

// refusal looks like the kit's own.
type refusal struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// sessionCookie names who is signed in. A demo believes it; a real shop keeps
// sessions on the server, or signs them.
const (
	sessionCookie = "shop_user"
	longestName   = 64
)

var errSignedOut = errors.New("nobody is signed in")

// identify is the kit's Identify.
func identify(r *http.Request) (userID string, err error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", errSignedOut
	}
	user := cookie.Value
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	if user = userName(user); user == "" {
		return "", errSignedOut
	}
	return user, nil
}

// userName is empty for what is no name.
func userName(s string) string {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > longestName {
		return ""
	}
	return s
}

func login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	user := userName(r.PostFormValue("user"))
	if user == "" {
		http.Error(w, "请输入用户名（最多64个字）", http.StatusBadRequest)
		return
	}
	setSession(w, r, url.PathEscape(user), 30*24*time.Hour)
}

func logout(w http.ResponseWriter, r *http.Request) { setSession(w, r, "", -time.Second) }

func setSession(w http.ResponseWriter, r *http.Request, value string, life time.Duration) {
	setCookie(w, r, value, life)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}

// openID is the person's openid: the one they came by, or one as if they had.
// The simulator knows everybody; the real WeChat Pay knows those who really came
// through its own login.
func openID(user string) string {
	if user == "" {
		return ""
	}
	if _, proven, _ := strings.Cut(user, openIDMark); proven != "" {
		return proven
	}
	sum := sha256.Sum256([]byte(user))
	return "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
}
