package wxpay_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// goodOptions are complete, for an account that is not on loopback.
func goodOptions(t testing.TB) wxpay.Options {
	t.Helper()
	acct := wxsim.Start(t).Account()
	return wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM, AppID: acct.AppID,
		},
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "u1", nil },
		Quote:     catalog.Quote,
		Logger:    slog.New(slog.DiscardHandler),
	}
}

const (
	notifyMissing  = "wxpay: Options.NotifyURL is required: the public https address of this kit's /notify, such as https://shop.example.com/pay/notify"
	notifyNoURL    = "wxpay: Options.NotifyURL is not a URL like https://shop.example.com/pay/notify"
	notifyQuery    = "wxpay: Options.NotifyURL must have no query and no fragment: WeChat Pay would not call it"
	notifyPath     = "wxpay: Options.NotifyURL needs a path, such as /pay/notify"
	notifyPlain    = "wxpay: Options.NotifyURL must be https (http is taken for loopback hosts only)"
	notifyIP       = "wxpay: Options.NotifyURL must name a host, not an IP address"
	callbackNoURL  = "wxpay: Options.OAuthRedirectURL is not a URL like https://shop.example.com/pay/oauth/callback, without query (http is taken for loopback hosts only)"
	routerLetters  = " has a character that means something to a router"
	durations      = "wxpay: Options.OnPaidDeadline, RunInterval and AskInterval must be positive, AskRate at least 1"
	badLogo        = "wxpay: Options.Cashier.LogoURL is not a path like /logo.png or an https URL"
	loopbackAPI    = "http://127.0.0.1:9090"
	weekAndASecond = 7*24*time.Hour + time.Second
)

// TestOptionsFaults changes one thing in good options: one sentence says what,
// and how to mend it.
func TestOptionsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*wxpay.Options)
		want   string // empty: it is good
	}{
		{"nothing", func(*wxpay.Options) {}, ""},
		{"no store", func(o *wxpay.Options) { o.Store = nil }, `wxpay: Options.Store is required: sqlite.Open("pay.db") is a good first one`},
		{"no Identify", func(o *wxpay.Options) { o.Identify = nil }, "wxpay: Options.Identify is required: return the signed-in user of the request"},
		{"no Quote", func(o *wxpay.Options) { o.Quote = nil }, "wxpay: Options.Quote is required: return the server's own price of the goods"},

		{"cashier", func(o *wxpay.Options) {
			o.Cashier = wxpay.Cashier{Title: "小店", LogoURL: "/logo.png", Accent: "#07C160"}
		}, ""},
		{"cashier with an https logo", func(o *wxpay.Options) { o.Cashier.LogoURL = "https://cdn.example.com/logo.png?v=1" }, ""},
		{"accent by name", func(o *wxpay.Options) { o.Cashier.Accent = "red" }, `wxpay: Options.Cashier.Accent "red" is not a colour like #077f3c`},
		{"accent with more", func(o *wxpay.Options) { o.Cashier.Accent = "#077f3c}" }, `wxpay: Options.Cashier.Accent "#077f3c}" is not a colour like #077f3c`},
		{"http logo", func(o *wxpay.Options) { o.Cashier.LogoURL = "http://cdn.example.com/logo.png" }, badLogo},
		{"logo of a script", func(o *wxpay.Options) { o.Cashier.LogoURL = "javascript:alert(1)" }, badLogo},
		{"logo in data", func(o *wxpay.Options) { o.Cashier.LogoURL = "data:image/png;base64,AAAA" }, badLogo},
		{"logo without scheme", func(o *wxpay.Options) { o.Cashier.LogoURL = "//cdn.example.com/logo.png" }, badLogo},
		{"logo beside the page", func(o *wxpay.Options) { o.Cashier.LogoURL = "logo.png" }, badLogo},
		{"logo that is a policy", func(o *wxpay.Options) { o.Cashier.LogoURL = "https://a;script-src/logo.png" }, badLogo},
		{"logo with a password", func(o *wxpay.Options) { o.Cashier.LogoURL = "https://u:p@a.example.com/logo.png" }, badLogo},

		{"no notify URL", func(o *wxpay.Options) { o.NotifyURL = "" }, notifyMissing},
		{"notify URL of blanks", func(o *wxpay.Options) { o.NotifyURL = " \t" }, notifyMissing},
		{"notify URL of the merchant", func(o *wxpay.Options) { o.NotifyURL, o.Merchant.NotifyURL = "", o.NotifyURL }, ""},
		{"bad notify URL of the merchant", func(o *wxpay.Options) { o.NotifyURL, o.Merchant.NotifyURL = "", "http://shop.example.com/pay/notify" }, notifyPlain},
		{"notify URL in blanks", func(o *wxpay.Options) { o.NotifyURL = " " + o.NotifyURL + "\n" }, ""},
		{"notify http", func(o *wxpay.Options) { o.NotifyURL = "http://shop.example.com/pay/notify" }, notifyPlain},
		{"notify ftp", func(o *wxpay.Options) { o.NotifyURL = "ftp://shop.example.com/pay/notify" }, notifyPlain},
		{"notify without scheme", func(o *wxpay.Options) { o.NotifyURL = "shop.example.com/pay/notify" }, notifyNoURL},
		{"notify of a path", func(o *wxpay.Options) { o.NotifyURL = "/pay/notify" }, notifyNoURL},
		{"notify no URL", func(o *wxpay.Options) { o.NotifyURL = "https://shop example.com/pay/notify" }, notifyNoURL},
		{"notify with a password", func(o *wxpay.Options) { o.NotifyURL = "https://u:p@shop.example.com/pay/notify" }, notifyNoURL},
		{"notify with a query", func(o *wxpay.Options) { o.NotifyURL += "?a=1" }, notifyQuery},
		{"notify with an empty query", func(o *wxpay.Options) { o.NotifyURL += "?" }, notifyQuery},
		{"notify with a fragment", func(o *wxpay.Options) { o.NotifyURL += "#a" }, notifyQuery},
		{"notify without a path", func(o *wxpay.Options) { o.NotifyURL = "https://shop.example.com" }, notifyPath},
		{"notify with an empty path", func(o *wxpay.Options) { o.NotifyURL = "https://shop.example.com/" }, notifyPath},
		{"notify with a port", func(o *wxpay.Options) { o.NotifyURL = "https://shop.example.com:8443/pay/notify" }, "wxpay: Options.NotifyURL must have no port: WeChat Pay calls 443"},
		{"notify IPv4", func(o *wxpay.Options) { o.NotifyURL = "https://203.0.113.7/pay/notify" }, notifyIP},
		{"notify IPv6", func(o *wxpay.Options) { o.NotifyURL = "https://[2001:db8::7]/pay/notify" }, notifyIP},
		{"notify of 255", func(o *wxpay.Options) { o.NotifyURL += strings.Repeat("a", 255-len(o.NotifyURL)) }, ""},
		{"notify of 256", func(o *wxpay.Options) { o.NotifyURL += strings.Repeat("a", 256-len(o.NotifyURL)) }, "wxpay: Options.NotifyURL is longer than WeChat's 255 bytes"},
		{"notify on loopback", func(o *wxpay.Options) { o.NotifyURL = "http://127.0.0.1:8080/pay/notify" }, ""},
		{"notify on loopback, IPv6", func(o *wxpay.Options) { o.NotifyURL = "http://[::1]:8080/pay/notify" }, ""},
		{"notify on localhost", func(o *wxpay.Options) { o.NotifyURL = "http://localhost:8080/pay/notify" }, ""},
		{"notify on loopback with a query", func(o *wxpay.Options) { o.NotifyURL = "http://127.0.0.1:8080/pay/notify?a" }, notifyQuery},
		{"notify on a host that only sounds so", func(o *wxpay.Options) { o.NotifyURL = "http://localhost.example.com/pay/notify" }, notifyPlain},

		{"prefix of a slash", func(o *wxpay.Options) { o.Prefix = "/" }, `wxpay: Options.Prefix is "/": give the kit a path of its own such as /pay`},
		{"prefix of slashes", func(o *wxpay.Options) { o.Prefix = "//" }, `wxpay: Options.Prefix is "/": give the kit a path of its own such as /pay`},
		{"prefix with a wildcard", func(o *wxpay.Options) { o.Prefix = "/{shop}/pay" }, `wxpay: Options.Prefix "/{shop}/pay"` + routerLetters},
		{"prefix with a star", func(o *wxpay.Options) { o.Prefix = "/pay/*" }, `wxpay: Options.Prefix "/pay/*"` + routerLetters},
		{"prefix with a blank", func(o *wxpay.Options) { o.Prefix = "/my pay" }, `wxpay: Options.Prefix "/my pay"` + routerLetters},
		{"prefix, escaped", func(o *wxpay.Options) { o.Prefix = "/my%20pay" }, `wxpay: Options.Prefix "/my%20pay"` + routerLetters},
		{"prefix with a query", func(o *wxpay.Options) { o.Prefix = "/pay?x" }, `wxpay: Options.Prefix "/pay?x"` + routerLetters},
		{"prefix without slashes", func(o *wxpay.Options) { o.Prefix = "wx/pay" }, ""},

		{"callback", func(o *wxpay.Options) { o.OAuthRedirectURL = "https://m.example.com/wx/oauth/callback" }, ""},
		{"callback on loopback", func(o *wxpay.Options) { o.OAuthRedirectURL = "http://127.0.0.1:8080/cb" }, ""},
		{"callback over http", func(o *wxpay.Options) { o.OAuthRedirectURL = "http://m.example.com/cb" }, callbackNoURL},
		{"callback with a query", func(o *wxpay.Options) { o.OAuthRedirectURL = "https://m.example.com/cb?a=b" }, callbackNoURL},
		{"callback without a path", func(o *wxpay.Options) { o.OAuthRedirectURL = "https://m.example.com" }, callbackNoURL},
		{"callback without a host", func(o *wxpay.Options) { o.OAuthRedirectURL = "/pay/oauth/callback" }, callbackNoURL},
		{"callback with a user", func(o *wxpay.Options) { o.OAuthRedirectURL = "https://a@m.example.com/cb" }, callbackNoURL},
		{"a secret of 32", func(o *wxpay.Options) { o.Secret = strings.Repeat("s", 32) }, ""},
		{"a secret of 31", func(o *wxpay.Options) { o.Secret = strings.Repeat("s", 31) }, "wxpay: Options.Secret is shorter than 32 characters"},

		{"a week to pay", func(o *wxpay.Options) { o.OrderTTL = 7 * 24 * time.Hour }, ""},
		{"more than a week to pay", func(o *wxpay.Options) { o.OrderTTL = weekAndASecond }, "wxpay: Options.OrderTTL is 168h0m1s: WeChat Pay takes at most 7 days"},
		{"a minute to pay", func(o *wxpay.Options) { o.OrderTTL = time.Minute }, ""},
		{"less than a minute to pay", func(o *wxpay.Options) { o.OrderTTL = time.Minute - 1 }, "wxpay: Options.OrderTTL is 59.999999999s: WeChat Pay gives a customer at least 1m"},
		{"seconds to pay, on loopback", func(o *wxpay.Options) { o.OrderTTL, o.Merchant.APIBase = 2*time.Second, loopbackAPI }, ""},
		{"no time to pay, on loopback", func(o *wxpay.Options) { o.OrderTTL, o.Merchant.APIBase = -1, loopbackAPI }, "wxpay: Options.OrderTTL is -1ns: WeChat Pay gives a customer at least 1m"},

		{"OnPaidDeadline", func(o *wxpay.Options) { o.OnPaidDeadline = -1 }, durations},
		{"RunInterval", func(o *wxpay.Options) { o.RunInterval = -1 }, durations},
		{"AskInterval", func(o *wxpay.Options) { o.AskInterval = -1 }, durations},
		{"AskRate", func(o *wxpay.Options) { o.AskRate = 0.9 }, durations},
		{"AskRate of 1", func(o *wxpay.Options) { o.AskRate = 1 }, ""},

		{"origin", func(o *wxpay.Options) { o.Origins = []string{"https://m.example.com", "http://localhost:3000"} }, ""},
		{"origin without scheme", func(o *wxpay.Options) { o.Origins = []string{"https://m.example.com", "m.example.com"} }, `wxpay: Options.Origins: "m.example.com" is not an origin like https://m.example.com`},
		{"origin with a path", func(o *wxpay.Options) { o.Origins = []string{"https://m.example.com/"} }, `wxpay: Options.Origins: "https://m.example.com/" is not an origin like https://m.example.com`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := goodOptions(t)
			c.change(&o)
			kit, err := wxpay.New(o)
			switch {
			case c.want == "" && (err != nil || kit == nil):
				t.Errorf("good options: %v", err)
			case c.want != "" && (err == nil || err.Error() != c.want || kit != nil):
				t.Errorf("error\n%v, want\n%s", err, c.want)
			}
		})
	}
}

// TestOptionsPrefixThatNoRouterTakes is a sentence, not a panic of the router.
func TestOptionsPrefixThatNoRouterTakes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/a//b", "/a/../b", "/./pay", "/pay/.."} {
		o := goodOptions(t)
		o.Prefix = prefix
		_, err := wxpay.New(o)
		if err == nil || !strings.HasPrefix(err.Error(), "wxpay: Options.Prefix ") {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}

// TestOptionsReportsAllFaults: who starts with nothing learns everything at
// once, in the order of the fields.
func TestOptionsReportsAllFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options wxpay.Options
		want    []string
	}{
		{"nothing set", wxpay.Options{}, []string{
			"wxpay: Merchant.MchID is required: the merchant number (WXPAY_MCHID)",
			"wxpay: Merchant.PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)",
			"wxpay: Merchant.CertSerial is required: the serial of apiclient_cert.pem (WXPAY_CERT_SERIAL)",
			"wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 0 characters, 32 are needed",
			"wxpay: Merchant.AppID is required: the appid that the merchant number is bound to (WXPAY_APPID)",
			`wxpay: Options.Store is required: sqlite.Open("pay.db") is a good first one`,
			"wxpay: Options.Identify is required: return the signed-in user of the request",
			"wxpay: Options.Quote is required: return the server's own price of the goods",
			notifyMissing,
		}},
		{"everything wrong", wxpay.Options{
			Merchant: wxpay.Merchant{
				CertSerial: "PUB_KEY_ID_0116000000002023", PrivateKey: "apiclient_key.pem", APIv3Key: strings.Repeat("k", 31),
				PublicKeyID: "PUB_KEY_ID_0116000000002023", Certificates: []string{"cert.pem"}, APIBase: "api.mch.weixin.qq.com",
			},
			NotifyURL: "http://shop.example.com/pay/notify?a=1", Prefix: "/{x}", OrderTTL: time.Second, AskRate: -1,
			Origins: []string{"m.example.com"},
		}, []string{
			"wxpay: Merchant.MchID is required: the merchant number (WXPAY_MCHID)",
			"wxpay: Merchant.PrivateKey: merchant private key: is no PEM; give the content of the file, from -----BEGIN to -----END, not its name",
			"wxpay: Merchant.CertSerial is the id of WeChat Pay's public key: it belongs into PublicKeyID, and the serial of apiclient_cert.pem here",
			"wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 31 characters, 32 are needed",
			"wxpay: Merchant.PublicKeyID and PublicKey go together (WXPAY_PUBLIC_KEY_ID, WXPAY_PUBLIC_KEY_FILE): set both or neither",
			"wxpay: Merchant.Certificates[0]: certificate: is no PEM; give the content of the file, from -----BEGIN to -----END, not its name",
			"wxpay: Merchant.AppID is required: the appid that the merchant number is bound to (WXPAY_APPID)",
			"wxpay: Merchant.APIBase is not a URL like https://api.mch.weixin.qq.com (http is taken for loopback hosts only)",
			`wxpay: Options.Store is required: sqlite.Open("pay.db") is a good first one`,
			"wxpay: Options.Identify is required: return the signed-in user of the request",
			"wxpay: Options.Quote is required: return the server's own price of the goods",
			`wxpay: Options.Prefix "/{x}"` + routerLetters,
			"wxpay: Options.OrderTTL is 1s: WeChat Pay gives a customer at least 1m",
			durations,
			notifyQuery,
			`wxpay: Options.Origins: "m.example.com" is not an origin like https://m.example.com`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kit, err := wxpay.New(c.options)
			if kit != nil || err == nil {
				t.Fatalf("%v, %v", kit, err)
			}
			if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, c.want) {
				t.Errorf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != len(c.want) {
				t.Errorf("%T is not one error for each fault", err)
			}
		})
	}
}

// TestOptionsStayTheCallers: New and Mount change nothing in what they were
// given.
func TestOptionsStayTheCallers(t *testing.T) {
	t.Parallel()
	o := goodOptions(t)
	o.Prefix, o.NotifyURL, o.Origins = "wx/", " https://shop.example.com/pay/notify ", []string{"https://m.example.com"}
	if _, err := wxpay.New(o); err != nil {
		t.Fatal(err)
	}
	if o.Prefix != "wx/" || o.NotifyURL != " https://shop.example.com/pay/notify " || o.OrderTTL != 0 || o.OnPaid != nil || o.Now != nil || o.Hooks.Request != nil {
		t.Errorf("options are %+v", o)
	}
}

// TestOptionsNoOnPaid: paid orders are taken over silently.
func TestOptionsNoOnPaid(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OnPaid = nil })
	no := s.buy("native", "u1").OutTradeNo
	s.pay(no)
	eventually(t, "the order is handed over", func() bool { return !s.stored(no).HandedOverAt.IsZero() })
}

// TestOptionsNewNonce and Now are what everything is signed with.
func TestOptionsNewNonce(t *testing.T) {
	t.Parallel()
	now := newFrozen()
	s := open(t, now.use, func(o *wxpay.Options) { o.NewNonce = func() string { return "593BEC0C930BF1AFEB40B4A08C8FB242" } })
	pay := s.buy("jsapi", "u1").Pay
	if pay["nonceStr"] != "593BEC0C930BF1AFEB40B4A08C8FB242" {
		t.Errorf("nonce is %q", pay["nonceStr"])
	}
}

// TestRunReturns when its context ends, and not before.
func TestRunReturns(t *testing.T) {
	t.Parallel()
	kit, err := wxpay.New(goodOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- kit.Run(ctx) }()
	select {
	case err := <-done:
		t.Fatalf("Run returned %v", err)
	case <-time.After(20 * time.Millisecond): // nothing to await: it must not happen
	}
	cancel(errors.New("the app shuts down"))
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}
