package wxpay

import (
	"html"
	"net/http"
	"strings"
)

// tellBrowser shows a problem as a page to who opens an endpoint in a browser:
// nobody reads an envelope there.
func tellBrowser(w http.ResponseWriter, r *http.Request, f *failure) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		tellProgram(w, r, f)
		return
	}
	write(w, f.status, htmlType, page(f.in(r)))
}

// page is one sentence, with nothing in it that a browser would fetch or run.
func page(msg string) []byte {
	return []byte(`<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<title>` + html.EscapeString(msg) + `</title><p>` + html.EscapeString(msg) + "</p>\n")
}
