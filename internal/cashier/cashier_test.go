package cashier_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/cashier"
)

func screens(t *testing.T, theme cashier.Theme) *cashier.Screens {
	t.Helper()
	if theme.Accent == "" {
		theme.Accent = "#077f3c"
	}
	s, err := cashier.New(theme)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func waiting(product string) cashier.Order {
	return cashier.Order{
		State: cashier.Waiting, Product: product, Number: "order-0001", Key: "0,,0,false", Description: "1个月会员", Total: 100,
		ExpiresAt: "2026-11-28 12:30:00", Left: 30*time.Minute - 300*time.Millisecond, Fresh: 2*time.Hour - 300*time.Millisecond,
		H5URL: "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2", CodeID: "c1",
	}
}

func draw(t *testing.T, s *cashier.Screens, o cashier.Order) string {
	t.Helper()
	page, err := s.Order(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestOrder: each state and product says what to do, in both languages.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := screens(t, cashier.Theme{})
	for _, c := range []struct {
		name   string
		change func(*cashier.Order)
		zh, en []string
		none   []string
	}{
		{
			"native", func(o *cashier.Order) {},
			[]string{"等待支付", "扫一扫", `src="qr.svg?v=c1"`, "30:00</b>", "¥</span>1.00", "1个月会员", `data-left="1800"`, `data-fresh="7199"`},
			[]string{"Waiting for payment", "Scan with WeChat", "Time left", "<dt>Order</dt>"},
			[]string{"h5", `id="done"`, "data-do"},
		},
		{
			"native, with a link", func(o *cashier.Order) { o.Token = "tok-1" },
			[]string{`src="qr.svg?t=tok-1&amp;v=c1"`, `data-token="tok-1"`}, nil, nil,
		},
		{
			"h5", func(o *cashier.Order) { o.Product = "h5" },
			[]string{"去微信支付", `href="https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&amp;package=2"`},
			[]string{"Pay with WeChat"},
			[]string{"qr.svg", "您付好了吗"},
		},
		{
			"h5, back", func(o *cashier.Order) { o.Product, o.Back = "h5", true },
			[]string{"您付好了吗？", "我已付款", "还没有，继续支付", `id="h5"`},
			[]string{"Have you paid?", "I have paid"}, nil,
		},
		{
			"h5 inside WeChat", func(o *cashier.Order) { o.Product, o.InWeChat = "h5", true },
			[]string{"在浏览器中打开"}, []string{"open this page in your browser"}, []string{`id="h5"`},
		},
		{
			"jsapi", func(o *cashier.Order) { o.Product, o.InWeChat = "jsapi", true },
			[]string{"微信支付</button>", "点击下面的按钮"}, []string{"Press the button"}, []string{"qr.svg", "请在微信里打开本页付款。</p>"},
		},
		{
			"jsapi outside WeChat", func(o *cashier.Order) { o.Product = "jsapi" },
			[]string{"请在微信里打开本页付款。</p>"}, []string{"open this page in WeChat to pay.</p>"}, nil,
		},
		{
			"app", func(o *cashier.Order) { o.Product = "app" },
			[]string{"请在下单的 App 里支付"}, []string{"in the app in which"}, []string{"data-do", "qr.svg"},
		},
		{
			"miniprogram", func(o *cashier.Order) { o.Product = "miniprogram" },
			[]string{"请在下单的小程序里支付"}, []string{"in the mini program in which"}, []string{"data-do", "qr.svg"},
		},
		{
			"no code", func(o *cashier.Order) { o.Trouble, o.Token = true, "tok-1" },
			[]string{"暂时取不到二维码", `href="cashier?t=tok-1"`, `data-do="again"`}, []string{"Try again"}, []string{"qr.svg"},
		},
		{
			"stale", func(o *cashier.Order) { o.Stale = true },
			[]string{"暂时联系不上微信"}, []string{"WeChat cannot be reached"}, nil,
		},
		{
			"expired", func(o *cashier.Order) { o.State = cashier.Expired },
			[]string{"支付时间已过", "请重新下单"}, []string{"The time to pay is over"}, []string{"qr.svg", `id="left"`},
		},
		{
			"closed", func(o *cashier.Order) { o.State = cashier.Closed },
			[]string{"订单已关闭"}, []string{"Order closed"}, []string{"qr.svg", "<noscript>"},
		},
		{
			"paid", func(o *cashier.Order) {
				o.State, o.PaidAt, o.ReturnURL = cashier.Paid, "2026-11-28 12:01:02", "/order?no=1"
			},
			[]string{"支付成功", "2026-11-28 12:01:02", `id="done" href="/order?no=1"`}, []string{"Paid at", "Done"}, []string{"qr.svg", "<noscript>"},
		},
		{
			"refunding", func(o *cashier.Order) { o.State, o.Refunded = cashier.Refunding, 40 },
			[]string{"退款中", "¥0.40"}, []string{"Being refunded"}, []string{"qr.svg"},
		},
		{
			"refunded", func(o *cashier.Order) { o.State, o.Refunded = cashier.Refunded, 100 },
			[]string{"已退款", "款项已原路退回"}, []string{"The money is back"}, []string{"qr.svg"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := waiting("native")
			c.change(&o)
			page := visible(draw(t, s, o))
			holds(t, page, append([]string{`<html lang="zh-CN">`, "order-0001"}, c.zh...), c.none)
			o.English = true
			holds(t, visible(draw(t, s, o)), append([]string{`<html lang="en">`}, c.en...), c.none)
		})
	}
}

// visible is the page without its style, script and the script's words.
func visible(page string) string {
	return regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|data-words="[^"]*"`).ReplaceAllString(page, "")
}

func holds(t *testing.T, page string, some, none []string) {
	t.Helper()
	for _, text := range some {
		if !strings.Contains(page, text) {
			t.Errorf("no %q in\n%s", text, page)
		}
	}
	for _, text := range none {
		if strings.Contains(page, text) {
			t.Errorf("%q in\n%s", text, page)
		}
	}
}

// TestEscaping: what is really markup stays text, and no link runs a script.
func TestEscaping(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	s := screens(t, cashier.Theme{Title: evil})
	o := waiting("h5")
	o.Description, o.H5URL, o.Token, o.Number = evil, "javascript:alert(1)", evil, evil
	page := draw(t, s, o)
	o.State, o.ReturnURL = cashier.Paid, "javascript:alert(1)"
	page += draw(t, s, o)
	n, err := s.Notice(cashier.Notice{Text: evil, Kind: cashier.NotYours})
	if err != nil {
		t.Fatal(err)
	}
	page += string(n)
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "javascript:") {
		t.Error(page)
	}
}

// TestPolicy: the hashes are those of what is in the page, whatever the theme,
// and nothing else may run or be loaded.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		theme  cashier.Theme
		bridge bool
		images string
		end    string
	}{
		{"plain", cashier.Theme{}, false, "'self'", "frame-ancestors 'none'"},
		{"accent and logo", cashier.Theme{Accent: "#FFcc00", LogoURL: "https://cdn.example.com/a.png"}, false, "'self' https://cdn.example.com", "frame-ancestors 'none'"},
		{"logo of one's own", cashier.Theme{LogoURL: "/a.png"}, false, "'self'", "frame-ancestors 'none'"},
		{"inside WeChat", cashier.Theme{}, true, "'self'", "frame-ancestors 'none'; frame-src weixin: wvjbscheme:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := screens(t, c.theme)
			page := draw(t, s, waiting("native"))
			want := fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src %s; connect-src 'self'; base-uri 'none'; form-action 'none'; %s",
				hashOf(t, page, "style"), hashOf(t, page, "script"), c.images, c.end)
			if got := s.Policy(c.bridge); got != want {
				t.Errorf("policy\n%s, want\n%s", got, want)
			}
			if strings.Contains(visible(page), "style=") || strings.Contains(visible(page), " on") && regexp.MustCompile(` on\w+=`).MatchString(visible(page)) {
				t.Error("something in the page would be stopped by its own policy")
			}
		})
	}
}

func hashOf(t *testing.T, page, tag string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, "<"+tag+">")
	text, _, ok := strings.Cut(rest, "</"+tag+">")
	if !ok || strings.Contains(rest[len(text)+1:], "<"+tag+">") {
		t.Fatalf("not one %s", tag)
	}
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func TestNotice(t *testing.T) {
	t.Parallel()
	s := screens(t, cashier.Theme{Title: "示例小店"})
	for kind, want := range map[cashier.NoticeKind]struct {
		zh, en string
		retry  bool
	}{
		cashier.SignIn:   {"登录后才能", "Sign in to see", true},
		cashier.NotYours: {"换用下单的账号", "the person who ordered", false},
		cashier.NoLink:   {"要一个新的", "for a new one", false},
		cashier.NoOrder:  {"检查链接", "check that the link", false},
		cashier.Later:    {"不受影响", "are safe", true},
	} {
		for _, english := range []bool{false, true} {
			page, err := s.Notice(cashier.Notice{English: english, Text: "phrase", Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			text := map[bool]string{false: want.zh, true: want.en}[english]
			holds(t, visible(string(page)), []string{"<h1>phrase</h1>", text, "<title>phrase · 示例小店</title>"}, []string{"<script>", "cashier.js"})
			if got := strings.Contains(string(page), `class="button"`); got != want.retry {
				t.Errorf("%s: a button to try again: %v", kind, got)
			}
		}
	}
}
