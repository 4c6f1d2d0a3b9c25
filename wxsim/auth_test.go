package wxsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// Each case changes one thing in a good call.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t, wxsim.Config{Now: func() time.Time { return noon }})
	compose := func(format string) func(mchid, serial, nonce, ts, sig string) string {
		return func(mchid, serial, nonce, ts, sig string) string {
			return strings.NewReplacer("MCHID", mchid, "SERIAL", serial, "NONCE", nonce, "TS", ts, "SIG", sig).Replace(format)
		}
	}
	const good = `WECHATPAY2-SHA256-RSA2048 mchid="MCHID",nonce_str="NONCE",signature="SIG",timestamp="TS",serial_no="SERIAL"`
	for _, c := range []struct {
		name   string
		change func(m *merchant)
		status int
		code   string
	}{
		{"good", func(*merchant) {}, 200, ""},
		{"pairs in another order", func(m *merchant) {
			m.authorization = compose(`WECHATPAY2-SHA256-RSA2048 serial_no="SERIAL",timestamp="TS",signature="SIG",nonce_str="NONCE",mchid="MCHID"`)
		}, 200, ""},
		{"300 s slow", func(m *merchant) { m.now = func() time.Time { return noon.Add(-300 * time.Second) } }, 200, ""},
		{"300 s fast", func(m *merchant) { m.now = func() time.Time { return noon.Add(300 * time.Second) } }, 200, ""},
		{"301 s slow", func(m *merchant) { m.now = func() time.Time { return noon.Add(-301 * time.Second) } }, 401, "SIGN_ERROR"},
		{"301 s fast", func(m *merchant) { m.now = func() time.Time { return noon.Add(301 * time.Second) } }, 401, "SIGN_ERROR"},
		{"no header", func(m *merchant) { m.header = func(h http.Header) { h.Del("Authorization") } }, 401, "SIGN_ERROR"},
		{"Bearer", func(m *merchant) {
			m.authorization = compose(strings.Replace(good, "WECHATPAY2-SHA256-RSA2048", "Bearer", 1))
		}, 401, "SIGN_ERROR"},
		{"SM2 scheme", func(m *merchant) {
			m.authorization = compose(strings.Replace(good, "SHA256-RSA2048", "SM2-WITH-SM3", 1))
		}, 401, "SIGN_ERROR"},
		{"lower-case scheme", func(m *merchant) {
			m.authorization = compose(strings.Replace(good, "WECHATPAY2-SHA256-RSA2048", "wechatpay2-sha256-rsa2048", 1))
		}, 401, "SIGN_ERROR"},
		{"two spaces after the scheme", func(m *merchant) { m.authorization = compose(strings.Replace(good, " ", "  ", 1)) }, 401, "SIGN_ERROR"},
		{"spaces after commas", func(m *merchant) { m.authorization = compose(strings.ReplaceAll(good, ",", ", ")) }, 401, "SIGN_ERROR"},
		{"no quotes", func(m *merchant) { m.authorization = compose(strings.ReplaceAll(good, `"`, "")) }, 401, "SIGN_ERROR"},
		{"serial missing", func(m *merchant) { m.authorization = compose(strings.Replace(good, `,serial_no="SERIAL"`, "", 1)) }, 401, "SIGN_ERROR"},
		{"mchid twice", func(m *merchant) { m.authorization = compose(good + `,mchid="MCHID"`) }, 401, "SIGN_ERROR"},
		{"foreign pair", func(m *merchant) { m.authorization = compose(good + `,brand_id="1"`) }, 401, "SIGN_ERROR"},
		{"nonce empty", func(m *merchant) { m.authorization = compose(strings.Replace(good, "NONCE", "", 1)) }, 401, "SIGN_ERROR"},
		{"another nonce", func(m *merchant) { m.authorization = compose(strings.Replace(good, "NONCE", "NONCEx", 1)) }, 401, "SIGN_ERROR"},
		{"timestamp not a number", func(m *merchant) { m.authorization = compose(strings.Replace(good, `"TS"`, `"now"`, 1)) }, 401, "SIGN_ERROR"},
		{"timestamp in milliseconds", func(m *merchant) { m.authorization = compose(strings.Replace(good, `"TS"`, `"TS000"`, 1)) }, 401, "SIGN_ERROR"},
		{"another merchant", func(m *merchant) { m.authorization = compose(strings.Replace(good, "MCHID", "1900000109", 1)) }, 401, "SIGN_ERROR"},
		{"public key id as serial", func(m *merchant) {
			m.authorization = compose(strings.Replace(good, "SERIAL", m.account.PublicKeyID, 1))
		}, 401, "SIGN_ERROR"},
		{"lower-case serial", func(m *merchant) {
			m.authorization = compose(strings.Replace(good, "SERIAL", strings.ToLower(m.account.SerialNo)+"a", 1))
		}, 401, "SIGN_ERROR"},
		{"query missing from line 2", func(m *merchant) {
			m.signedURI = func(uri string) string { path, _, _ := strings.Cut(uri, "?"); return path }
		}, 401, "SIGN_ERROR"},
		{"host in line 2", func(m *merchant) { m.signedURI = func(uri string) string { return m.base + uri } }, 401, "SIGN_ERROR"},
		{"body signed on a GET", func(m *merchant) { m.signedBody = func([]byte) []byte { return []byte("{}") } }, 401, "SIGN_ERROR"},
		{"signature not base64", func(m *merchant) { m.authorization = compose(strings.Replace(good, "SIG", "SIG*", 1)) }, 401, "SIGN_ERROR"},
		{"unknown Wechatpay-Serial", func(m *merchant) { m.serialHeader = "PUB_KEY_ID_0000" }, 400, "PARAM_ERROR"},
		{"no User-Agent", func(m *merchant) { m.header = func(h http.Header) { h.Set("User-Agent", "") } }, 400, "INVALID_REQUEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, sim)
			m.now = func() time.Time { return noon }
			c.change(m)
			r, err := m.try("GET", "/v3/certificates?algorithm_type=RSA", nil)
			if err != nil {
				t.Fatalf("call: %v", err)
			}
			if r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %q, want %d %q: %s", r.status, r.code(), c.status, c.code, r.body)
			}
			if signed := r.header.Get("Wechatpay-Signature") != ""; signed != (c.status == 200) {
				t.Errorf("status %d, signed: %v", r.status, signed)
			}
		})
	}
}

// The clock is looked at before the signature, so that a wrong clock is told
// from a wrong key.
func TestAuthorizationTimestampFirst(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, wxsim.Start(t))
	m.now = func() time.Time { return time.Now().Add(-time.Hour) }
	m.signedURI = func(string) string { return "/elsewhere" }
	r, err := m.try("GET", "/v3/certificates", nil)
	if err != nil {
		t.Fatalf("call: %v", err)
	}
	if got := r.text("message"); !strings.Contains(got, "timestamp") {
		t.Errorf("message %q does not blame the timestamp", got)
	}
}

// On the payment paths a missing User-Agent passes, a missing scheme is told
// by its own message, and a 401 has no Request-ID.
func TestAuthorizationOnPaymentPaths(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, wxsim.Start(t))
	m.header = func(h http.Header) { h.Set("User-Agent", "") }
	m.prepay("native", "order-no-agent", nil)
	m.header = func(h http.Header) { h.Del("Authorization") }
	r, err := m.try("GET", transactions+"id/4200000000000000000000000000?mchid="+m.account.MchID, nil)
	if err != nil {
		t.Fatalf("call: %v", err)
	}
	if r.status != 401 || r.text("message") != "签名信息错误，验签失败" || r.header.Get("Request-ID") != "" {
		t.Errorf("answer %d %s, Request-ID %q", r.status, r.body, r.header.Get("Request-ID"))
	}
}

// The signed bytes are the sent bytes: escaped numbers, exact bodies.
func TestAuthorizationExactBytes(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, wxsim.Start(t))
	m.prepay("native", "A|B*C_1-2", nil)
	for _, path := range []string{"A%7CB%2AC_1-2", "A%7cB%2aC_1-2", "A%7CB*C_1-2"} {
		if r := m.query(path); r.status != 200 || r.text("out_trade_no") != "A|B*C_1-2" {
			t.Errorf("query %s: %d %s", path, r.status, r.body)
		}
	}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, m.order("native", "order-spaced", nil), "\t", "  "); err != nil {
		t.Fatalf("indent: %v", err)
	}
	if r := m.call("POST", transactions+"native", append(spaced.Bytes(), '\n')); r.status != 200 {
		t.Errorf("body with spaces: %d %s", r.status, r.body)
	}
	m.signedBody = func(b []byte) []byte { return append(b, '\n') }
	r, err := m.try("POST", transactions+"native", m.order("native", "order-newline", nil))
	if err != nil || r.status != 401 {
		t.Errorf("body signed with a newline that was not sent: %d %v", r.status, err)
	}
}

// A journal tells tests what arrived.
func TestCalls(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	m := newMerchant(t, sim)
	m.prepay("native", "order-journal", nil)
	m.query("order-journal")
	m.header = func(h http.Header) { h.Set("Authorization", "Bearer x") }
	if _, err := m.try("GET", transactions+"out-trade-no/order-journal?mchid="+m.account.MchID, nil); err != nil {
		t.Fatalf("call: %v", err)
	}
	var got []string
	for _, c := range sim.Calls() {
		got = append(got, fmt.Sprint(c.Target, " ", c.Method, " ", c.Authorized, " ", c.Status, " ", len(c.Body) > 0))
	}
	want := []string{"prepay POST true 200 true", "query GET true 200 false", "query GET false 401 false"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("calls %q, want %q", got, want)
	}
	for target, want := range map[string]int{"prepay": 1, "query": 2, "close": 0} {
		if got := sim.Requests(target); got != want {
			t.Errorf("Requests(%q) = %d, want %d", target, got, want)
		}
	}
}

// A body must say that it is JSON; whether it is signed comes first.
func TestContentType(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, wxsim.Start(t))
	for sent, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "APPLICATION/JSON": 200,
		"": 400, "text/plain": 400, "application/x-www-form-urlencoded": 400, "application/json;;": 400,
	} {
		m.header = func(h http.Header) { h.Set("Content-Type", sent) }
		if r := m.call("POST", transactions+"native", m.order("native", "order-type", nil)); r.status != status || status == 400 && (r.code() != "PARAM_ERROR" || detailField(r) != "Content-Type") {
			t.Errorf("Content-Type %q: %d %s", sent, r.status, r.body)
		}
	}
	m.header = func(h http.Header) { h.Del("Content-Type"); h.Del("Authorization") }
	if r := m.call("POST", transactions+"native", m.order("native", "order-type", nil)); r.status != 401 {
		t.Errorf("neither signed nor JSON: %d %s", r.status, r.body)
	}
}
