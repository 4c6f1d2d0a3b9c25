// Package cashier draws the page on which a customer pays an order: one
// document with its style sheet and script inside, so that it needs nothing
// else and a strict content security policy can name what may run by hash.
package cashier

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"strings"
)

//go:embed files
var files embed.FS

// Theme is how the page looks for one app.
type Theme struct {
	Title   string // whose cashier it is; may be empty
	LogoURL string // a path, or an https URL; may be empty
	Accent  string // #rrggbb; see [ParseAccent]
}

// Screens draws pages in one theme. It is safe for concurrent use.
type Screens struct {
	theme         Theme
	order, notice *template.Template
	style, script template.HTML
	policy        string
}

// New prepares the pages of a theme.
func New(theme Theme) (*Screens, error) {
	s := &Screens{theme: theme}
	for name, into := range map[string]**template.Template{"order.html": &s.order, "notice.html": &s.notice} {
		page, err := template.New("layout.html").Funcs(template.FuncMap{"yuan": yuan, "clock": clock}).
			ParseFS(files, "files/layout.html", "files/"+name)
		if err != nil {
			return nil, err
		}
		*into = page
	}
	style, err := files.ReadFile("files/cashier.css")
	if err != nil {
		return nil, err
	}
	script, err := files.ReadFile("files/cashier.js")
	if err != nil {
		return nil, err
	}
	accent, err := accentCSS(theme.Accent)
	if err != nil {
		return nil, err
	}
	themed := accent + string(style)
	s.style = template.HTML("<style>" + themed + "</style>")            // ours, but for the six digits of the accent
	s.script = template.HTML("<script>" + string(script) + "</script>") // ours
	s.policy = policy(themed, string(script), theme.LogoURL)
	return s, nil
}

// policy lets run what is in the page and nothing else: names and descriptions
// that are really markup stay text, and would do nothing if they did not.
func policy(style, script, logo string) string {
	images := "'self'"
	if u, err := url.Parse(logo); err == nil && u.Host != "" {
		images += " " + u.Scheme + "://" + u.Host
	}
	return strings.Join([]string{
		"default-src 'none'", "style-src " + hash(style), "script-src " + hash(script), "img-src " + images,
		"connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// bridgeFrames is for pages inside WeChat: its bridge may call the app through
// a frame with a scheme of its own, which leads to no page.
const bridgeFrames = "; frame-src weixin: wvjbscheme:"

// Policy is the Content-Security-Policy that fits the pages, for one that pays
// through WeChat's bridge or not.
func (s *Screens) Policy(bridge bool) string {
	if bridge {
		return s.policy + bridgeFrames
	}
	return s.policy
}

// view is what a template sees.
type view struct {
	Theme
	Style, Script template.HTML
	Words         words
	Title         string
	Page          any
}

// Order draws the page of an order.
func (s *Screens) Order(o Order) ([]byte, error) {
	w := wordsIn(o.English)
	return s.draw(s.order, view{Words: w, Title: w.Status[o.State], Script: s.script, Page: o})
}

// Notice draws a page that only says something: why there is no order to see.
func (s *Screens) Notice(n Notice) ([]byte, error) {
	return s.draw(s.notice, view{Words: wordsIn(n.English), Title: n.Text, Page: n})
}

func (s *Screens) draw(page *template.Template, v view) ([]byte, error) {
	v.Theme, v.Style = s.theme, s.style
	var out bytes.Buffer
	err := page.Execute(&out, v)
	return out.Bytes(), err
}
