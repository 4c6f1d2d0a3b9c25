package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// cashier is where an order is paid.
func (s *shop) cashier(no string) string { return s.home + "pay/orders/" + no + "/cashier" }

// atCashier is somebody who reads Chinese and whose order is on the screen.
func (b tab) atCashier(s *shop, product string) (no string) {
	b.t.Helper()
	b.reading("zh-CN")
	b.signedIn(s.home, "xiaoming")
	no = s.place(product, "xiaoming")
	b.open(s.cashier(no))
	b.see(`#cashier[data-state="waiting"]`)
	return no
}

// reading makes it a browser of somebody who reads a language.
func (b tab) reading(language string) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
}

// dark makes it a browser whose person likes it so.
func (b tab) dark() {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
}

// before runs a script in each page before the page's own.
func (b tab) before(script string) {
	b.t.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// mark leaves a sign that a page that is loaded again has lost.
func (b tab) mark() {
	b.t.Helper()
	eval[bool](b, "window.sameDocument = true")
}

func (b tab) sameDocument() {
	b.t.Helper()
	if !eval[bool](b, "window.sameDocument === true") {
		b.t.Error("the page was loaded again")
	}
}

// TestCashierNative: the code is scanned, and the page says that it is paid.
func TestCashierNative(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	desk.before(`const Plain = EventSource; window.EventSource = class extends Plain {
		constructor(url) { super(url); this.addEventListener("order", () => window.told = url) } }`)
	no := desk.atCashier(s, "native")
	desk.until(`document.querySelector("img.qr").naturalWidth > 0`)
	desk.mark()
	desk.until(`window.told === "live"`)
	s.pay(no)
	desk.reads("#status", "支付成功")
	desk.see(`#cashier[data-state="paid"] #done`)
	desk.sameDocument()
	if title := eval[string](desk, "document.title"); title != "支付成功 · 示例小店" {
		t.Errorf("title %q", title)
	}
	if left := eval[bool](desk, `document.querySelector("img.qr") !== null`); left {
		t.Error("what is paid can still be scanned")
	}
	if asked := eval[int](desk, `performance.getEntriesByType("resource").filter(e => e.name.endsWith("/orders/`+no+`")).length`); asked != 0 {
		t.Errorf("it polled %d times beside the stream", asked)
	}
	desk.click("#done")
	desk.reads("#granted", "会员已开通")
}

// TestCashierPolls: where there are no events, the page asks.
func TestCashierPolls(t *testing.T) {
	t.Parallel()
	for name, without := range map[string]string{
		"no EventSource": `delete window.EventSource`,
		"refused": `window.EventSource = class { static CLOSED = 2; readyState = 2;
			constructor() { setTimeout(() => this.onerror()) } addEventListener() {} close() {} }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, desk := open(t)
			desk.before(without)
			no := desk.atCashier(s, "native")
			desk.mark()
			s.pay(no)
			desk.reads("#status", "支付成功")
			desk.sameDocument()
		})
	}
}

// TestCashierH5 is the way of a phone's browser: to WeChat and back, where the
// page asks whether it is paid and does not assume it.
func TestCashierH5(t *testing.T) {
	t.Parallel()
	s, phone := open(t)
	phone.width(390)
	no := phone.atCashier(s, "h5")
	phone.click("#h5")
	phone.see(`button[name="cancel"]`)
	if hint := eval[bool](phone, `document.getElementById("hint") !== null`); hint {
		t.Error("WeChat was not told which page the customer comes from")
	}
	if came := eval[string](phone, "document.referrer"); came != s.home {
		t.Errorf("WeChat was told %q, want the origin alone", came)
	}
	phone.click(`button[name="cancel"]`)
	phone.reads(".lead", "您付好了吗？")
	if back := eval[string](phone, "location.href"); back != s.cashier(no)+"?back=1" {
		t.Errorf("back at %q", back)
	}
	phone.click(`[data-do="check"]`)
	phone.reads("#note", "微信还没有收到这笔付款")
	phone.reads("#status", "等待支付")
	phone.click("#h5") // again
	phone.click(`button[name="pay"]`)
	phone.reads("#status", "支付成功")
}

// TestCashierH5OldLink: the link on a page that lay open is as old as the page.
func TestCashierH5OldLink(t *testing.T) {
	t.Parallel()
	s, phone := open(t)
	phone.width(390)
	phone.before(`const now = Date.now; window.later = 0; Date.now = () => now() + window.later`)
	phone.atCashier(s, "h5")
	asked := `performance.getEntriesByType("resource").filter(e => e.name.includes("/cashier")).length`
	if n := eval[int](phone, asked); n != 0 {
		t.Fatalf("the page was fetched %d times", n)
	}
	phone.before(`sessionStorage.fetched ??= ""`)
	eval[bool](phone, `window.later = 4 * 60000 + 31000, addEventListener("pagehide", () => sessionStorage.fetched = `+asked+`), true`)
	phone.click("#h5")
	phone.click(`button[name="cancel"]`)
	phone.reads(".lead", "您付好了吗？")
	if n := eval[string](phone, "sessionStorage.fetched"); n != "1" {
		t.Errorf("a new link was fetched %q times, want once", n)
	}
}

// bridge is WeChat's own window, played by a script: it waits until the test
// says what the customer did.
const bridge = `
	window.asked = [];
	const bridge = {invoke: (name, pay, done) => window.asked.push({name, pay, done})};
	if (late) setTimeout(() => { window.WeixinJSBridge = bridge; document.dispatchEvent(new Event("WeixinJSBridgeReady")) }, 300);
	else window.WeixinJSBridge = bridge;`

// customer waits for WeChat's window and closes it with a word.
func (b tab) customer(nth, word string) {
	b.t.Helper()
	b.until("window.asked.length === " + nth)
	eval[bool](b, `window.asked[`+nth+` - 1].done({err_msg: "get_brand_wcpay_request:`+word+`"}), true`)
}

// TestCashierJSAPI: cancelled and failed are told apart, each try is signed
// afresh, and ok is believed to nobody but the server.
func TestCashierJSAPI(t *testing.T) {
	t.Parallel()
	for _, late := range []string{"false", "true"} {
		t.Run("bridge late: "+late, func(t *testing.T) {
			t.Parallel()
			s, phone := open(t)
			phone.width(390)
			phone.before("{const late = " + late + ";" + bridge + "}")
			no := phone.atCashier(s, "jsapi")
			phone.click("#jsapi")
			phone.customer("1", "cancel")
			phone.reads("#note", "已取消支付")
			phone.click("#jsapi")
			phone.customer("2", "fail")
			phone.reads("#note", "没能完成支付")
			phone.click("#jsapi")
			phone.customer("3", "ok")
			phone.reads("#note", "正在确认支付结果")
			phone.reads("#status", "等待支付") // nothing was paid
			s.pay(no)
			phone.reads("#status", "支付成功")
			if note := eval[string](phone, `document.getElementById("note").textContent`); note != "" {
				t.Errorf("it still says %q", note)
			}
			want := "appId nonceStr package paySign signType timeStamp"
			if got := eval[string](phone, `Object.keys(window.asked[0].pay).sort().join(" ")`); got != want {
				t.Errorf("WeChat was given %s, want %s", got, want)
			}
			if n := eval[int](phone, `new Set(window.asked.map(a => a.pay.nonceStr)).size`); n != 3 {
				t.Errorf("%d signatures for 3 tries", n)
			}
			if names := eval[string](phone, `[...new Set(window.asked.map(a => a.name))].join()`); names != "getBrandWCPayRequest" {
				t.Errorf("WeChat was asked for %s", names)
			}
		})
	}
}

// TestCashierOutsideWeChat: there is no window, and the page says so.
func TestCashierOutsideWeChat(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.atCashier(s, "jsapi")
	b.click("#jsapi")
	b.reads("#note", "请在微信里打开本页付款")
	b.until(`!document.getElementById("jsapi").hasAttribute("aria-disabled")`)
}

// TestCashierLink: nobody is signed in on the second device.
func TestCashierLink(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	desk.signIn(s.home)
	desk.click(`[data-goods="vip-month"] [data-product="native"]`)
	no := desk.orderShown()
	link := eval[string](desk, `document.getElementById("elsewhere").href`)
	other := desk.stranger()
	other.reading("en")
	other.open(link)
	other.reads("#status", "Waiting for payment")
	other.until(`document.querySelector("img.qr").naturalWidth > 0`)
	s.pay(no)
	other.reads("#status", "Paid")
	if led := eval[bool](other, `document.getElementById("done") !== null`); led {
		t.Error("who is not signed in is led to a page for those who are")
	}
}

// key presses a key and lets it go.
func (b tab) key(name, text string) {
	b.t.Helper()
	code := map[string]int64{"Tab": 9, "Enter": 13}[name]
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: name, Code: name, Text: text, WindowsVirtualKeyCode: code})
	}
}

// TestCashierKeyboard pays without a mouse: the focus is to be seen, and goes to
// what happened when what it was on is gone.
func TestCashierKeyboard(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.before("{const late = false;" + bridge + "}")
	no := b.atCashier(s, "jsapi")
	b.key("Tab", "")
	if focus := eval[string](b, "document.activeElement.id"); focus != "jsapi" {
		t.Fatalf("the focus is on %q", focus)
	}
	if outline := eval[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline != "solid" {
		t.Errorf("the focus is drawn %q", outline)
	}
	b.key("Enter", "\r")
	b.customer("1", "ok")
	s.pay(no)
	b.reads("#status", "支付成功")
	if focus := eval[string](b, "document.activeElement.id"); focus != "status" {
		t.Errorf("the focus went to %q, not to what happened", focus)
	}
	b.key("Tab", "")
	if focus := eval[string](b, "document.activeElement.id"); focus != "done" {
		t.Errorf("after what happened comes %q", focus)
	}
}

// TestCashierSaid: what a screen reader is told of by itself.
func TestCashierSaid(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	no := b.atCashier(s, "native")
	eval[bool](b, `window.region = document.querySelector("[role=status]"), window.alert_ = document.querySelector("[role=alert]"), true`)
	s.pay(no)
	b.until(`window.region.isConnected && window.region.textContent.includes("支付成功")`) // a region that is replaced is not read out
	if !eval[bool](b, `window.alert_.isConnected && document.documentElement.lang === "zh-CN"`) {
		t.Error("the place of alerts was replaced")
	}
}

// TestCashierNoScripts: all that can be done without is there.
func TestCashierNoScripts(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.noScripts()
	no := b.atCashier(s, "native")
	b.see("img.qr")
	b.reads("noscript", "不会自动更新")
	s.pay(no)
	b.click("noscript a")
	b.reads("#status", "支付成功")
}

// TestCashierExpires: the page counts, and says when it is over.
func TestCashierExpires(t *testing.T) {
	t.Parallel()
	s, b := open(t, "-order-ttl", "5s")
	s.fault("close") // or the order is closed before anybody sees that it expired
	b.atCashier(s, "native")
	b.mark()
	b.reads("#left", "00:0")
	b.reads("#status", "支付时间已过")
	b.sameDocument()
}

// TestCashierDark: the colours follow the person's.
func TestCashierDark(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.dark()
	b.atCashier(s, "native")
	if ground := eval[string](b, "getComputedStyle(document.body).backgroundColor"); ground != "rgb(14, 19, 17)" {
		t.Errorf("the ground is %s", ground)
	}
	if plate := eval[string](b, `getComputedStyle(document.querySelector("img.qr")).backgroundColor`); plate != "rgb(255, 255, 255)" {
		t.Errorf("the code is on %s", plate)
	}
}

// TestCashierShots takes the pictures that a person looks at before the page
// changes.
func TestCashierShots(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	native := b.atCashier(s, "native")
	b.see("img.qr")
	b.both("cashier-native")
	for _, product := range []string{"h5", "jsapi", "app"} {
		b.atCashier(s, product)
		b.both("cashier-" + product)
	}
	b.open(s.cashier(s.place("h5", "xiaoming")) + "?back=1")
	b.both("cashier-h5-back")
	b.click(`[data-do="check"]`)
	b.reads("#note", "还没有收到")
	b.both("cashier-h5-not-yet")
	b.reading("en")
	b.open(s.cashier(native))
	b.both("cashier-english")
	b.reading("zh-CN")
	s.pay(native)
	b.open(s.cashier(native))
	b.reads("#status", "支付成功")
	b.both("cashier-paid")
	b.open(s.cashier("nobody"))
	b.both("cashier-notice")
	b.dark()
	b.both("cashier-notice-dark")
	b.atCashier(s, "native")
	b.both("cashier-native-dark")
}
