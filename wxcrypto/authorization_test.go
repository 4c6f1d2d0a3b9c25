package wxcrypto_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
	"pgregory.net/rapid"
)

var authorizationForm = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 ` +
	`mchid="[^"]+",nonce_str="[^"]+",timestamp="[0-9]+",serial_no="[^"]+",signature="[A-Za-z0-9+/=]+"$`)

// parseAuthorization takes the header value apart as a peer would.
func parseAuthorization(tb interface {
	Helper()
	Fatalf(string, ...any)
}, header string) map[string]string {
	tb.Helper()
	if !authorizationForm.MatchString(header) {
		tb.Fatalf("not the documented form: %q", header)
	}
	_, list, _ := strings.Cut(header, " ")
	values := make(map[string]string)
	for pair := range strings.SplitSeq(list, ",") {
		name, quoted, _ := strings.Cut(pair, "=")
		values[name] = strings.Trim(quoted, `"`)
	}
	return values
}

func testSigner(tb testing.TB) wxcrypto.Signer {
	return wxcrypto.Signer{MchID: testMchID, SerialNo: testSerial, Key: merchantKey(tb)}
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	signer, body := testSigner(t), `{"out_trade_no":"A|B","note":"ends in a line break"}`+"\n"
	header, err := signer.Authorization("POST", "/v3/pay/transactions/jsapi", []byte(body), testNow, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	got := parseAuthorization(t, header)
	for name, want := range map[string]string{
		"mchid": testMchID, "serial_no": testSerial, "nonce_str": testNonce, "timestamp": "1772366400",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	checkSignature(t, signer.Key.Public(),
		"POST\n/v3/pay/transactions/jsapi\n1772366400\n"+testNonce+"\n"+body+"\n", got["signature"])
}

// What is signed must be what net/http sends.
func TestAuthorizationSignsEscapedForm(t *testing.T) {
	t.Parallel()
	request, err := http.NewRequestWithContext(t.Context(), "GET",
		"https://api.mch.weixin.qq.com/v3/pay/transactions/out-trade-no/"+url.PathEscape("A|B*C_1-2")+"?mchid=1900000001", nil)
	if err != nil {
		t.Fatal(err)
	}
	signer := testSigner(t)
	header, err := signer.Authorization(request.Method, request.URL.RequestURI(), nil, testNow, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, signer.Key.Public(),
		"GET\n/v3/pay/transactions/out-trade-no/A%7CB%2AC_1-2?mchid=1900000001\n1772366400\n"+testNonce+"\n\n",
		parseAuthorization(t, header)["signature"])
}

func TestAuthorizationUpperCasesSerial(t *testing.T) {
	t.Parallel()
	signer := testSigner(t)
	signer.SerialNo = strings.ToLower(testSerial)
	header, err := signer.Authorization("GET", "/v3/certificates", nil, testNow, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	if got := parseAuthorization(t, header)["serial_no"]; got != testSerial {
		t.Errorf("serial_no = %q", got)
	}
}

type authorizationInput struct {
	signer      wxcrypto.Signer
	method, uri string
	at          time.Time
	nonce       string
}

func TestAuthorizationRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*authorizationInput)
		want   string
	}{
		{"quote in mchid", func(in *authorizationInput) { in.signer.MchID = `1",mchid="2` }, "the merchant id holds a quote"},
		{"comma in mchid", func(in *authorizationInput) { in.signer.MchID = "1,2" }, "the merchant id holds"},
		{"no mchid", func(in *authorizationInput) { in.signer.MchID = "" }, "the merchant id is empty"},
		{"line feed in serial", func(in *authorizationInput) { in.signer.SerialNo = "AB\nCD" }, "the serial number holds"},
		{"no serial", func(in *authorizationInput) { in.signer.SerialNo = "" }, "the serial number is empty"},
		{"public key id for serial", func(in *authorizationInput) { in.signer.SerialNo = testPublicKeyID }, "is the id of WeChat Pay's public key"},
		{"no key", func(in *authorizationInput) { in.signer.Key = nil }, "merchant private key: not set"},
		{"zero key", func(in *authorizationInput) { in.signer.Key = new(wxcrypto.PrivateKey) }, "merchant private key: not set"},
		{"quote in nonce", func(in *authorizationInput) { in.nonce = `a"b` }, "the nonce holds"},
		{"backslash in nonce", func(in *authorizationInput) { in.nonce = `a\b` }, "the nonce holds"},
		{"carriage return in nonce", func(in *authorizationInput) { in.nonce = "a\rb" }, "the nonce holds"},
		{"line feed in nonce", func(in *authorizationInput) { in.nonce = "a\nb" }, "the nonce holds"},
		{"non-ASCII nonce", func(in *authorizationInput) { in.nonce = "随机" }, "the nonce holds"},
		{"no nonce", func(in *authorizationInput) { in.nonce = "" }, "the nonce is empty"},
		{"lower-case method", func(in *authorizationInput) { in.method = "get" }, "the method must be upper-case"},
		{"line feed in method", func(in *authorizationInput) { in.method = "GET\n/v3" }, "the method must be upper-case"},
		{"no method", func(in *authorizationInput) { in.method = "" }, "the method must be upper-case"},
		{"whole URL", func(in *authorizationInput) { in.uri = "https://api.mch.weixin.qq.com/v3/certificates" }, "must start with the path"},
		{"host without scheme", func(in *authorizationInput) { in.uri = "//api.mch.weixin.qq.com/v3/certificates" }, "must start with the path"},
		{"no URI", func(in *authorizationInput) { in.uri = "" }, "must start with the path"},
		{"line feed in URI", func(in *authorizationInput) { in.uri = "/v3\n1" }, "not in its escaped form"},
		{"blank in URI", func(in *authorizationInput) { in.uri = "/v3?q=a b" }, "not in its escaped form"},
		{"unescaped URI", func(in *authorizationInput) { in.uri = "/v3?q=微信" }, "not in its escaped form"},
		{"fragment", func(in *authorizationInput) { in.uri = "/v3#top" }, "not in its escaped form"},
		{"zero time", func(in *authorizationInput) { in.at = time.Time{} }, "before 1970"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := authorizationInput{testSigner(t), "GET", "/v3/certificates", testNow, testNonce}
			test.change(&in)
			header, err := in.signer.Authorization(in.method, in.uri, nil, in.at, in.nonce)
			if header != "" {
				t.Errorf("a header all the same: %q", header)
			}
			wantError(t, err, test.want)
		})
	}
}

// Whatever the request, the header names what was signed and the signature proves it.
func TestAuthorizationRoundTrip(t *testing.T) {
	t.Parallel()
	signer := testSigner(t)
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method")
		uri := (&url.URL{
			Path:     "/v3/" + rapid.String().Draw(t, "path"),
			RawQuery: url.Values{"q": {rapid.String().Draw(t, "query")}}.Encode(),
		}).RequestURI()
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		nonce := rapid.StringMatching(`[0-9A-Za-z]{1,32}`).Draw(t, "nonce")
		at := time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "at"), 999)

		header, err := signer.Authorization(method, uri, body, at, nonce)
		if err != nil {
			t.Fatal(err)
		}
		got := parseAuthorization(t, header)
		message := method + "\n" + uri + "\n" + got["timestamp"] + "\n" + got["nonce_str"] + "\n" + string(body) + "\n"
		if !validSignature(signer.Key.Public(), message, got["signature"]) {
			t.Fatalf("signature of %q does not match", message)
		}
	})
}
