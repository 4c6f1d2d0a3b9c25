package wxpay

import (
	"html"
	"net/http"
	"strings"
)

// forPeople shows problems as a page to who opens an endpoint in a browser:
// nobody reads an envelope there.
func forPeople(serve func(http.ResponseWriter, *http.Request) (answer, error)) func(http.ResponseWriter, *http.Request) (answer, error) {
	return func(w http.ResponseWriter, r *http.Request) (answer, error) {
		a, err := serve(w, r)
		if err == nil || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			return a, err
		}
		f := *failed(err)
		f.page = true
		return a, &f
	}
}

// page is one sentence, with nothing in it that a browser would fetch or run.
func page(msg string) []byte {
	return []byte(`<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<title>` + html.EscapeString(msg) + `</title><p>` + html.EscapeString(msg) + "</p>\n")
}
