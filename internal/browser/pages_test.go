package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/page"
)

// note is what the page says.
func (b tab) note() string {
	b.t.Helper()
	return eval[string](b, `document.getElementById("note").textContent`)
}

// TestJSAPI is a page inside WeChat: cancel, pay again, and be told by WeChat
// what is not so.
func TestJSAPI(t *testing.T) {
	t.Parallel()
	s, b := openExample(t, "jsapi")
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: heldBridge})
	b.width(390)
	b.open(s.home) // by way of WeChat's login
	b.click("#buy")
	no, first := s.invoked(b)
	eval[bool](b, `answer("get_brand_wcpay_request:cancel")`)
	b.reads("#note", "已取消支付")
	b.shoot("jsapi-cancelled")

	b.click("#again")
	same, second := s.invoked(b)
	if same != no || second == first {
		t.Errorf("order %s and nonce %s came again as %s and %s", no, first, same, second)
	}
	s.pay(no)
	eval[bool](b, `answer("get_brand_wcpay_request:ok")`)
	b.reads("#note", "支付成功")
	b.shoot("jsapi-paid")

	b.click("#buy")
	no, _ = s.invoked(b)
	eval[bool](b, `answer("get_brand_wcpay_request:ok")`) // though nothing was paid
	b.reads("#note", "正在确认支付结果")
	b.see("#again")
	b.open(s.home) // the page forgets, the order does not
	b.see("#again")
	s.pay(no)
	b.reads("#note", "支付成功")
}

// TestJSAPIOutside is the same page where there is no WeChat.
func TestJSAPIOutside(t *testing.T) {
	t.Parallel()
	s, b := openExample(t, "jsapi")
	b.open(s.home)
	b.click("#buy")
	b.reads("#note", "请在微信中打开本页")
	eval[bool](b, heldBridge+` document.dispatchEvent(new Event("WeixinJSBridgeReady"))`) // it was only late
	no, _ := s.invoked(b)
	s.pay(no)
	b.reads("#note", "支付成功") // seen before WeChat says anything
	eval[bool](b, `answer("get_brand_wcpay_request:ok")`)
	b.see("#buy")
	if note := b.note(); note != "支付成功" {
		t.Errorf("the page says %q in the end", note)
	}
}

// TestH5Page goes to WeChat and back, twice.
func TestH5Page(t *testing.T) {
	t.Parallel()
	s, b := openExample(t, "h5")
	b.width(390)
	b.open(s.home)
	b.click("#buy")
	b.see(`button[name="pay"]`)
	if hint := eval[bool](b, `document.getElementById("hint") !== null`); hint {
		t.Error("WeChat was not told which page the customer comes from")
	}
	b.click(`button[name="cancel"]`)
	b.see("#question")
	b.shoot("h5-question")
	b.click("#done")
	b.reads("#note", "还没有收到付款")

	b.click("#again")
	b.click(`button[name="pay"]`)
	b.see("#question")
	if note := b.note(); note != "" {
		t.Errorf("coming back is taken for a payment: %q", note)
	}
	b.click("#done")
	b.reads("#note", "支付成功")
	b.see("#buy")
	b.shoot("h5-paid")
}

// TestH5PaidMeanwhile pays elsewhere, comes back by the browser's own button,
// and is not sent to pay again.
func TestH5PaidMeanwhile(t *testing.T) {
	t.Parallel()
	s, b := openExample(t, "h5")
	b.width(390)
	b.open(s.home)
	b.click("#buy")
	b.see(`button[name="pay"]`)
	no := eval[string](b, `document.querySelector("article.order").dataset.outTradeNo`)
	eval[bool](b, `history.back(), true`)
	b.see("#question")
	s.pay(no)
	b.click("#again")
	b.reads("#note", "支付成功")
}

// TestLostOrder comes back to an order that is nobody's any more, and can buy.
func TestLostOrder(t *testing.T) {
	t.Parallel()
	s, b := openExample(t, "jsapi")
	b.open(s.home)
	eval[bool](b, `sessionStorage.setItem("order", "nobody"), true`)
	b.open(s.home)
	b.see("#buy")

	s, b = openExample(t, "h5")
	b.open(s.home + "?no=nobody")
	b.click("#done")
	b.reads("#note", "订单不存在")
	b.see("#buy")
}
