package browser_test

import (
	"testing"
	"time"
)

// onScreenWithin is how long after WeChat's notification the order page may
// still say that it waits.
const onScreenWithin = 2 * time.Second

// watch notes the moment at which the order page says that it is paid.
const watch = `new MutationObserver(() => {
	if (document.getElementById("status").textContent === "支付成功") window.paidAt ??= Date.now();
}).observe(document.body, {subtree: true, childList: true, characterData: true}), true`

// TestBuy is what a person does who tries the shop.
func TestBuy(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	desk.signIn(s.home)
	desk.reads("#vip", "还不是会员")
	desk.click(`[data-goods="vip-month"] [data-product="native"]`)
	no := desk.orderShown()
	desk.reads("#status", "等待支付")
	desk.reads("#left", ":")
	desk.until(`document.querySelector("img.qr").complete && document.querySelector("img.qr").naturalWidth > 0`)
	eval[bool](desk, watch)

	phone := desk.another()
	phone.open(s.phone)
	phone.click(`[data-out-trade-no="` + no + `"] button[name="pay"]`)
	phone.see(`[data-out-trade-no="` + no + `"][data-trade-state="SUCCESS"]`)

	desk.until("window.paidAt > 0")
	took := time.UnixMilli(eval[int64](desk, "window.paidAt")).Sub(s.accepted(no, "TRANSACTION.SUCCESS"))
	t.Logf("on the screen %v after the notification", took.Round(time.Millisecond))
	if took > onScreenWithin {
		t.Errorf("the order page needed %v, want at most %v", took, onScreenWithin)
	}
	desk.reads("#granted", "会员已开通")
	if me := s.me("xiaoming"); me.Grants != 1 || me.VIPUntil == "" {
		t.Errorf("after paying once: %+v", me)
	}
	desk.click("#actions a")
	desk.reads("#vip", "年")
	desk.reads(".records", no)
}

// TestScan opens the very order on the phone, from the link beside the code.
func TestScan(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	desk.signIn(s.home)
	for _, product := range []string{"native", "miniprogram", "jsapi", "app"} {
		desk.open(s.home)
		desk.click(`[data-goods="vip-month"] [data-product="` + product + `"]`)
		no := desk.orderShown()
		if product != "native" {
			desk.reads("#sign", `"`+map[string]string{"miniprogram": "paySign", "jsapi": "paySign", "app": "sign"}[product]+`": "`)
		}
		phone := desk.another()
		phone.open(eval[string](desk, `document.getElementById("phone").href`))
		phone.click(`[data-out-trade-no="` + no + `"] button[name="pay"]`)
		desk.reads("#granted", "会员已开通")
	}
	if me := s.me("xiaoming"); me.Grants != 4 {
		t.Errorf("after paying four times: %+v", me)
	}
}

// TestH5 is the way of a phone's browser: to WeChat, and back to the order.
func TestH5(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.width(390)
	b.signIn(s.home)
	b.click(`[data-goods="vip-month"] [data-product="h5"]`)
	b.see(`button[name="pay"]`)
	if hint := eval[bool](b, `document.getElementById("hint") !== null`); hint {
		t.Error("WeChat was not told which page the customer comes from")
	}
	b.click(`button[name="cancel"]`)
	b.reads("#status", "等待支付")
	b.click("#h5") // again
	b.click(`button[name="pay"]`)
	b.reads("#granted", "会员已开通")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.signIn(s.home)
	b.click(`[data-goods="vip-month"] [data-product="native"]`)
	b.see(`#order[data-state="waiting"] img.qr`)
	b.click("#cancel")
	b.reads("#status", "订单已关闭")
	b.see(`#order[data-state="closed"]`)
	if left := eval[bool](b, `document.querySelector("img.qr, #cancel") !== null`); left {
		t.Error("a closed order can still be scanned or cancelled")
	}
	if focus := eval[string](b, "document.activeElement.id"); focus != "status" {
		t.Errorf("the focus went to %q, not to what happened", focus)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	s, b := open(t, "-order-ttl", "4s")
	s.fault("close") // or the order is closed before anybody sees that it expired
	b.signedIn(s.home, "xiaoming")
	b.open(s.home + "order?no=" + s.place("native", "xiaoming"))
	b.reads("#status", "等待支付")
	b.reads("#status", "支付时间已过")
	b.see("#cancel")
}

// TestNoScripts reads the pages without JavaScript.
func TestNoScripts(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.noScripts()
	b.signIn(s.home)
	b.reads("noscript .note", "没有启用 JavaScript")
	b.reads(`[data-goods="vip-month"] .price`, "1.00")
	if enabled := eval[bool](b, `document.querySelector("[data-product]:enabled") !== null`); enabled {
		t.Error("a button that cannot work is enabled")
	}
	no := s.place("native", "xiaoming")
	b.open(s.home + "order?no=" + no)
	b.reads("#status", "等待支付")
	b.reads("#order noscript", "自动刷新")
	b.see("img.qr")
	s.pay(no)
	b.reads("#status", "支付成功") // it reloads itself
	b.reads("#granted", "会员已开通")
}

// TestShots takes the pictures that a person looks at before the pages change.
func TestShots(t *testing.T) {
	t.Parallel()
	s, b := open(t)
	b.open(s.home)
	b.both("stranger")
	b.open(s.home + "order?no=nobody")
	b.both("refused")
	b.signIn(s.home)
	b.both("goods")
	b.click(`[data-goods="vip-month"] [data-product="native"]`)
	no := b.orderShown()
	b.see("img.qr")
	b.both("waiting")
	b.open(s.phone)
	b.both("wechat")
	s.pay(no)
	b.open(s.phone)
	b.both("wechat-paid")
	b.open(s.home + "order?no=" + no)
	b.reads("#granted", "会员已开通")
	b.both("paid")
	b.open(s.home)
	b.both("member")
	b.click(`[data-goods="vip-year"] [data-product="miniprogram"]`)
	b.reads("#sign", "paySign")
	b.both("miniprogram")
	b.click("#cancel")
	b.see(`#order[data-state="closed"]`)
	b.both("closed")
}
