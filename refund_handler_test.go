package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// refund is what the endpoints say of a refund.
type refund struct {
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	RefundID    string `json:"refund_id"`
	Refund      int64  `json:"refund"`
	Amount      string `json:"amount"`
	Total       int64  `json:"total"`
	Reason      string `json:"reason"`
	Status      string `json:"status"`
	StatusDes   string `json:"status_des"`
	Problem     string `json:"problem"`
	RefundTime  string `json:"refund_time"`
}

func (r reply) refund(t testing.TB) refund {
	t.Helper()
	if r.status != http.StatusOK || r.Code != 200 {
		t.Fatalf("answer is %d %s", r.status, r.raw)
	}
	var f refund
	if err := json.Unmarshal(r.Data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// give posts a refund as the admin; header pairs follow.
func (s *shop) give(no, body string, header ...string) reply {
	s.t.Helper()
	return s.do("POST", "/pay/orders/"+no+"/refunds", "admin", body, header...)
}

// refundStatus asks for a refund as the owner of the order.
func (s *shop) refundStatus(no, outRefundNo string) refund {
	s.t.Helper()
	return s.do("GET", "/pay/orders/"+no+"/refunds/"+outRefundNo, "u1", "").refund(s.t)
}

// bought is an order of u1 that is paid and handed over.
func (s *shop) bought() string {
	s.t.Helper()
	no := s.buy("native", "u1").OutTradeNo
	s.pay(no)
	eventually(s.t, "the order is handed over", func() bool { return !s.stored(no).HandedOverAt.IsZero() })
	return no
}

// atWeChat are the refunds of an order there.
func (s *shop) atWeChat(no string) []wxsim.Refund {
	return slices.DeleteFunc(s.sim.Refunds(), func(r wxsim.Refund) bool { return r.OutTradeNo != no })
}

// ofRefunds hears of refunds.
type ofRefunds struct{ changes }

func (c *ofRefunds) hook(o *wxpay.Options) {
	o.Hooks.Refund = func(_ context.Context, i wxpay.RefundInfo) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.said = append(c.said, fmt.Sprint(i.Source, ": ", i.Outcome, " ", i.Refund.OutRefundNo, " ", i.NeedsAction()))
	}
}

// TestRefund follows a refund from the click to the hand-over.
func TestRefund(t *testing.T) {
	t.Parallel()
	heard := new(ofRefunds)
	s := open(t, heard.hook)
	no := s.bought()
	r := s.give(no, `{"refund":100,"reason":"不想要了","out_refund_no":"R-1"}`)
	got := r.refund(t)
	if r.Msg != "退款申请已提交" || got.OutTradeNo != no || got.OutRefundNo != "R-1" || got.RefundID == "" || got.Refund != 100 || got.Amount != "1.00元" ||
		got.Total != 100 || got.Reason != "不想要了" || got.Status != "PROCESSING" || got.StatusDes != "退款处理中" || got.Problem != "" || got.RefundTime != "" {
		t.Errorf("answer: %s", r.raw)
	}
	at := s.atWeChat(no)
	if len(at) != 1 || at[0].OutRefundNo != "R-1" || at[0].Refund != 100 || at[0].Total != 100 || at[0].Reason != "不想要了" || at[0].NotifyURL != s.url+"/pay/notify" {
		t.Fatalf("at WeChat: %+v", at)
	}
	s.sim.Advance(5 * time.Second) // the money is back, and the notification was sent
	if got := s.refundStatus(no, "R-1"); got.Status != "SUCCESS" || got.RefundTime == "" {
		t.Errorf("after the notification: %+v", got)
	}
	eventually(t, "the refund is handed over", func() bool {
		refund, _ := s.stored(no).Refund("R-1")
		return !refund.HandedOverAt.IsZero()
	})
	if o := s.stored(no); o.PayStatus != orderstore.Paid || o.Refunded != 100 || o.RefundStatus != "SUCCESS" || !o.NextActionAt.IsZero() || s.grants.returned("R-1") != 1 || s.grants.count(no) != 1 {
		t.Errorf("stored %+v; handed over %d times, refund %d times", o, s.grants.count(no), s.grants.returned("R-1"))
	}
	for _, user := range []string{"u1", "admin"} {
		raw := s.do("GET", "/pay/orders/"+no, user, "").raw
		if !strings.Contains(raw, `"refunded":100,"refund_status":"SUCCESS","refunds":[{"out_trade_no":"`+no+`","out_refund_no":"R-1"`) || !strings.Contains(raw, `"pay_status":1`) {
			t.Errorf("the order: %s", raw)
		}
	}
	want := []orderstore.EventKind{
		orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventPaid, orderstore.EventHandedOver,
		orderstore.EventRefundAsked, orderstore.EventRefundAccepted, orderstore.EventRefunded, orderstore.EventRefundHandedOver,
	}
	if got := s.events(no); !slices.Equal(got, want) {
		t.Errorf("history %v", got)
	}
	if got := heard.all(); !slices.Equal(got, []string{"refund: accepted R-1 false", "notification: succeeded R-1 false"}) {
		t.Errorf("hooks heard %q", got)
	}
	s.give(no, `{"refund":100,"out_refund_no":"R-1"}`).refund(t) // said again, it is the same refund
	if n := len(s.atWeChat(no)); n != 1 {
		t.Errorf("%d refunds at WeChat", n)
	}
}

// TestRefundIsForThoseAdmitted: neither the owner nor a stranger refunds or
// reads the history, and without AuthorizeRefund nobody does.
func TestRefundIsForThoseAdmitted(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.bought()
	const body = `{"refund":100}`
	path := "/pay/orders/" + no
	for _, user := range []string{"u1", "u2"} {
		s.do("POST", path+"/refunds", user, body).refused(t, 403, 403, "无权操作该订单")
		s.do("GET", path+"/events", user, "").refused(t, 403, 403, "无权操作该订单")
	}
	s.do("GET", path, "u2", "").refused(t, 403, 403, "无权操作该订单")
	s.do("POST", path+"/refunds", "", body).refused(t, 401, 401, "请先登录")
	s.do("GET", path+"/events", "", "").refused(t, 401, 401, "请先登录")
	s.do("GET", path+"/refunds/R-1", "", "").refused(t, 401, 401, "请先登录")
	s.do("POST", path+"/refunds", "admin", body, "Sec-Fetch-Site", "cross-site").refused(t, 403, 403, "请求来源不被允许")
	s.give("nobody-knows-it", body).refused(t, 404, 404, "订单不存在")
	s.do("GET", path+"/refunds/R-1", "u1", "").refused(t, 404, 404, "退款单不存在")
	s.do("GET", path+"/refunds/R-1", "admin", "").refused(t, 404, 404, "退款单不存在")
	s.do("GET", path+"/refunds/R-1", "u2", "").refused(t, 403, 403, "无权操作该订单")
	if n := s.sim.Requests("refund"); n != 0 || len(s.stored(no).Refunds) != 0 {
		t.Errorf("%d calls to WeChat, %d refunds stored", n, len(s.stored(no).Refunds))
	}
	closed := s.another(func(o *wxpay.Options) { o.AuthorizeRefund = nil })
	closed.give(no, body).refused(t, 404, 404, "接口不存在")
	closed.do("GET", path+"/events", "admin", "").refused(t, 404, 404, "接口不存在")
}

// TestRefundBadInput: each gets a clear answer, and nothing reaches WeChat.
func TestRefundBadInput(t *testing.T) {
	t.Parallel()
	s := open(t)
	unpaid, paid := s.buy("native", "u1").OutTradeNo, s.bought()
	closed := s.buy("native", "u1").OutTradeNo
	s.close(closed)
	part := s.bought()
	s.give(part, `{"refund":40,"out_refund_no":"P-1"}`).refund(t)
	calls := s.sim.Requests("refund")
	for _, c := range []struct {
		name, no, body string
		status, code   int
		msg            string
	}{
		{"unpaid", unpaid, `{"refund":100}`, 409, 409, "订单未支付，无法退款"},
		{"closed", closed, `{"refund":100}`, 409, 409, "订单未支付，无法退款"},
		{"no amount", paid, `{}`, 400, 301, "缺少参数refund"},
		{"zero", paid, `{"refund":0}`, 400, 301, "参数refund格式错误"},
		{"negative", paid, `{"refund":-1}`, 400, 301, "参数refund格式错误"},
		{"yuan", paid, `{"refund":1.5}`, 400, 301, "参数refund格式错误"},
		{"text", paid, `{"refund":"100"}`, 400, 301, "参数refund格式错误"},
		{"beyond int64", paid, `{"refund":9223372036854775808}`, 400, 301, "参数refund格式错误"},
		{"too much", paid, `{"refund":101}`, 409, 409, "退款金额超过可退金额"},
		{"more than is left", part, `{"refund":61}`, 409, 409, "退款金额超过可退金额"},
		{"number of another amount", part, `{"refund":41,"out_refund_no":"P-1"}`, 409, 409, "退款单号已用于其他退款"},
		{"number malformed", paid, `{"refund":100,"out_refund_no":"R/1"}`, 400, 301, "参数out_refund_no格式错误"},
		{"number too long", paid, `{"refund":100,"out_refund_no":"` + strings.Repeat("R", 65) + `"}`, 400, 301, "参数out_refund_no格式错误"},
		{"reason with a line break", paid, `{"refund":100,"reason":"a\nb"}`, 400, 301, "参数reason格式错误"},
		{"reason too long", paid, `{"refund":100,"reason":"` + strings.Repeat("r", 257) + `"}`, 400, 301, "参数reason格式错误"},
		{"not JSON", paid, `refund=100`, 400, 301, "请求体不是有效的JSON"},
		{"too large", paid, `{"refund":100,"reason":"` + strings.Repeat("r", 64<<10) + `"}`, 413, 413, "请求体过大"},
	} {
		t.Run(c.name, func(t *testing.T) { s.give(c.no, c.body).refused(t, c.status, c.code, c.msg) })
	}
	if n := s.sim.Requests("refund"); n != calls || len(s.stored(paid).Refunds) != 0 || len(s.stored(unpaid).Refunds) != 0 {
		t.Errorf("%d calls to WeChat, want %d; stored %v", n, calls, s.stored(paid).Refunds)
	}
}

// TestRefundLimits: sums, counts and ages, against the store's own word.
func TestRefundLimits(t *testing.T) {
	t.Parallel()
	s := open(t)
	full := s.bought()
	s.give(full, `{"refund":100}`).refund(t)
	s.give(full, `{"refund":1}`).refused(t, 409, 409, "退款金额超过可退金额")

	many := s.bought()
	for i := range orderstore.MaxRefunds {
		if got := s.give(many, fmt.Sprintf(`{"refund":1,"out_refund_no":"M-%d"}`, i)).refund(t); i > 0 && got.Status != "APPLYING" {
			t.Errorf("refund %d within the minute is %s", i, got.Status) // WeChat wants a minute between two
		}
	}
	s.give(many, `{"refund":1,"out_refund_no":"M-50"}`).refused(t, 409, 409, "订单退款次数已达上限（50次）")
	if n := len(s.atWeChat(many)); n != 1 {
		t.Errorf("%d refunds at WeChat within a minute", n)
	}
	s.clock.advance(62 * time.Second)
	eventually(t, "the second refund is applied for", func() bool { return len(s.atWeChat(many)) == 2 })

	old := s.bought()
	s.clock.advance(366 * 24 * time.Hour)
	s.give(old, `{"refund":1}`).refused(t, 409, 409, "订单支付已超过一年，无法退款")
}

// TestRefundNumberOfAnotherOrder: a merchant has each number once.
func TestRefundNumberOfAnotherOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, second := s.bought(), s.bought()
	s.give(first, `{"refund":100,"out_refund_no":"R-1"}`).refund(t)
	for range 2 {
		r := s.give(second, `{"refund":100,"out_refund_no":"R-1"}`)
		r.refused(t, 502, 502, "微信支付拒绝了退款")
		if !strings.Contains(string(r.Data), `"out_trade_no":"`+second+`"`) || !strings.Contains(string(r.Data), `"problem":"REFUND_NUMBER_TAKEN"`) {
			t.Errorf("data: %s", r.Data)
		}
	}
	if o := s.stored(second); o.Refundable() != 100 || !o.NextActionAt.IsZero() {
		t.Errorf("%v left, next action %v", o.Refundable(), o.NextActionAt)
	}
	s.give(second, `{"refund":100,"out_refund_no":"R-2"}`).refund(t)
	s.refundEnds(second, "R-2", orderstore.RefundProcessing) // a minute later
	if r, _ := s.stored(first).Refund("R-1"); r.Status != orderstore.RefundProcessing || len(s.stored(first).Refunds) != 1 {
		t.Errorf("the first order's: %+v", s.stored(first).Refunds)
	}
}

// TestParallelRefunds: however many click, one number is one refund, one key is
// one, clicks without either at the same time are one, and different refunds
// never sum above the total.
func TestParallelRefunds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		body   func(i int) string
		header []string
		want   int // refunds
	}{
		{"one number", func(int) string { return `{"refund":30,"out_refund_no":"R-1"}` }, nil, 1}, // three would fit
		{"one key", func(int) string { return `{"refund":30}` }, []string{"Idempotency-Key", "k-1"}, 1},
		{"neither", func(int) string { return `{"refund":60}` }, nil, 1},
		{"many numbers", func(i int) string { return fmt.Sprintf(`{"refund":30,"out_refund_no":"R-%d"}`, i) }, nil, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.bought()
			other := s.another()
			var clicks sync.WaitGroup
			for i := range 32 {
				clicks.Go(func() { []*shop{s, other}[i%2].give(no, c.body(i), c.header...) })
			}
			clicks.Wait()
			o := s.stored(no)
			if len(o.Refunds) != c.want || o.Refundable() < 0 {
				t.Errorf("%d refunds, %v left", len(o.Refunds), o.Refundable())
			}
			if at := s.atWeChat(no); len(at) != 1 { // the others wait for their minute
				t.Errorf("at WeChat: %+v", at)
			}
		})
	}
}
