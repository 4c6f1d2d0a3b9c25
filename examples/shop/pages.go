package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

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
	Admin  bool   // may refund
	OpenID string
	Phone  string
	Reload bool // without JavaScript the page reloads itself
	Page   any
}

func (p *pages) viewFor(r *http.Request, title string) view {
	user, _ := identify(r) // nobody is a person, too
	return view{Title: title, User: user, Admin: user == admin, OpenID: openID(user), Phone: p.phone}
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

func yuan(f orderstore.Fen) string { return fmt.Sprintf("%d.%02d", f/100, f%100) }
func date(t time.Time) string      { return t.In(beijing).Format("2006年1月2日") }
func clockTime(t time.Time) string { return t.In(beijing).Format(time.DateTime) }
