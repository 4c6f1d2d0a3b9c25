package wxapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testNo      = "20260101-A|*"
	prepayBody  = `{"appid":"wx1","out_trade_no":"20260101-A|*","description":"a&b"}`
	prepaid     = `{"prepay_id":"wx201410272009395522657a690389285100"}`
	notPaid     = `{"appid":"wx1","mchid":"1230000109","out_trade_no":"20260101-A|*","trade_state":"NOTPAY"}`
	closeBody   = `{"mchid":"1230000109"}`
	escapedNo   = "20260101-A%7C%2A"
	queryTarget = "/v3/pay/transactions/out-trade-no/" + escapedNo + "?mchid=1230000109"
	closeTarget = "/v3/pay/transactions/out-trade-no/" + escapedNo + "/close"
)

// verb is one of the calls, with what it sends and the answer it likes.
type verb struct {
	name, method, uri, body string
	ok                      step
	call                    func(context.Context, *wxapi.Client) error
}

func verbs() []verb {
	return []verb{
		{"prepay", "POST", "/v3/pay/transactions/jsapi", prepayBody, reply(200, prepaid),
			func(ctx context.Context, c *wxapi.Client) error {
				_, err := c.Prepay(ctx, wxapi.JSAPI, []byte(prepayBody))
				return err
			}},
		{"query", "GET", queryTarget, "", reply(200, notPaid),
			func(ctx context.Context, c *wxapi.Client) error {
				_, err := c.Query(ctx, testNo)
				return err
			}},
		{"close", "POST", closeTarget, closeBody, reply(204, ""),
			func(ctx context.Context, c *wxapi.Client) error { return c.Close(ctx, testNo) }},
		{"refund_query", "GET", refundTarget + "/" + escapedRefundNo, "", reply(200, refundAnswer),
			func(ctx context.Context, c *wxapi.Client) error {
				_, err := c.QueryRefund(ctx, testRefundNo)
				return err
			}},
	}
}

// again answers the same as often as a call may ask.
func again(s step) []step { return []step{s, s, s} }

var retryCases = []struct {
	name  string
	steps []step
	want  want
}{
	{"500 then ok", []step{refuse(500, "SYSTEM_ERROR"), nil}, want{hits: 2}},
	{"500 502 then ok", []step{refuse(500, "SYSTEM_ERROR"), unsigned(502, "<html>"), nil}, want{hits: 3}},
	{"500 500 500", again(refuse(500, "SYSTEM_ERROR")), want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR", hits: 3}},
	{"503 page of a gateway", again(unsigned(503, "<html>")), want{is: wxapi.ErrUnknown, status: 503, hits: 3}},
	{"429 then ok", []step{refuse(429, "FREQUENCY_LIMITED"), nil}, want{hits: 2}},
	{"202 then ok", []step{refuse(202, "USERPAYING"), nil}, want{hits: 2}},
	{"202 202 202", again(reply(202, `{"code":"USERPAYING"}`)), want{is: wxapi.ErrUnknown, status: 202, code: "USERPAYING", hits: 3}},
	{"reset then ok", []step{reset, nil}, want{hits: 2}},
	{"reset reset reset", again(reset), want{is: wxapi.ErrUnknown, hits: 3}},
	{"cut off in the body then ok", []step{truncated, nil}, want{hits: 2}},
	{"unsigned 200 then ok", []step{unsigned(200, "{}"), nil}, want{hits: 2}},

	{"400", []step{refuse(400, "PARAM_ERROR")}, want{status: 400, code: "PARAM_ERROR", hits: 1}},
	{"401", []step{refuse(401, "SIGN_ERROR")}, want{status: 401, code: "SIGN_ERROR", hits: 1}},
	{"403", []step{refuse(403, "RULE_LIMIT")}, want{status: 403, code: "RULE_LIMIT", hits: 1}},
	{"404 empty", []step{unsigned(404, "")}, want{status: 404, hits: 1}},
	{"400 beyond 1 MiB", []step{unsigned(400, strings.Repeat(" ", 1<<20+1))}, want{status: 400, hits: 1}},
	{"redirect is not followed", []step{redirect}, want{is: wxapi.ErrUnknown, status: 302, hits: 1}},

	{"reset, then refused: the answer settles both", []step{reset, refuse(403, "NO_AUTH")}, want{status: 403, code: "NO_AUTH", hits: 2}},
	{"reset, then a bad signature: the first is still open", []step{reset, refuse(401, "SIGN_ERROR")},
		want{is: wxapi.ErrUnknown, status: 401, code: "SIGN_ERROR", hits: 2}},
	{"reset, then a gateway's page: the first is still open", []step{reset, unsigned(403, "<html>")},
		want{is: wxapi.ErrUnknown, status: 403, hits: 2}},
	{"500, then slow down twice: the first is still open", []step{refuse(500, "SYSTEM_ERROR"), refuse(429, "X"), refuse(429, "X")},
		want{is: wxapi.ErrUnknown, status: 429, code: "X", hits: 3}},
	{"probe then ok", []step{probe, nil}, want{hits: 2}},
	{"unsigned 200s", again(unsigned(200, prepaid)), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrHeaderMissing, hits: 3}},
	{"unsigned 204s", again(unsigned(204, "")), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrHeaderMissing, hits: 3}},
	{"a stranger's signature", again(forged), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature, hits: 3}},
	{"an old timestamp", again(signedAt(-5 * time.Minute)), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrTimestamp, hits: 3}},
	{"a timestamp ahead", again(signedAt(6 * time.Minute)), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrTimestamp, hits: 3}},
	{"a changed body", again(tampered), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature, hits: 3}},
	{"2xx beyond 1 MiB", []step{reply(200, strings.Repeat(" ", 1<<20+1))}, want{is: wxapi.ErrUnknown, hits: 1}},
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		for _, tt := range retryCases {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				steps := make([]step, len(tt.steps))
				for i, s := range tt.steps {
					if steps[i] = s; s == nil {
						steps[i] = v.ok
					}
				}
				w := newWeChat(t, steps...)
				err := v.call(t.Context(), w.client(t))
				tt.want.check(t, err)
				w.checkHits(t, v, tt.want.hits)
				if leaks(err) {
					t.Errorf("the error tells too much: %v", err)
				}
			})
		}
	}
}

// TestGarbage is what one verb likes and the others do not.
func TestGarbage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		verb int // index in verbs
		body string
		want want
		text string
	}{
		{"prepay: not JSON", 0, "<html>", want{is: wxapi.ErrUnknown, hits: 1}, "invalid character"},
		{"prepay: the other product's credential", 0, `{"code_url":"weixin://"}`, want{is: wxapi.ErrUnknown, hits: 1}, "prepay_id is missing"},
		{"prepay: null", 0, `null`, want{is: wxapi.ErrUnknown, hits: 1}, "prepay_id is missing"},
		{"query: not JSON", 1, "<html>", want{is: wxapi.ErrUnknown, hits: 1}, "the character '<' at byte 0"},
		{"query: empty", 1, "", want{is: wxapi.ErrUnknown, hits: 1}, "unexpected end"},
		{"query: half a transaction", 1, `{"mchid":"1230000109"}`, want{is: wxapi.ErrUnknown, hits: 1}, "out_trade_no is missing"},
		{"query: another order", 1, strings.Replace(notPaid, "-A", "-B", 1), want{is: wxapi.ErrUnknown, hits: 1}, "another order"},
		{"query: another merchant", 1, strings.Replace(notPaid, "0109", "0110", 1), want{is: wxapi.ErrUnknown, hits: 1}, "another order"},
		{"close: not empty", 2, "garbage", want{is: wxapi.ErrUnknown, hits: 1}, "it is not empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := verbs()[tt.verb]
			w := newWeChat(t, reply(200, tt.body))
			err := v.call(t.Context(), w.client(t))
			tt.want.check(t, err)
			w.checkHits(t, v, tt.want.hits)
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("err: %v, want %q in it", err, tt.text)
			}
		})
	}
}

// TestTooManyRequests: only on close does 429 leave the outcome open.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, again(refuse(429, "FREQUENCY_LIMITED"))...)
			expected := want{status: 429, code: "FREQUENCY_LIMITED", hits: 3}
			if v.name == "close" {
				expected.is = wxapi.ErrUnknown
			}
			expected.check(t, v.call(t.Context(), w.client(t)))
			w.checkHits(t, v, 3)
		})
	}
}

// checkHits sees that every try was the same request, signed anew.
func (f *wechat) checkHits(t *testing.T, v verb, n int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hits) != n || len(f.calls) != n {
		t.Fatalf("%d requests arrived, %d were observed, want %d", len(f.hits), len(f.calls), n)
	}
	nonces := map[string]bool{}
	for i, h := range f.hits {
		nonces[h.nonce] = true
		if h.method != v.method || h.uri != v.uri || h.body != v.body {
			t.Errorf("try %d is %s %s %q, want %s %s %q", i+1, h.method, h.uri, h.body, v.method, v.uri, v.body)
		}
		if c := f.calls[i]; c.Op != v.name || c.Attempt != i+1 || c.Host != h.host || c.Backup != h.backup {
			t.Errorf("try %d was observed as %+v, at host %s", i+1, c, h.host)
		}
	}
	if len(nonces) != n {
		t.Errorf("%d nonces for %d tries", len(nonces), n)
	}
	for i, d := range f.slept {
		if most := []time.Duration{200 * time.Millisecond, 800 * time.Millisecond}[i]; d < 0 || d > most {
			t.Errorf("pause %d is %s, want up to %s", i+1, d, most)
		}
	}
	if len(f.slept) != n-1 {
		t.Errorf("%d pauses between %d tries", len(f.slept), n)
	}
}

// leaks reports whether an error shows what no log may hold.
func leaks(err error) bool {
	if err == nil {
		return false
	}
	for _, secret := range []string{"WECHATPAY2", "mchid", testMchID, testNo, escapedNo, testAPIv3Key, "wx1"} {
		if strings.Contains(err.Error(), secret) {
			return true
		}
	}
	return false
}

func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, "{")
}

func redirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "/v3/elsewhere")
	w.WriteHeader(http.StatusFound)
}

func forged(w http.ResponseWriter, _ *http.Request) {
	sign(w.Header(), merchantKey(), testPublicKeyID, []byte(prepaid), time.Now())
	io.WriteString(w, prepaid)
}

func tampered(w http.ResponseWriter, _ *http.Request) {
	sign(w.Header(), wechatKey(), testPublicKeyID, []byte(prepaid), time.Now())
	io.WriteString(w, strings.Replace(prepaid, "wx2014", "wx2015", 1))
}

// probe is WeChat Pay's deliberately wrong signature (签名探测流量).
func probe(w http.ResponseWriter, _ *http.Request) {
	sign(w.Header(), wechatKey(), testPublicKeyID, []byte(prepaid), time.Now())
	h := w.Header()
	h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature")[19:])
	io.WriteString(w, prepaid)
}

func signedAt(d time.Duration) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		sign(w.Header(), wechatKey(), testPublicKeyID, []byte(prepaid), time.Now().Add(d))
		io.WriteString(w, prepaid)
	}
}
