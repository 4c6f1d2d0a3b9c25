package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

//go:embed assets pages
var files embed.FS

// pages are the shop's pages. They are complete without JavaScript, but for
// the buttons: those post JSON to the kit, as any front end does.
type pages struct {
	shop
	homePage, orderPage, plainPage *template.Template
}

func newPages(s shop) (*pages, error) {
	p := &pages{shop: s}
	for name, into := range map[string]**template.Template{
		"home.html": &p.homePage, "order.html": &p.orderPage, "plain.html": &p.plainPage,
	} {
		page, err := template.New("layout.html").Funcs(template.FuncMap{
			"yuan": yuan, "date": date, "clock": clockTime,
		}).ParseFS(files, "pages/layout.html", "pages/"+name)
		if err != nil {
			return nil, err
		}
		*into = page
	}
	return p, nil
}

// view is what every page shows.
type view struct {
	Title  string
	User   string // empty: nobody is signed in
	OpenID string
	Phone  string
	Reload bool // without JavaScript the page reloads itself
	Page   any
}

func (p *pages) viewFor(r *http.Request, title string) view {
	user, _ := identify(r) // nobody is a person, too
	return view{Title: title, User: user, OpenID: openID(user), Phone: p.phone}
}

// homeView is the page of goods.
type homeView struct {
	member
	Memberships []membership
	IsMember    bool
}

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	v := p.viewFor(r, "会员")
	who, err := p.members.of(r.Context(), v.User)
	if err != nil {
		p.trouble(w, r, err)
		return
	}
	v.Page = homeView{member: who, Memberships: memberships, IsMember: who.VIPUntil.After(time.Now())}
	p.show(w, r, http.StatusOK, p.homePage, v)
}

// orderView is the page of one order.
type orderView struct {
	wxpay.Order
	State     string // waiting, expired, paid or closed
	Status    string // the same for people
	Product   string
	Seconds   int    // left to pay
	ScanURL   string // this order on the simulator's phone
	VIPUntil  time.Time
	Granted   bool
	Following bool // the page has still to change by itself
}

func (p *pages) order(w http.ResponseWriter, r *http.Request) {
	v := p.viewFor(r, "订单")
	if v.User == "" {
		p.plain(w, r, http.StatusUnauthorized, "请先登录", "登录后才能查看自己的订单。")
		return
	}
	o, err := p.orders.Get(r.Context(), r.URL.Query().Get("no"))
	switch {
	case errors.Is(err, orderstore.ErrNotFound), err == nil && o.UserID != v.User:
		p.plain(w, r, http.StatusNotFound, "没有这个订单", "请检查订单号，或确认登录的是下单时的用户。")
		return
	case err != nil:
		p.trouble(w, r, err)
		return
	}
	who, err := p.members.of(r.Context(), v.User)
	if err != nil {
		p.trouble(w, r, err)
		return
	}
	page := p.orderViewOf(o, who, time.Now())
	v.Title, v.Reload, v.Page = page.Status, page.Following, page
	p.show(w, r, http.StatusOK, p.orderPage, v)
}

func (p *pages) orderViewOf(o wxpay.Order, who member, now time.Time) orderView {
	_, granted := who.grantOf(o.OutTradeNo)
	v := orderView{Order: o, Product: productNames[o.Product], VIPUntil: who.VIPUntil, Granted: granted}
	switch {
	case o.PayStatus == orderstore.Paid:
		v.State, v.Status, v.Following = "paid", "支付成功", !v.Granted
	case o.PayStatus == orderstore.Closed:
		v.State, v.Status = "closed", "订单已关闭"
	case o.Expired(now):
		v.State, v.Status, v.Following = "expired", "支付时间已过", true // money may be on its way
	default:
		v.State, v.Status, v.Following = "waiting", "等待支付", true
		v.Seconds = int(o.ExpiresAt.Sub(now).Round(time.Second).Seconds())
		v.ScanURL = p.scanURL(o)
	}
	return v
}

// scanURL opens this order on the simulator's phone, as if the code on the
// screen had been scanned.
func (p *pages) scanURL(o wxpay.Order) string {
	if p.phone == "" || o.Credential.IsZero() {
		return p.phone
	}
	return p.phone + "?" + url.Values{"scan": {o.CodeURL + o.H5URL + o.PrepayID}}.Encode()
}

var productNames = map[orderstore.Product]string{
	orderstore.Native: "微信扫码", orderstore.MiniProgram: "小程序", orderstore.JSAPI: "公众号", orderstore.App: "App", orderstore.H5: "H5",
}

// plain is a page with a sentence.
func (p *pages) plain(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	v := p.viewFor(r, title)
	v.Page = text
	p.show(w, r, status, p.plainPage, v)
}

func (p *pages) trouble(w http.ResponseWriter, r *http.Request, cause error) {
	p.logger.ErrorContext(r.Context(), "page cannot be shown", slog.String("path", r.URL.Path), slog.Any("cause", cause))
	p.plain(w, r, http.StatusServiceUnavailable, "暂时打不开", "请稍后再试。")
}

// show renders a page. Nothing inline, nothing foreign: a name that is really
// a script stays text, and would not run if it did not.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, page *template.Template, v view) {
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		p.logger.ErrorContext(r.Context(), "page cannot be rendered", slog.Any("cause", err))
		http.Error(w, "暂时打不开", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin") // H5 needs the origin
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

// asset serves the style sheet, the script and the picture.
func (p *pages) asset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, files, strings.TrimPrefix(r.URL.Path, "/"))
}

// beijing is the zone of the shop's customers.
var beijing = time.FixedZone("CST", 8*60*60)

func yuan(f orderstore.Fen) string    { return fmt.Sprintf("%d.%02d", f/100, f%100) }
func date(t time.Time) string         { return t.In(beijing).Format("2006年1月2日") }
func clockTime(t time.Time) string    { return t.In(beijing).Format(time.DateTime) }
func (v orderView) CountDown() string { return fmt.Sprintf("%02d:%02d", v.Seconds/60, v.Seconds%60) }
