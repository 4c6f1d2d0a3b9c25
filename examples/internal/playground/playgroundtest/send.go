package playgroundtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// reply is an answer of an app, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// send asks for a path below the endpoints, byte for byte as it is written:
// nothing is escaped or made clean on the way.
func (a *app) send(method, path, user, body string) reply {
	a.Helper()
	return a.sendTo(method, a.at+path, user, body)
}

// sendTo is send for any path of the app.
func (a *app) sendTo(method, path, user, body string) reply {
	a.Helper()
	req, err := http.NewRequestWithContext(a.Context(), method, a.server.URL, strings.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	req.URL.Opaque = path
	if strings.HasPrefix(path, "//") { // or it would be a host
		req.URL = &url.URL{Scheme: "http", Host: req.URL.Host, Path: path}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if user != "" {
		req.Header.Set("X-User", user)
	}
	return a.do(req)
}

// do follows no redirect.
func (a *app) do(req *http.Request) reply {
	a.Helper()
	resp, err := a.client.Do(req)
	if err != nil {
		a.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.Errorf("%s %s: %v", req.Method, req.URL.Opaque, err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// envelope is the one shape of every answer to a front end.
type envelope struct {
	Code *int             `json:"code"`
	Data *json.RawMessage `json:"data"`
	Msg  *string          `json:"msg"`
}

// envelope reports whether the answer has that shape and this code.
func (r reply) envelope(code int) bool {
	var e envelope
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return false
	}
	// A null leaves the pointer to the raw data nil.
	return strings.Contains(r.body, `"data":`) && e.Code != nil && *e.Code == code && e.Msg != nil && *e.Msg != "" &&
		strings.HasPrefix(r.header.Get("Content-Type"), "application/json")
}

// order is what the kit says of an order.
type order struct {
	OutTradeNo string `json:"out_trade_no"`
	QRURL      string `json:"qr_url"`
	PayStatus  int    `json:"pay_status"`
	Total      int64  `json:"total"`
}

// data is the order in an envelope, or nothing.
func (r reply) data(t *testing.T) order {
	t.Helper()
	var answer struct {
		Data order `json:"data"`
	}
	if strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
			t.Fatalf("%v in %s", err, r.body)
		}
	}
	return answer.Data
}
