package probe

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/internal/seal"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func ids(found []checkup.Finding) []string {
	var ids []string
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	return ids
}

// TestRefused tells the SIGN_ERRORs apart. The messages are those of wire facts
// 1.10 and such as have been seen.
func TestRefused(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]string{
		"签名错误，请检查后再试":                                     {"private-key-wrong"},
		"Http头Authorization中的timestamp与发起请求的时间不得超过5分钟":    nil, // the clock's finding
		"商户证书序列号有误。请使用签名私钥匹配的证书序列号":                       {"serial-wrong"},
		"商户证书已过期，请更换证书":                                   {"serial-wrong"},
		"The certificate was revoked":                     {"serial-wrong"},
		"商户号有误，没有对应的商户API证书":                              {"merchant-number-wrong"},
		"商户未设置APIv3密钥":                                    {"apiv3-key-not-set"},
		"商户未申请证书，请先申请证书":                                  {"apiv3-key-not-set"},
		"Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》": {"signature-refused"},
		"签名信息错误，验签失败":                                     {"signature-refused"},
		"":                                                {"signature-refused"},
	} {
		if got := ids(refused(&wxapi.Error{Status: 401, Code: "SIGN_ERROR", Message: message})); !slices.Equal(got, want) {
			t.Errorf("%q is %v, want %v", message, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	something := []checkup.Finding{checkup.Found("signature-accepted", "")}
	tests := []struct {
		name   string
		ahead  time.Duration
		date   string
		others []checkup.Finding
		want   string
	}{
		{"right", 0, at.Format(http.TimeFormat), something, "clock-right"},
		{"29 s ahead", 29 * time.Second, at.Format(http.TimeFormat), something, "clock-right"},
		{"32 s ahead", 32 * time.Second, at.Format(http.TimeFormat), something, "clock-skewed"},
		{"32 s behind", -32 * time.Second, at.Format(http.TimeFormat), something, "clock-skewed"},
		{"241 s ahead", 242 * time.Second, at.Format(http.TimeFormat), something, "clock-wrong"},
		{"241 s behind", -241 * time.Second, at.Format(http.TimeFormat), something, "clock-wrong"},
		{"refused by WeChat Pay", 0, at.Format(http.TimeFormat), nil, "clock-wrong"},
		{"refused without a Date", 0, "", nil, "clock-wrong"},
		{"no Date", 0, "", something, "clock-unchecked"},
		{"no time in the Date", 0, "soon", something, "clock-unchecked"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dates{now: func() time.Time { return at.Add(test.ahead) }, next: roundTrip(func(*http.Request) *http.Response {
				return &http.Response{Header: http.Header{"Date": {test.date}}}
			})}
			if _, err := d.RoundTrip(new(http.Request)); err != nil {
				t.Fatal(err)
			}
			if got := d.finding(test.others); got.ID != test.want {
				t.Errorf("found %s (%s), want %s", got.ID, got.Detail, test.want)
			}
		})
	}
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestDays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, test := range []struct {
		from, to time.Duration
		want     string
	}{
		{-day, 31 * day, "merchant-certificate-fresh"},
		{-day, 30 * day, "merchant-certificate-ending"},
		{-day, 7*day + 1, "merchant-certificate-ending"},
		{-day, 7 * day, "merchant-certificate-ended"},
		{-day, -1, "merchant-certificate-ended"},
		{1, 365 * day, "merchant-certificate-ended"},
	} {
		if got := Days("merchant", now.Add(test.from), now.Add(test.to), now); got.ID != test.want || got.Says.ZH == "" {
			t.Errorf("from %v to %v: %s, want %s", test.from, test.to, got.ID, test.want)
		}
	}
	if got := PlatformDays([]wxcrypto.VerifyKey{{}}, now); got != nil {
		t.Errorf("without a certificate: %v", ids(got))
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		base                 string
		simulated, localHook bool
		want                 []string
	}{
		{"", false, false, nil},
		{"https://api.mch.weixin.qq.com", false, false, nil},
		{"https://api.wechatpay.cn", false, false, nil},
		{"https://pay-gateway.example.com", false, false, []string{"wechat-elsewhere"}},
		{"https://mch.weixin.qq.com.example.com", false, false, []string{"wechat-elsewhere"}},
		{"http://127.0.0.1:9090", true, true, []string{"wechat-simulated"}},
		{"http://127.0.0.1:9090", true, false, []string{"wechat-simulated-in-public"}},
	} {
		if got := ids(Base(test.base, test.simulated, test.localHook)); !slices.Equal(got, test.want) {
			t.Errorf("%q: %v, want %v", test.base, got, test.want)
		}
	}
}

func TestIsPrivate(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"10.0.0.1": true, "192.168.1.1": true, "172.16.0.9": true, "127.0.0.1": true, "169.254.169.254": true, "100.64.0.1": true,
		"0.0.0.0": true, "::1": true, "fe80::1": true, "fd00::1": true, "224.0.0.1": true,
		"101.226.103.1": false, "240e::1": false,
	} {
		if got := isPrivate(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s private: %t, want %t", addr, got, want)
		}
	}
}

// prober calls that URL outside of any app.
func prober(t *testing.T, url string) Notify {
	t.Helper()
	key, err := seal.New("the secret of the shop under check")
	if err != nil {
		t.Fatal(err)
	}
	return Notify{URL: url, Simulated: true, Seal: key, Now: time.Now, NewNonce: wxcrypto.NewNonce}
}

// TestNotifyTLS: a certificate that nobody signed is found, and one that ends.
func TestNotifyTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(t.Output(), "", 0) // it complains of our handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	if got := ids(prober(t, server.URL+"/pay/notify").Check(t.Context())); !slices.Equal(got, []string{"notify-tls"}) {
		t.Errorf("found %v, want notify-tls", got)
	}
	ends := server.Certificate().NotAfter
	for left, want := range map[time.Duration][]string{8 * 24 * time.Hour: nil, 6 * 24 * time.Hour: {"notify-tls-ending"}} {
		a := answer{tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{server.Certificate()}}}
		if got := ids(a.tlsDays(ends.Add(-left))); !slices.Equal(got, want) {
			t.Errorf("%v before the end: %v, want %v", left, got, want)
		}
	}
}

// TestNotifyHost: a local address where WeChat Pay is not, and no address.
func TestNotifyHost(t *testing.T) {
	t.Parallel()
	n := prober(t, "http://127.0.0.1:1/pay/notify")
	n.Simulated = false
	if got := ids(n.Check(t.Context())); !slices.Equal(got, []string{"notify-local", "notify-unreachable"}) {
		t.Errorf("found %v, want notify-local", got)
	}
	for host, want := range map[string][]string{
		"10.0.0.7": {"notify-private"}, "fd00::7": {"notify-private"}, "localhost": {"notify-local"}, "101.226.103.1": nil,
	} {
		if got := ids(n.address(t.Context(), host)); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", host, got, want)
		}
	}
	n.URL = ""
	if got := ids(n.Check(t.Context())); !slices.Equal(got, []string{"notify-unchecked"}) {
		t.Errorf("without a URL: %v, want notify-unchecked", got)
	}
}

// TestUnreached: a name that does not exist is told from a resolver, or a host,
// that does not answer.
func TestUnreached(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "shop.example.com", IsNotFound: true}, "notify-no-host"},
		{&net.DNSError{Err: "server misbehaving", Name: "shop.example.com", IsTemporary: true}, "notify-unreachable"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, "notify-unreachable"},
	} {
		got := unreached(&url.Error{Op: "Post", URL: "https://shop.example.com/pay/notify", Err: c.err})
		if got.ID != c.want || strings.Contains(got.Detail, "/pay/notify") {
			t.Errorf("%v: %+v, want %s and no URL", c.err, got, c.want)
		}
	}
}

// TestNotifyMark: an answer is a kit's of this secret only with the mark of this
// very call.
func TestNotifyMark(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mark func(key seal.Key, nonce string) string
		want string
	}{
		"this call's": {func(key seal.Key, nonce string) string {
			return key.Seal(purposeAnswer, nonce, time.Now().Add(time.Minute))
		}, "notify-reached-kit"},
		"an old one": {func(key seal.Key, _ string) string {
			return key.Seal(purposeAnswer, "old", time.Now().Add(time.Minute))
		}, "notify-reached-stranger"},
		"its own": {func(key seal.Key, nonce string) string {
			return key.Seal(purposeAsk, nonce, time.Now().Add(time.Minute))
		}, "notify-reached-stranger"},
		"none": {func(seal.Key, string) string { return "" }, "notify-reached-stranger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := prober(t, "")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(Header, test.mark(n.Seal, r.Header.Get("Wechatpay-Nonce")))
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, refusalBody)
			}))
			t.Cleanup(server.Close)
			n.URL = server.URL + "/pay/notify"
			if got := ids(n.Check(t.Context())); !slices.Equal(got, []string{test.want}) {
				t.Errorf("found %v, want %s", got, test.want)
			}
		})
	}
}

// TestArrivals: who does not hold the secret, or comes late, or speaks for
// another purpose, is not greeted, and nobody hears of him.
func TestArrivals(t *testing.T) {
	t.Parallel()
	own := prober(t, "").Seal
	foreign, err := seal.New("the secret of quite another shop")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tests := []struct {
		name, mark string
		greeted    bool
		heard      string
	}{
		{"good", own.Seal(purposeAsk, "n1", now.Add(time.Minute)), true, "bad_signature"},
		{"good, of a replica", own.Seal(purposeAsk, "n2", now.Add(time.Minute)), true, ""},
		{"none", "", false, ""},
		{"noise", "AAAA", false, ""},
		{"too long", own.Seal(purposeAsk, "n1"+strings.Repeat("x", 300), now.Add(time.Minute)), false, ""},
		{"another secret", foreign.Seal(purposeAsk, "n1", now.Add(time.Minute)), false, ""},
		{"another purpose", own.Seal("cashier", "n1", now.Add(time.Minute)), false, ""},
		{"an answer", own.Seal(purposeAnswer, "n1", now.Add(time.Minute)), false, ""},
		{"expired", own.Seal(purposeAsk, "n1", now.Add(-time.Minute)), false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var a Arrivals
			ended := a.expect("n1")
			w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/pay/notify", nil)
			r.Header.Set(Header, test.mark)
			was := a.Greet(own, w, r, "bad_signature", now)
			if greeted := w.Header().Get(Header) != ""; greeted != test.greeted || was != greeted {
				t.Errorf("greeted: %t, want %t", greeted, test.greeted)
			}
			if got := ended(); got != test.heard || len(a.waiting) != 0 {
				t.Errorf("heard %q, %d still waited for; want %q, none", got, len(a.waiting), test.heard)
			}
		})
	}
}
