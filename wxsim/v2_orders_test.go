package wxsim_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// A query by either number, before and after payment, to the element.
func TestV2Query(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.rc.answerWith(200)
	fields := with(orderV2("JSAPI", "order-asked", s.rc.url), "attach", "a&b", "device_info", "WEB")
	if r := m.call("/pay/unifiedorder", fields); r.code() != "" || r.fields["device_info"] != "WEB" {
		t.Fatalf("order: %s", r.body)
	}
	want := map[string]string{
		"out_trade_no": "order-asked", "trade_state": "NOTPAY", "trade_state_desc": "订单未支付", "device_info": "WEB",
	}
	ask := func(by ...string) {
		t.Helper()
		r := m.call("/pay/orderquery", with(map[string]string{}, by...))
		got := maps.Clone(r.fields)
		for _, name := range []string{"return_code", "return_msg", "result_code", "appid", "mch_id", "nonce_str", "sign"} {
			delete(got, name)
		}
		if r.code() != "" || !maps.Equal(got, want) {
			t.Errorf("%v: %s %v, want %v", by, r.code(), got, want)
		}
	}
	ask("out_trade_no", "order-asked")
	if err := s.Pay("order-asked"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	o, _ := s.Order("order-asked")
	want = map[string]string{
		"out_trade_no": "order-asked", "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "device_info": "WEB",
		"transaction_id": o.TransactionID, "trade_type": "JSAPI", "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "is_subscribe": "N",
		"bank_type": "OTHERS", "total_fee": "100", "cash_fee": "100", "fee_type": "CNY", "cash_fee_type": "CNY",
		"time_end": "20261121120000", "attach": "a&b",
	}
	ask("out_trade_no", "order-asked")
	ask("transaction_id", o.TransactionID)
	ask("transaction_id", o.TransactionID, "out_trade_no", "order-asked")
	for _, c := range []struct{ id, no, want string }{
		{"", "order-none", "ORDERNOTEXIST"},
		{"42000", "", "ORDERNOTEXIST"},
		{o.TransactionID, "order-none", "ORDERNOTEXIST"},
		{"", "", "FAIL 缺少参数transaction_id或out_trade_no"},
	} {
		if r := m.call("/pay/orderquery", map[string]string{"transaction_id": c.id, "out_trade_no": c.no}); r.code() != c.want {
			t.Errorf("%+v: %s", c, r.body)
		}
	}
}

// Either version sees what the other placed.
func TestV2MeetsV3(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.placeV2(m, "order-v2", shopURL)
	s.m.prepay("native", "order-v3", map[string]any{"attach": "bell \a\r\nend"})
	if got := s.m.query("order-v2").text("trade_state"); got != "NOTPAY" {
		t.Errorf("v2 by v3: %q", got)
	}
	for _, no := range []string{"order-v2", "order-v3"} {
		if err := s.PayQuietly(no); err != nil {
			t.Fatalf("pay: %v", err)
		}
	}
	if got := s.m.query("order-v2"); got.text("trade_state") != "SUCCESS" || got.text("trade_type") != "NATIVE" {
		t.Errorf("v2 by v3: %s", got.body)
	}
	// What XML cannot hold is left out, or the sign would not fit.
	if r := m.call("/pay/orderquery", map[string]string{"out_trade_no": "order-v3"}); r.fields["trade_state"] != "SUCCESS" || r.fields["attach"] != "bell \nend" {
		t.Errorf("v3 by v2: %s", r.body)
	}
	s.m.prepay("native", "order-shut", nil)
	if r := m.call("/pay/closeorder", map[string]string{"out_trade_no": "order-shut"}); r.code() != "" {
		t.Errorf("close v3 by v2: %s", r.body)
	}
	if o, _ := s.Order("order-v3"); o.API != "v3" {
		t.Errorf("order %+v", o)
	}
}

// Orders of API v2 are in the bill and on the phone.
func TestV2SeenElsewhere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	m.call("/pay/unifiedorder", orderV2("MWEB", "order-h5", shopURL))
	if page := s.page("/"); !strings.Contains(card(t, page, "order-h5"), "H5 · API v2") {
		t.Errorf("phone shows %s", page)
	}
	if err := s.PayQuietly("order-h5"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	s.Advance(22 * time.Hour)
	if bill := s.bill(""); !strings.Contains(bill, "`order-h5,") || !strings.Contains(bill, ",`MWEB,`SUCCESS,") {
		t.Errorf("bill %s", bill)
	}
}

// What a close does to every kind of order.
func TestV2Close(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(s *stage)
		want   string
		state  string
	}{
		{"unpaid", func(*stage) {}, "", "CLOSED"},
		{"closed", func(s *stage) { s.m.close("order-shut") }, "ORDERCLOSED", "CLOSED"},
		{"paid", func(s *stage) { _ = s.PayQuietly("order-shut") }, "ORDERPAID", "SUCCESS"},
		{"customer is paying", func(s *stage) { _ = s.Begin("order-shut") }, "TRADE_STATE_ERROR", "NOTPAY"},
		{"paid at that moment", func(s *stage) { _ = s.PayDuringClose("order-shut") }, "ORDERPAID", "SUCCESS"},
		{"fault paid_first", fault("paid_first"), "ORDERPAID", "SUCCESS"},
		{"fault userpaying", fault("userpaying"), "TRADE_STATE_ERROR", "NOTPAY"},
		{"fault too_early", fault("too_early"), "TRADE_STATE_ERROR", "NOTPAY"},
		{"fault too_early, late", func(s *stage) { fault("too_early")(s); s.Advance(5 * time.Minute) }, "", "CLOSED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.rc.answerWith(200)
			m := s.v2()
			s.placeV2(m, "order-shut", s.rc.url)
			c.before(s)
			if r := m.call("/pay/closeorder", map[string]string{"out_trade_no": "order-shut"}); r.code() != c.want {
				t.Errorf("%s, want %q", r.body, c.want)
			}
			if o, _ := s.Order("order-shut"); o.TradeState != c.state {
				t.Errorf("order is %s, want %s", o.TradeState, c.state)
			}
		})
	}
	s := newStage(t)
	m := s.v2()
	if r := m.call("/pay/closeorder", map[string]string{"out_trade_no": "order-none"}); r.code() != "ORDERNOTEXIST" {
		t.Errorf("none: %s", r.body)
	}
	if r := m.call("/pay/closeorder", nil); r.code() != "FAIL 缺少参数out_trade_no" {
		t.Errorf("nothing: %s", r.body)
	}
}

// fault makes the next close go wrong.
func fault(name string) func(*stage) {
	return func(s *stage) { s.Fault(wxsim.Fault{Target: "close", Fault: name, Count: 1}) }
}

// The fault too_early waits for a close by API v2.
func TestV2TooEarlyIsV2Only(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	fault("too_early")(s)
	s.place("native", "order-v3")
	if r := s.m.close("order-v3"); r.status != 204 {
		t.Errorf("%d %s", r.status, r.body)
	}
	m := s.v2()
	s.placeV2(m, "order-v2", shopURL)
	if r := m.call("/pay/closeorder", map[string]string{"out_trade_no": "order-v2"}); r.code() != "TRADE_STATE_ERROR" {
		t.Errorf("the fault is used up: %s", r.body)
	}
}
