package wxsim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// Each case changes one parameter of a good application.
func TestRefundParameters(t *testing.T) {
	t.Parallel()
	amount := func(raw string) map[string]any { return map[string]any{"amount": json.RawMessage(raw)} }
	set := func(name string, v any) map[string]any { return map[string]any{name: v} }
	for i, c := range []struct {
		name   string
		change map[string]any
		code   string // "": accepted
		field  string // detail.field
	}{
		{"good", nil, "", ""},
		{"everything", map[string]any{
			"funds_account": "AVAILABLE",
			"amount":        json.RawMessage(`{"refund":30,"total":100,"currency":"CNY","from":[{"account":"AVAILABLE","amount":10},{"account":"UNAVAILABLE","amount":20}]}`),
			"goods_detail":  json.RawMessage(`[{"merchant_goods_id":"g-1","wechatpay_goods_id":"1","goods_name":"会员","unit_price":100,"refund_amount":30,"refund_quantity":1}]`),
		}, "", ""},
		{"no reason", set("reason", deleted{}), "", ""},
		{"no order", set("out_trade_no", deleted{}), "PARAM_ERROR", "/out_trade_no"},
		{"two orders", set("transaction_id", "4200000000000000000000000000"), "PARAM_ERROR", "/out_trade_no"},
		{"number missing", set("out_refund_no", deleted{}), "PARAM_ERROR", "/out_refund_no"},
		{"number of 64", set("out_refund_no", strings.Repeat("r", 64)), "", ""},
		{"number of 65", set("out_refund_no", strings.Repeat("r", 65)), "PARAM_ERROR", "/out_refund_no"},
		{"number with all signs", set("out_refund_no", "aZ09_-|*@"), "", ""},
		{"number with a dot", set("out_refund_no", "r.1"), "PARAM_ERROR", "/out_refund_no"},
		{"reason of 80", set("reason", strings.Repeat("长", 80)), "", ""},
		{"reason of 81", set("reason", strings.Repeat("长", 81)), "PARAM_ERROR", "/reason"},
		{"notify_url with a query", set("notify_url", "https://shop.example.com/n?a=1"), "PARAM_ERROR", "/notify_url"},
		{"notify_url over http", set("notify_url", "http://shop.example.com/n"), "PARAM_ERROR", "/notify_url"},
		{"foreign funds_account", set("funds_account", "BASIC"), "PARAM_ERROR", "/funds_account"},
		{"mchid", set("mchid", "1900000109"), "PARAM_ERROR", "/mchid"},
		{"amount missing", set("amount", deleted{}), "PARAM_ERROR", "/amount"},
		{"currency missing", amount(`{"refund":30,"total":100}`), "PARAM_ERROR", "/amount/currency"},
		{"foreign currency", amount(`{"refund":30,"total":100,"currency":"USD"}`), "PARAM_ERROR", "/amount/currency"},
		{"nothing", amount(`{"refund":0,"total":100,"currency":"CNY"}`), "PARAM_ERROR", "/amount/refund"},
		{"less than nothing", amount(`{"refund":-1,"total":100,"currency":"CNY"}`), "PARAM_ERROR", "/amount/refund"},
		{"half a fen", amount(`{"refund":0.5,"total":100,"currency":"CNY"}`), "PARAM_ERROR", "/amount/refund"},
		{"a text", amount(`{"refund":"30","total":100,"currency":"CNY"}`), "PARAM_ERROR", "/amount/refund"},
		{"total missing", amount(`{"refund":30,"currency":"CNY"}`), "PARAM_ERROR", "/amount/total"},
		{"from does not add up", amount(`{"refund":30,"total":100,"currency":"CNY","from":[{"account":"AVAILABLE","amount":10}]}`), "PARAM_ERROR", "/amount/from"},
		{"from overflows", amount(`{"refund":1,"total":100,"currency":"CNY","from":[{"account":"AVAILABLE","amount":9223372036854775807},{"account":"AVAILABLE","amount":9223372036854775807},{"account":"AVAILABLE","amount":3}]}`), "PARAM_ERROR", "/amount/from"},
		{"another total", amount(`{"refund":30,"total":99,"currency":"CNY"}`), "INVALID_REQUEST", ""},
		{"too much", amount(`{"refund":101,"total":100,"currency":"CNY"}`), "INVALID_REQUEST", ""},
		{"far too much", amount(`{"refund":9223372036854775807,"total":100,"currency":"CNY"}`), "INVALID_REQUEST", ""},
		{"all of it", amount(`{"refund":100,"total":100,"currency":"CNY"}`), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.placePaid("order-refund")
			r := s.m.call("POST", refunds, s.refundBody("order-refund", fmt.Sprint("refund-", i), 30, c.change))
			status := map[bool]int{true: 200, false: 400}[c.code == ""]
			if r.status != status || r.code() != c.code {
				t.Errorf("answer %d %s, want %d %q", r.status, r.body, status, c.code)
			}
			var e struct{ Detail struct{ Field string } }
			if err := json.Unmarshal(r.body, &e); err != nil || e.Detail.Field != c.field {
				t.Errorf("points at %q, want %q", e.Detail.Field, c.field)
			}
			if got, want := len(s.Refunds()), map[bool]int{true: 1, false: 0}[c.code == ""]; got != want {
				t.Errorf("%d refunds, want %d", got, want)
			}
		})
	}
}

// step is a refund somebody asks for, after a pause, and its answer.
type step struct {
	pause    time.Duration
	no       string
	refundNo string
	fen      int
	status   int
	code     string
}

// What the order's past says to one more refund.
func TestRefundRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		steps []step
		sums  []int64 // of the refunds that exist afterwards
	}{
		{"unknown order", []step{{0, "order-none", "r-1", 1, 404, "RESOURCE_NOT_EXISTS"}}, nil},
		{"unpaid order", []step{{0, "order-open", "r-1", 1, 404, "RESOURCE_NOT_EXISTS"}}, nil},
		{"same again", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {0, "order-paid", "r-1", 60, 200, ""}, {time.Hour, "order-paid", "r-1", 60, 200, ""},
		}, []int64{60}},
		{"same number, other amount", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {time.Hour, "order-paid", "r-1", 40, 400, "INVALID_REQUEST"},
		}, []int64{60}},
		{"same number, other order", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {time.Hour, "order-other", "r-1", 60, 400, "INVALID_REQUEST"},
		}, []int64{60}},
		{"more than is left", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {time.Minute, "order-paid", "r-2", 41, 400, "INVALID_REQUEST"}, {0, "order-paid", "r-3", 40, 200, ""},
		}, []int64{60, 40}},
		{"too soon", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {time.Minute - 1, "order-paid", "r-2", 40, 429, "FREQUENCY_LIMITED"}, {1, "order-paid", "r-2", 40, 200, ""},
		}, []int64{60, 40}},
		{"at once for another order", []step{
			{0, "order-paid", "r-1", 60, 200, ""}, {0, "order-other", "r-2", 40, 200, ""},
		}, []int64{60, 40}},
		{"after a year", []step{
			{365 * 24 * time.Hour, "order-paid", "r-1", 60, 200, ""}, {time.Minute, "order-paid", "r-2", 40, 400, "TRADE_OVERDUE"},
		}, []int64{60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.place("native", "order-open")
			s.placePaid("order-paid")
			s.placePaid("order-other")
			for i, at := range c.steps {
				s.Advance(at.pause)
				if r := s.refund(at.no, at.refundNo, at.fen); r.status != at.status || r.code() != at.code {
					t.Errorf("step %d: %d %s, want %d %q", i, r.status, r.body, at.status, at.code)
				}
			}
			var sums []int64
			for _, r := range s.Refunds() {
				sums = append(sums, r.Refund)
			}
			if !slices.Equal(sums, c.sums) {
				t.Errorf("refunds of %v, want %v", sums, c.sums)
			}
		})
	}
}

// An order is refunded fifty times and no more.
func TestRefundCount(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	for i := range 51 {
		r := s.refund("order-paid", fmt.Sprint("r-", i), 1)
		if want := map[bool]int{true: 200, false: 400}[i < 50]; r.status != want {
			t.Errorf("refund %d: %d %s", i, r.status, r.body)
		}
		s.Advance(time.Minute)
	}
	if o, _ := s.Order("order-paid"); o.Refunded != 50 || len(s.Refunds()) != 50 {
		t.Errorf("refunded %d in %d refunds", o.Refunded, len(s.Refunds()))
	}
}

// The order may be named by transaction_id.
func TestRefundByTransactionID(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	o, _ := s.Order("order-paid")
	for id, want := range map[string]int{o.TransactionID: 200, "4200000000000000000000000000": 404} {
		r := s.m.call("POST", refunds, s.refundBody("", "r-"+id, 100, map[string]any{"out_trade_no": deleted{}, "transaction_id": id}))
		if r.status != want {
			t.Errorf("%s: %d %s, want %d", id, r.status, r.body, want)
		}
	}
	if got := s.Refunds(); len(got) != 1 || got[0].OutTradeNo != "order-paid" {
		t.Errorf("refunds %+v", got)
	}
}

func TestRefundQueryUnknown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if r := s.m.call("GET", refunds+"/r-none", nil); r.status != 404 || r.code() != "RESOURCE_NOT_EXISTS" {
		t.Errorf("answer %d %s", r.status, r.body)
	}
	if r := s.m.call("DELETE", refunds+"/r-none", nil); r.status != 405 {
		t.Errorf("answer %d %s", r.status, r.body)
	}
}

// Money that is not there, and a customer who is not.
func TestRefundMoney(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.SetBalance(false)
	if r := s.refund("order-paid", "r-1", 50); r.status != 403 || r.code() != "NOT_ENOUGH" || s.m.query("order-paid").text("trade_state") != "SUCCESS" {
		t.Errorf("without money: %d %s", r.status, r.body)
	}
	s.SetBalance(true)
	if r := s.refund("order-paid", "r-1", 50); r.status != 200 {
		t.Errorf("with money: %d %s", r.status, r.body)
	}
	s.SetBalance(false)
	if r := s.refund("order-paid", "r-1", 50); r.status != 200 {
		t.Errorf("the same again: %d %s", r.status, r.body)
	}
	s.SetBalance(true)
	s.Advance(time.Minute)
	if err := s.SetPayerGone("order-paid", true); err != nil {
		t.Fatalf("payer: %v", err)
	}
	if r := s.refund("order-paid", "r-2", 50); r.status != 403 || r.code() != "USER_ACCOUNT_ABNORMAL" {
		t.Errorf("without a payer: %d %s", r.status, r.body)
	}
	if err := s.SetPayerGone("order-paid", false); err != nil {
		t.Fatalf("payer: %v", err)
	}
	if r := s.refund("order-paid", "r-2", 50); r.status != 200 {
		t.Errorf("with a payer: %d %s", r.status, r.body)
	}
	s.place("native", "order-open")
	for no, want := range map[string]error{"order-none": wxsim.ErrNoOrder, "order-open": wxsim.ErrNotPaid} {
		if err := s.SetPayerGone(no, true); !errors.Is(err, want) {
			t.Errorf("payer of %s: %v, want %v", no, err, want)
		}
	}
}

// Two clicks, two servers: one refund.
func TestRefundParallel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	answers := make(chan string, 20)
	for i := range 20 {
		go func() {
			r, err := s.m.try("POST", refunds, s.refundBody("order-paid", fmt.Sprint("r-", i%2), 60, nil))
			answers <- fmt.Sprint(r.status, " ", r.code(), " ", r.text("out_refund_no"), err)
		}()
	}
	seen := map[string]int{}
	for range 20 {
		seen[<-answers]++
	}
	if len(s.Refunds()) != 1 || len(seen) != 2 {
		t.Errorf("%d refunds, answers %v", len(s.Refunds()), seen)
	}
}

// One seed, one refund_id, whatever else happened.
func TestRefundIDRepeats(t *testing.T) {
	t.Parallel()
	id := func(seed int64, before int) string {
		s := newStage(t, wxsim.Config{Seed: seed})
		for i := range before {
			s.placePaid(fmt.Sprint("order-before-", i))
			s.refund(fmt.Sprint("order-before-", i), fmt.Sprint("before-", i), 100)
		}
		s.placePaid("order-paid")
		s.refund("order-paid", "r-1", 100)
		r, _ := s.Sim.Refund("r-1")
		return r.RefundID
	}
	if a, b, other := id(11, 0), id(11, 2), id(12, 0); a != b || a == other {
		t.Errorf("ids %s, %s and of another seed %s", a, b, other)
	}
}
