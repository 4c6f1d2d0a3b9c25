package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// watchRefund notes the moment at which the order page says that the money is
// back.
const watchRefund = `new MutationObserver(() => {
	if (document.getElementById("status").textContent === "已退款") window.refundedAt ??= Date.now();
}).observe(document.body, {subtree: true, childList: true, characterData: true}), true`

// stranger opens a tab of somebody else's, who shares no cookie with b.
func (b tab) stranger() tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, chromedp.WithNewBrowserContext())
}

// bought is an order of xiaoming's that is paid and on the screen.
func (b tab) bought(s *shop) (no string) {
	b.t.Helper()
	b.signedIn(s.home, "xiaoming")
	no = s.place("native", "xiaoming")
	s.pay(no)
	b.open(s.home + "order?no=" + no)
	b.reads("#granted", "会员已开通")
	return no
}

// TestRefund is what a customer sees who looks at the order while the admin
// gives the money back.
func TestRefund(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	no := desk.bought(s)
	eval[bool](desk, watchRefund)

	office := desk.stranger()
	office.signedIn(s.home, "admin")
	office.open(s.home)
	office.typeIn(`.look-up input`, no)
	office.click(`.look-up button`)
	office.reads("#owner", "xiaoming")
	office.reads("#timeline", "handed_over")
	office.typeIn("#reason", "不想要了")
	office.do(chromedp.DoubleClick(chromedp.CSS("#refund-all")))
	office.reads("#status", "退款中")
	desk.reads("#status", "退款中")
	desk.until("window.refundedAt > 0") // the simulator takes five seconds
	took := time.UnixMilli(eval[int64](desk, "window.refundedAt")).Sub(s.accepted(no, "REFUND.SUCCESS"))
	t.Logf("on the screen %v after the notification", took.Round(time.Millisecond))
	if took > onScreenWithin {
		t.Errorf("the order page needed %v, want at most %v", took, onScreenWithin)
	}
	desk.reads("#refunds", "退款成功")
	desk.reads("#refunds", "不想要了")
	desk.reads("#refunded", "会员已收回")
	office.reads("#status", "已退款")
	office.reads("#timeline", "refund_handed_over")
	if left := eval[bool](office, `document.getElementById("refund") !== null`); left {
		t.Error("what is refunded can be refunded again")
	}
	if n := s.refunds(); n != 1 {
		t.Errorf("a double click made %d refunds", n)
	}
	if me := s.me("xiaoming"); me.Grants != 1 {
		t.Errorf("after the refund: %+v", me)
	}
}

// TestPartialRefund gives back a part with the keyboard, after one that is too
// much.
func TestPartialRefund(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	no := desk.bought(s)
	office := desk.stranger()
	office.signedIn(s.home, "admin")
	office.open(s.home + "order?no=" + no)
	office.typeIn("#amount", "1.01\r")
	office.reads("#refund-problem", "超过可退金额")
	eval[string](office, `document.getElementById("amount").value = ""`)
	office.typeIn("#amount", "0.29\r")
	office.reads("#refunds", "¥0.29")
	s.advance("5s")
	desk.reads("#status", "部分退款")
	desk.reads("#granted", "会员已开通")
	office.reads("#status", "部分退款")
	office.reads("#refund-all", "退还剩余 ¥0.71")
	if focus := eval[string](office, "document.activeElement.id"); focus != "amount" {
		t.Errorf("the focus went to %q, not to the field that was typed in", focus)
	}
	if typed := eval[string](office, `document.getElementById("amount").value`); typed != "" {
		t.Errorf("the amount %q is still there to be sent again", typed)
	}
}

// TestRefundShots takes the pictures that a person looks at before the pages
// change.
func TestRefundShots(t *testing.T) {
	t.Parallel()
	s, desk := open(t)
	no := desk.bought(s)
	office := desk.stranger()
	office.signedIn(s.home, "admin")
	office.open(s.home)
	office.both("admin-home")
	office.open(s.home + "order?no=" + no)
	office.both("admin-paid")
	office.typeIn("#reason", "重复购买，协商退款")
	office.typeIn("#amount", "0.40\r")
	office.reads("#status", "退款中")
	office.both("admin-refunding")
	desk.reads("#status", "退款中")
	desk.both("refunding")
	s.advance("5s")
	desk.reads("#status", "部分退款")
	desk.both("refunded-part")
	office.reads("#refund-all", "退还剩余")
	office.click("#refund-all")
	office.reads("#refunds", "自动提交")
	office.both("admin-waiting")

	no = desk.bought(s)
	s.refund(no)
	s.advance("5s")
	desk.reads("#refunded", "收回")
	desk.both("refunded")
	office.open(s.home + "order?no=" + no)
	office.both("admin-refunded")
	desk.open(s.home)
	desk.both("member-refunded")
}
