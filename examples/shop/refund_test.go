package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// give asks for a refund, as user.
func (o *site) give(user, no, number string, fen int) answer {
	o.t.Helper()
	return o.do("POST", "/pay/orders/"+no+"/refunds", user, fmt.Sprintf(`{"refund":%d,"reason":"不想要了","out_refund_no":%q}`, fen, number))
}

// back makes the refunds that are under way arrive.
func (o *site) back() {
	o.t.Helper()
	into[map[string]any](o.do("POST", o.phone+"_sim/clock", "", `{"advance":"10s"}`))
}

// refunds are what the shop's own simulator has done.
func (o *site) refunds() []map[string]any {
	o.t.Helper()
	return into[struct{ Refunds []map[string]any }](o.do("GET", o.phone+"_sim/refunds", "", "")).Refunds
}

// bought is an order of a month that is paid and granted.
func (o *site) bought(user string) string {
	o.t.Helper()
	had := o.me(user).Grants
	no := o.buy("native", user).OutTradeNo
	o.pay(no)
	eventually(o.t, "the membership is granted", func() bool { return o.me(user).Grants == had+1 })
	return no
}

// TestAdminOnly tries everything that only the admin may do.
func TestAdminOnly(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.bought("xiaoming")
	path := "/pay/orders/" + no
	for user, status := range map[string]int{"": 401, "xiaoming": 403, "xiaohong": 403, "Admin": 403} {
		if a := o.give(user, no, "r-1", 100); a.status != status {
			t.Errorf("%q refunds: %d %s, want %d", user, a.status, a.body, status)
		}
		if a := o.do("GET", path+"/events", user, ""); a.status != status {
			t.Errorf("%q reads the events: %d, want %d", user, a.status, status)
		}
	}
	if a := o.give("admin", no, "r-1", 100); a.status != http.StatusOK || len(o.refunds()) != 1 {
		t.Fatalf("admin refunds: %d %s", a.status, a.body)
	}
	for user, status := range map[string]int{"": 401, "xiaoming": 200, "xiaohong": 403, "admin": 200} {
		if a := o.do("GET", path+"/refunds/r-1", user, ""); a.status != status {
			t.Errorf("%q asks for the refund: %d %s, want %d", user, a.status, a.body, status)
		}
	}
	timeline := o.do("GET", path+"/events", "admin", "", "Accept", "text/plain")
	if kind := timeline.header.Get("Content-Type"); timeline.status != http.StatusOK || kind != "text/plain; charset=utf-8" {
		t.Errorf("timeline: %d %s", timeline.status, kind)
	}
	for _, want := range []string{no, "xiaoming", "created", "paid", "by notification", "handed_over", "refund_asked", "r-1", "admin"} {
		if !strings.Contains(timeline.body, want) {
			t.Errorf("no %q in the timeline:\n%s", want, timeline.body)
		}
	}
}

// TestRefund gives a month back, that was bought after another one.
func TestRefund(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.bought("xiaoming")
	before := o.me("xiaoming")
	no := o.bought("xiaoming")
	for range 3 {
		if a := o.give("admin", no, "once", 100); a.status != http.StatusOK {
			t.Fatalf("refund: %d %s", a.status, a.body)
		}
	}
	contains(t, page(t, o, "/order?no="+no, "xiaoming", http.StatusOK), "退款中", "1.00", "不想要了", "申请", `http-equiv="refresh"`)
	o.back()
	eventually(t, "the membership is taken back", func() bool { return o.me("xiaoming").VIPUntil == before.VIPUntil })
	if me := o.me("xiaoming"); me.Grants != 2 {
		t.Errorf("granted %d times, want 2 as before the refund", me.Grants)
	}
	if r := o.refunds(); len(r) != 1 || r[0]["status"] != "SUCCESS" || r[0]["refund"] != 100.0 {
		t.Errorf("the simulator refunded %v", r)
	}
	body := page(t, o, "/order?no="+no, "xiaoming", http.StatusOK)
	contains(t, body, `data-state="refunded"`, "已退款", "退款成功", "会员已收回", `data-pace="0"`)
	lacks(t, body, `http-equiv="refresh"`, `id="refund"`, `id="timeline"`)
	contains(t, page(t, o, "/", "xiaoming", http.StatusOK), "退款收回")
	if a := o.give("admin", no, "again", 1); a.status != http.StatusConflict {
		t.Errorf("more than was paid: %d %s", a.status, a.body)
	}
}

// TestPartialRefund gives back a part; the membership stays.
func TestPartialRefund(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.bought("xiaoming")
	before := o.me("xiaoming")
	if a := o.give("admin", no, "a-part", 40); a.status != http.StatusOK {
		t.Fatalf("refund: %d %s", a.status, a.body)
	}
	o.back()
	eventually(t, "the refund is handed over", func() bool {
		return strings.Contains(o.do("GET", "/pay/orders/"+no+"/events", "admin", "").body, "refund_handed_over")
	})
	if me := o.me("xiaoming"); me != before {
		t.Errorf("%+v, want %+v", me, before)
	}
	contains(t, page(t, o, "/order?no="+no, "xiaoming", http.StatusOK), `data-state="paid"`, "部分退款", "0.40", "会员已开通")
	contains(t, page(t, o, "/order?no="+no, "admin", http.StatusOK), "退还剩余", "0.60", `data-left="60"`)
	if a := o.give("admin", no, "the-rest", 60); a.status != http.StatusOK {
		t.Errorf("the rest: %d %s", a.status, a.body)
	}
	contains(t, page(t, o, "/order?no="+no, "admin", http.StatusOK), "退款申请中", "自动提交") // WeChat wants a minute between them
}

// TestRefundBeforeGrant refunds an order that the shop could not hand over.
func TestRefundBeforeGrant(t *testing.T) {
	t.Parallel()
	o := start(t)
	no := o.buy("native", "xiaoming").OutTradeNo
	o.sql(`CREATE TRIGGER hold BEFORE INSERT ON grants WHEN NEW.revoked_at IS NULL BEGIN SELECT RAISE(ABORT, 'held'); END`)
	o.pay(no)
	eventually(t, "the grant fails", func() bool { return o.count(`SELECT hand_over_tries FROM pay_order_record`) > 0 })
	if a := o.give("admin", no, "early", 100); a.status != http.StatusOK {
		t.Fatalf("refund: %d %s", a.status, a.body)
	}
	o.back()
	eventually(t, "the refund is taken note of", func() bool { return o.count(`SELECT count(*) FROM grants WHERE revoked_at > 0`) == 1 })
	o.sql(`DROP TRIGGER hold`)
	eventually(t, "the order is handed over", func() bool {
		return o.count(`SELECT count(*) FROM pay_order_record WHERE handed_over_at IS NOT NULL`) == 1
	})
	if me := o.me("xiaoming"); me.Grants != 0 || me.VIPUntil != "" {
		t.Errorf("the money is back, and the membership is there: %+v", me)
	}
	body := page(t, o, "/order?no="+no, "xiaoming", http.StatusOK)
	contains(t, body, "已退款")
	lacks(t, body, "收回", "正在开通")
}

// TestRefundTroubles is what people read when the money does not arrive.
func TestRefundTroubles(t *testing.T) {
	t.Parallel()
	o := start(t)
	pages := func(no string) (owners, admins string) {
		return page(t, o, "/order?no="+no, "xiaoming", http.StatusOK), page(t, o, "/order?no="+no, "admin", http.StatusOK)
	}
	refund := func(fate string) (no string) {
		into[map[string]any](o.do("POST", o.phone+"_sim/refunds/decide", "", `{"out_refund_no":"","status":"`+fate+`"}`))
		no = o.bought("xiaoming")
		if a := o.give("admin", no, "r-"+fate, 100); a.status != http.StatusOK {
			t.Fatalf("refund: %d %s", a.status, a.body)
		}
		o.back()
		return no
	}
	abnormal, _ := pages(refund("ABNORMAL"))
	contains(t, abnormal, "退款异常", "需要人工处理", `data-pace="1500"`)
	closed, again := pages(refund("CLOSED"))
	contains(t, closed, "支付成功", "退款关闭", "会员已开通")
	contains(t, again, "全额退款 ¥1.00") // a new number, another try

	into[map[string]any](o.do("POST", o.phone+"_sim/refunds/balance", "", `{"enough":false}`))
	poor := o.bought("xiaoming")
	if a := o.give("admin", poor, "r-poor", 100); a.status != http.StatusOK {
		t.Fatalf("refund: %d %s", a.status, a.body)
	}
	owners, admins := pages(poor)
	contains(t, owners, "退款中", "退款申请中")
	lacks(t, owners, "NOT_ENOUGH")
	contains(t, admins, "NOT_ENOUGH")
	if me := o.me("xiaoming"); me.Grants != 3 {
		t.Errorf("%+v, want 3 grants that stay", me)
	}
}

// TestAdminPages reads what the admin sees of orders that are not the admin's.
func TestAdminPages(t *testing.T) {
	t.Parallel()
	o := start(t)
	contains(t, page(t, o, "/", "admin", http.StatusOK), "查订单", `action="/order"`)
	lacks(t, page(t, o, "/", "xiaoming", http.StatusOK), "查订单")

	const owner = `<b>xiao</b>ming`
	no := o.buy("native", owner).OutTradeNo
	waiting := page(t, o, "/order?no="+no, "admin", http.StatusOK)
	contains(t, waiting, "&lt;b&gt;xiao", "等待支付", "还没有付款", `data-ask=""`)
	lacks(t, waiting, "qr.svg", `id="cancel"`, `id="refund"`)
	o.pay(no)
	paid := page(t, o, "/order?no="+no, "admin", http.StatusOK)
	contains(t, paid, "&lt;b&gt;xiao", "全额退款", `data-left="100"`, "部分退款", "退款原因", `id="timeline"`, "created")
	lacks(t, paid, "<b>xiao")
	lacks(t, page(t, o, "/order?no="+no, owner, http.StatusOK), "全额退款", `id="timeline"`)
	page(t, o, "/order?no="+no, "xiaohong", http.StatusNotFound)
	page(t, o, "/order?no=k0000000", "admin", http.StatusNotFound)

	const reason = `<script>alert(1)</script>`
	if a := o.do("POST", "/pay/orders/"+no+"/refunds", "admin", `{"refund":1,"reason":"`+reason+`"}`); a.status != http.StatusOK {
		t.Fatalf("refund: %d %s", a.status, a.body)
	}
	contains(t, page(t, o, "/order?no="+no, "admin", http.StatusOK), "&lt;script&gt;")
}
