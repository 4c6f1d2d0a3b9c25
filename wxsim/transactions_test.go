package wxsim_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// keys lists the fields of a JSON object.
func keys(t *testing.T, raw []byte) []string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("answer %s: %v", raw, err)
	}
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Most of a transaction appears only once it is paid.
func TestQuery(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("jsapi", "order-query", map[string]any{"attach": "a&b"})
	unpaid := s.m.query("order-query")
	if got, want := keys(t, unpaid.body), []string{"appid", "mchid", "out_trade_no", "trade_state", "trade_state_desc"}; !slices.Equal(got, want) {
		t.Errorf("unpaid fields %q, want %q", got, want)
	}
	if err := s.PayQuietly("order-query"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	paid := s.m.query("order-query")
	o, _ := s.Order("order-query")
	want := `{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":100,"total":100},"appid":"` + s.Account().AppID +
		`","attach":"a&b","bank_type":"OTHERS","mchid":"` + s.Account().MchID +
		`","out_trade_no":"order-query","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"success_time":"2026-11-21T12:00:00+08:00",` +
		`"trade_state":"SUCCESS","trade_state_desc":"支付成功","trade_type":"JSAPI","transaction_id":"` + o.TransactionID + `"}`
	if string(paid.body) != want {
		t.Errorf("paid\n got %s\nwant %s", paid.body, want)
	}
	if len(o.TransactionID) != 28 || o.TransactionID[:5] != "42000" {
		t.Errorf("transaction_id %q", o.TransactionID)
	}
	byID := s.m.call("GET", transactions+"id/"+o.TransactionID+"?mchid="+s.Account().MchID, nil)
	if string(byID.body) != string(paid.body) {
		t.Errorf("by id %s", byID.body)
	}
}

func TestQueryTradeTypes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for product, want := range map[string]string{"jsapi": "JSAPI", "app": "APP", "h5": "MWEB", "native": "NATIVE"} {
		s.m.prepay(product, "type-"+product, nil)
		if err := s.PayQuietly("type-" + product); err != nil {
			t.Fatalf("pay: %v", err)
		}
		if got := s.m.query("type-" + product).text("trade_type"); got != want {
			t.Errorf("%s has trade_type %q, want %q", product, got, want)
		}
		o, _ := s.Order("type-" + product)
		if !regexp.MustCompile(`^o[0-9A-Za-z_-]{27}$`).MatchString(o.OpenID) {
			t.Errorf("%s was paid by %q", product, o.OpenID)
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-query", nil)
	mchid := "?mchid=" + s.Account().MchID
	for _, c := range []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"unknown number", "GET", "out-trade-no/order-other" + mchid, 404, "ORDER_NOT_EXIST"},
		{"number in another case", "GET", "out-trade-no/ORDER-QUERY" + mchid, 404, "ORDER_NOT_EXIST"},
		{"unknown id", "GET", "id/4200000000000000000000000000" + mchid, 404, "ORDER_NOT_EXIST"},
		{"no mchid", "GET", "out-trade-no/order-query", 400, "PARAM_ERROR"},
		{"foreign mchid", "GET", "out-trade-no/order-query?mchid=1900000109", 400, "PARAM_ERROR"},
		{"wrong method", "DELETE", "out-trade-no/order-query" + mchid, 405, ""},
		{"GET of a prepay", "GET", "native", 405, ""},
		{"unknown product", "POST", "facepay", 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.m.call(c.method, transactions+c.path, nil)
			if r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %q %s, want %d %q", r.status, r.code(), r.body, c.status, c.code)
			}
			if c.code == "" && len(r.body) > 0 {
				t.Errorf("body %q, want none", r.body)
			}
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, no := range []string{"close-open", "close-paid", "close-late"} {
		s.m.prepay("native", no, map[string]any{"time_expire": "2026-11-21T12:10:00+08:00"})
	}
	if err := s.PayQuietly("close-paid"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	for range 2 { // closing is re-entrant
		if r := s.m.close("close-open"); r.status != 204 || len(r.body) != 0 {
			t.Errorf("close: %d %s", r.status, r.body)
		}
		s.Advance(time.Second)
	}
	if o, _ := s.Order("close-open"); !o.ClosedAt.Equal(noon) {
		t.Errorf("closed at %v, want the first time", o.ClosedAt)
	}
	if got := s.m.query("close-open").text("trade_state"); got != "CLOSED" {
		t.Errorf("closed order reads %q", got)
	}
	if r := s.m.close("close-paid"); r.status != 400 || r.code() != "ORDER_PAID" {
		t.Errorf("close of a paid order: %d %s", r.status, r.body)
	}
	if r := s.m.close("close-none"); r.status != 404 || r.code() != "ORDER_NOT_EXIST" {
		t.Errorf("close of an unknown order: %d %s", r.status, r.body)
	}
	s.Advance(time.Hour)
	if got := s.m.query("close-late").text("trade_state"); got != "NOTPAY" {
		t.Errorf("expired order reads %q before it is closed", got)
	}
	if r := s.m.close("close-late"); r.status != 204 {
		t.Errorf("close of an expired order: %d %s", r.status, r.body)
	}
}

func TestCloseRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-close", nil)
	for name, body := range map[string]string{
		"no body": "", "no mchid": `{}`, "foreign mchid": `{"mchid":"1900000109"}`,
		"more": `{"mchid":"` + s.Account().MchID + `","out_trade_no":"order-close"}`,
	} {
		if r := s.m.call("POST", transactions+"out-trade-no/order-close/close", []byte(body)); r.status != 400 || r.code() != "PARAM_ERROR" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if got := s.m.query("order-close").text("trade_state"); got != "NOTPAY" {
		t.Errorf("order reads %q after refused closes", got)
	}
}

// What the customer may do, by the state of the order; each step on its own.
func TestStates(t *testing.T) {
	t.Parallel()
	pay := func(s *stage, no string) error { return s.PayQuietly(no) }
	for _, c := range []struct {
		name   string
		before func(s *stage, no string)
		do     func(s *stage, no string) error
		want   error
		state  string
	}{
		{"pay an open order", nil, pay, nil, "SUCCESS"},
		{"cancel an open order", nil, func(s *stage, no string) error { return s.Cancel(no) }, nil, "NOTPAY"},
		{"fail an open order", nil, func(s *stage, no string) error { return s.Fail(no) }, nil, "NOTPAY"},
		{"pay after failing", func(s *stage, no string) { _ = s.Fail(no) }, pay, nil, "SUCCESS"},
		{"pay twice", func(s *stage, no string) { _ = s.PayQuietly(no) }, pay, wxsim.ErrPaid, "SUCCESS"},
		{"cancel a paid order", func(s *stage, no string) { _ = s.PayQuietly(no) }, func(s *stage, no string) error { return s.Cancel(no) }, wxsim.ErrPaid, "SUCCESS"},
		{"pay a closed order", func(s *stage, no string) { s.m.close(no) }, pay, wxsim.ErrClosed, "CLOSED"},
		{"fail a closed order", func(s *stage, no string) { s.m.close(no) }, func(s *stage, no string) error { return s.Fail(no) }, wxsim.ErrClosed, "CLOSED"},
		{"pay a second before expiry", func(s *stage, _ string) { s.Advance(10*time.Minute - time.Second) }, pay, nil, "SUCCESS"},
		{"pay at expiry", func(s *stage, _ string) { s.Advance(10 * time.Minute) }, pay, wxsim.ErrExpired, "NOTPAY"},
		{"pay after a week", func(s *stage, _ string) { s.Advance(7 * 24 * time.Hour) }, pay, wxsim.ErrClosed, "CLOSED"},
		{"pay as another", nil, func(s *stage, no string) error { return s.PayAs(no, "oOther") }, wxsim.ErrWrongPayer, "NOTPAY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.m.prepay("jsapi", "order-state", map[string]any{"time_expire": "2026-11-21T12:10:00+08:00"})
			if c.before != nil {
				c.before(s, "order-state")
			}
			if err := c.do(s, "order-state"); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if got := s.m.query("order-state").text("trade_state"); got != c.state {
				t.Errorf("trade_state %q, want %q", got, c.state)
			}
		})
	}
	s := newStage(t)
	for name, do := range map[string]func(string) error{"Pay": s.Pay, "PayQuietly": s.PayQuietly, "Cancel": s.Cancel, "Fail": s.Fail} {
		if err := do("order-none"); !errors.Is(err, wxsim.ErrNoOrder) {
			t.Errorf("%s of an unknown order: %v", name, err)
		}
	}
}
