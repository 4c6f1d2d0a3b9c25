package wxsim

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed phone.html phone.css phone.js
var phoneFiles embed.FS

// phonePage is what phone.html shows.
type phonePage struct {
	Title   string
	Clock   string
	Problem string
	Hint    string
	Refresh bool
	Scanner bool
	Scan    string
	Waiting []phoneCard
	History []phoneCard
}

// phone mounts the page that plays the customer's phone. It works with plain
// forms; the script only reloads the list.
func (s *Sim) phone(mux *http.ServeMux) {
	page, err := template.ParseFS(phoneFiles, "phone.html")
	if err != nil { // the file is compiled in; a test renders it
		s.log.Error("phone page", "err", err)
		return
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.showHome(w, r, page) })
	mux.HandleFunc("GET /h5", func(w http.ResponseWriter, r *http.Request) { s.showH5(w, r, page) })
	mux.HandleFunc("POST /_phone/pay", guard(s.press(page, s.pay)))
	mux.HandleFunc("POST /_phone/cancel", guard(s.press(page, func(_ context.Context, no, _ string) error { return s.Cancel(no) })))
	mux.HandleFunc("POST /_phone/fail", guard(s.press(page, func(_ context.Context, no, _ string) error { return s.Fail(no) })))
	mux.HandleFunc("GET /_phone/style.css", file("phone.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /_phone/refresh.js", file("phone.js", "text/javascript; charset=utf-8"))
}

// file serves one embedded file.
func file(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeFileFS(w, r, phoneFiles, name)
	}
}

// show renders a page. Nothing inline, nothing foreign: everything the page
// needs comes from this server. back is where its form may lead in the end.
func show(w http.ResponseWriter, page *template.Template, status int, view phonePage, back *url.URL) {
	target := ""
	if back != nil {
		target = " " + back.Scheme + "://" + back.Host
	}
	var out bytes.Buffer
	if err := page.Execute(&out, view); err != nil {
		http.Error(w, "page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"+target)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

// showHome lists what waits and what was; with ?scan= it shows the order of a
// pasted code alone.
func (s *Sim) showHome(w http.ResponseWriter, r *http.Request, page *template.Template) {
	view := phonePage{Title: "微信支付", Clock: s.clockText(), Scanner: true}
	code := r.URL.Query().Get("scan")
	if code == "" {
		view.Refresh = true
		view.Waiting, view.History = s.cards()
		show(w, page, http.StatusOK, view, nil)
		return
	}
	view.Scan = code
	card, err := s.scan(code)
	if err != nil {
		view.Problem = phoneText(err)
		show(w, page, http.StatusNotFound, view, nil)
		return
	}
	view.Waiting = []phoneCard{card}
	show(w, page, http.StatusOK, view, nil)
}

// showH5 is where h5_url leads: one order, and the way back to the shop.
func (s *Sim) showH5(w http.ResponseWriter, r *http.Request, page *template.Template) {
	q := r.URL.Query()
	view := phonePage{Title: "确认支付", Clock: s.clockText()}
	back, err := returnURL(q.Get("redirect_url"))
	var card phoneCard
	if err == nil {
		card, err = s.openH5(q.Get("prepay_id"), q.Get("package"))
	}
	if err != nil {
		view.Problem = phoneText(err)
		show(w, page, http.StatusBadRequest, view, nil)
		return
	}
	if back != nil {
		card.Return = q.Get("redirect_url")
	}
	if r.Referer() == "" {
		view.Hint = "没有Referer：真实的微信会在这里提示“商家参数格式有误”，请从商户页面跳转过来。"
	}
	view.Waiting = []phoneCard{card}
	show(w, page, http.StatusOK, view, back)
}

// press is a button of a card. Then the browser goes back to the shop when the
// page knows it, else to the list.
func (s *Sim) press(page *template.Template, do func(ctx context.Context, outTradeNo, openid string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		back, err := returnURL(r.PostFormValue("return"))
		if err == nil {
			// What has been paid is notified even if the browser goes away.
			err = do(context.WithoutCancel(r.Context()), r.PostFormValue("out_trade_no"), "")
		}
		switch {
		case err != nil:
			view := phonePage{Title: "微信支付", Clock: s.clockText(), Problem: phoneText(err), Scanner: true}
			show(w, page, customerStatus(err), view, nil)
		case back != nil:
			http.Redirect(w, r, r.PostFormValue("return"), http.StatusSeeOther)
		default:
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}
	}
}

// errReturn refuses a redirect_url that is no web address.
var errReturn = errors.New("redirect_url is not an http or https URL")

// returnURL reads a redirect_url; nil when there is none.
func returnURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !hostForm.MatchString(u.Host) {
		return nil, fmt.Errorf("%w: %.200q", errReturn, raw)
	}
	return u, nil
}

// clockText is the clock of the phone's status bar: business time.
func (s *Sim) clockText() string { return s.Now().Format("01-02 15:04:05") }
