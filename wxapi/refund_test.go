package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testRefundNo    = "R20260101-A|*@"
	escapedRefundNo = "R20260101-A%7C%2A@"
	testRefundID    = "50000000382019052709732678859"
	refundTarget    = "/v3/refund/domestic/refunds"
	abnormalTarget  = refundTarget + "/" + testRefundID + "/apply-abnormal-refund"
	refundBody      = `{"out_trade_no":"20260101-A|*","out_refund_no":"R20260101-A|*@","reason":"a&b","notify_url":"https://shop.example.com/pay/notify","amount":{"refund":60,"total":100,"currency":"CNY"}}`
	refundAnswer    = `{"refund_id":"50000000382019052709732678859","out_refund_no":"R20260101-A|*@","out_trade_no":"20260101-A|*","transaction_id":"4200002001202601010000000001","status":"PROCESSING","create_time":"2026-01-02T08:00:00+08:00","amount":{"total":100,"refund":60}}`
)

// appliesOnce is the calls that move money and are sent once. The body of the
// second is encrypted, and another one each time.
func appliesOnce() []verb {
	return []verb{
		{"refund", "POST", refundTarget, refundBody, reply(200, refundAnswer),
			func(ctx context.Context, c *wxapi.Client) error {
				_, err := c.ApplyRefund(ctx, []byte(refundBody))
				return err
			}},
		{"abnormal_refund", "POST", abnormalTarget, "", reply(200, refundAnswer),
			func(ctx context.Context, c *wxapi.Client) error {
				_, err := c.ApplyAbnormalRefund(ctx, testRefundID, toCard())
				return err
			}},
	}
}

// checkOnce is checkHits for requests whose body is not known beforehand.
func (f *wechat) checkOnce(t *testing.T, v verb, n int) {
	t.Helper()
	if v.body == "" && len(f.hits) > 0 {
		v.body = f.hits[0].body
	}
	f.checkHits(t, v, n)
}

// TestAppliedOnce: after whatever may have been an acceptance nothing is sent
// any more, and the caller is told to ask.
func TestAppliedOnce(t *testing.T) {
	t.Parallel()
	for _, v := range appliesOnce() {
		for _, tt := range []struct {
			name string
			step step
			want want
		}{
			{"ok", v.ok, want{}},
			{"500", refuse(500, "SYSTEM_ERROR"), want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR"}},
			{"502 page of a gateway", unsigned(502, "<html>"), want{is: wxapi.ErrUnknown, status: 502}},
			{"503", unsigned(503, ""), want{is: wxapi.ErrUnknown, status: 503}},
			{"429", refuse(429, "FREQUENCY_LIMITED"), want{is: wxapi.ErrUnknown, status: 429, code: "FREQUENCY_LIMITED"}},
			{"429 with Retry-After", later("1", 429), want{is: wxapi.ErrUnknown, status: 429, code: "X"}},
			{"202", reply(202, `{"code":"X"}`), want{is: wxapi.ErrUnknown, status: 202, code: "X"}},
			{"redirect", redirect, want{is: wxapi.ErrUnknown, status: 302}},
			{"reset", reset, want{is: wxapi.ErrUnknown}},
			{"cut off in the body", truncated, want{is: wxapi.ErrUnknown}},
			{"unsigned 200", unsigned(200, refundAnswer), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrHeaderMissing}},
			{"a stranger's signature", forged, want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}},
			{"probe", probe, want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}},
			{"not JSON", reply(200, "<html>"), want{is: wxapi.ErrUnknown}},
			{"null", reply(200, "null"), want{is: wxapi.ErrUnknown}},
			{"no status", reply(200, strings.Replace(refundAnswer, "status", "refund_status", 1)), want{is: wxapi.ErrUnknown}},
			{"another refund", reply(200, strings.Replace(refundAnswer, "R2026", "R2027", 1)), want{is: wxapi.ErrUnknown}},
			{"asks for the same again", refuse(403, "BIZERR_NEED_RETRY"), want{is: wxapi.ErrUnknown, status: 403, code: "BIZERR_NEED_RETRY"}},

			{"400", refuse(400, "INVALID_REQUEST"), want{status: 400, code: "INVALID_REQUEST"}},
			{"401", refuse(401, "SIGN_ERROR"), want{status: 401, code: "SIGN_ERROR"}},
			{"no money", refuse(403, "NOT_ENOUGH"), want{status: 403, code: "NOT_ENOUGH"}},
			{"no account", refuse(403, "USER_ACCOUNT_ABNORMAL"), want{status: 403, code: "USER_ACCOUNT_ABNORMAL"}},
			{"no order", refuse(404, "RESOURCE_NOT_EXISTS"), want{status: 404, code: "RESOURCE_NOT_EXISTS"}},
			{"404 empty", unsigned(404, ""), want{status: 404}},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				w := newWeChat(t, tt.step)
				err := v.call(t.Context(), w.client(t, w.withBackup))
				tt.want.check(t, err)
				w.checkOnce(t, v, 1)
				if leaks(err) {
					t.Errorf("the error tells too much: %v", err)
				}
			})
		}
	}
}

// TestAppliedAfterNoConnection: only a try that went nowhere is followed by
// another one.
func TestAppliedAfterNoConnection(t *testing.T) {
	t.Parallel()
	dead := deadPort(t)
	toDead := func(cfg *wxapi.Config) { cfg.BaseURL = dead }
	for _, v := range appliesOnce() {
		for _, tt := range []struct {
			name  string
			steps []step // at the backup
			want  want
			tries int
		}{
			{"all dead", nil, want{is: wxapi.ErrUnreachable}, 3},
			{"backup well", []step{v.ok}, want{}, 2},
			{"backup resets", []step{reset}, want{is: wxapi.ErrUnknown}, 2},
			{"backup slows down", []step{refuse(429, "X")}, want{is: wxapi.ErrUnknown, status: 429, code: "X"}, 2},
			{"backup refuses", []step{refuse(403, "NOT_ENOUGH")}, want{status: 403, code: "NOT_ENOUGH"}, 2},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				w := newWeChat(t, tt.steps...)
				edits := []func(*wxapi.Config){toDead}
				if tt.steps != nil {
					edits = append(edits, w.withBackup)
				}
				tt.want.check(t, v.call(t.Context(), w.client(t, edits...)))
				if len(w.calls) != tt.tries || len(w.hits) != len(tt.steps) {
					t.Errorf("%d tries of which %d arrived, want %d and %d", len(w.calls), len(w.hits), tt.tries, len(tt.steps))
				}
			})
		}
		t.Run(v.name+"/given up while WeChat Pay is at it", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			w := newWeChat(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
			want{is: wxapi.ErrUnknown, also: context.Canceled}.check(t, v.call(ctx, w.client(t)))
			w.checkOnce(t, v, 1)
		})
	}
}

func TestApplyRefund(t *testing.T) {
	t.Parallel()
	accepted := wxapi.Refund{
		RefundID: testRefundID, OutRefundNo: testRefundNo, OutTradeNo: testNo, TransactionID: "4200002001202601010000000001",
		Status: wxapi.RefundProcessing, CreateTime: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		Amount: wxapi.RefundAmount{Total: 100, Refund: 60},
	}
	byID := strings.Replace(refundBody, `"out_trade_no":"20260101-A|*"`, `"transaction_id":"4200002001202601010000000001"`, 1)
	for _, tt := range []struct {
		name, body, answer string
		want               want
	}{
		{"by number", refundBody, refundAnswer, want{}},
		{"by transaction id", byID, refundAnswer, want{}},
		{"another order", refundBody, strings.Replace(refundAnswer, `"2026`, `"2027`, 1), want{is: wxapi.ErrUnknown}},
		{"another transaction", byID, strings.Replace(refundAnswer, "0001\"", "0002\"", 1), want{is: wxapi.ErrUnknown}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, reply(200, tt.answer))
			got, err := w.client(t).ApplyRefund(t.Context(), []byte(tt.body))
			tt.want.check(t, err)
			w.checkHits(t, verb{name: "refund", method: "POST", uri: refundTarget, body: tt.body}, 1)
			if err == nil && got != accepted || err != nil && got != (wxapi.Refund{}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestQueryRefund(t *testing.T) {
	t.Parallel()
	t.Run("about another refund", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, reply(200, strings.Replace(refundAnswer, "*@", "**", 1)))
		got, err := w.client(t).QueryRefund(t.Context(), testRefundNo)
		want{is: wxapi.ErrUnknown}.check(t, err)
		if got != (wxapi.Refund{}) || !strings.Contains(fmt.Sprint(err), "another refund") {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("never accepted", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, refuse(404, "RESOURCE_NOT_EXISTS"))
		_, err := w.client(t).QueryRefund(t.Context(), testRefundNo)
		want{status: 404, code: "RESOURCE_NOT_EXISTS"}.check(t, err)
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, reply(200, strings.Replace(refundAnswer, "PROCESSING", "CLOSE", 1)))
		got, err := w.client(t).QueryRefund(t.Context(), testRefundNo)
		if err != nil || got.Status != wxapi.RefundClosed {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestMalformedRefund: what can never be a request is not sent.
func TestMalformedRefund(t *testing.T) {
	t.Parallel()
	w := newWeChat(t)
	c := w.client(t)
	for _, body := range []string{"", "null", "[]", "{}", "<html>", `{"out_refund_no":"a/b"}`, refundBody + "}"} {
		t.Run("body "+body, func(t *testing.T) {
			_, err := c.ApplyRefund(t.Context(), []byte(body))
			want{is: wxapi.ErrRequest}.check(t, err)
		})
	}
	for _, no := range []string{"", ".", "..", "a/b", "a?b", "a%2Fb", "退款", "a b", strings.Repeat("1", 65)} {
		t.Run(fmt.Sprintf("out_refund_no %q", no), func(t *testing.T) {
			_, err := c.QueryRefund(t.Context(), no)
			want{is: wxapi.ErrRequest}.check(t, err)
		})
	}
	w.checkNone(t)
}

func leastRefund() wxapi.RefundRequest {
	return wxapi.RefundRequest{
		OutTradeNo: testNo, OutRefundNo: testRefundNo, NotifyURL: "https://shop.example.com/pay/notify", Refund: 60, Total: 100,
	}
}

// TestEncodeRefundGolden: the bytes are kept with refunds, so they must not change.
func TestEncodeRefundGolden(t *testing.T) {
	t.Parallel()
	const tail = `,"notify_url":"https://shop.example.com/pay/notify","amount":{"refund":60,"total":100,"currency":"CNY"}}`
	const head = `{"out_trade_no":"20260101-A|*","out_refund_no":"R20260101-A|*@"`
	for _, tt := range []struct {
		name string
		edit func(*wxapi.RefundRequest)
		want string
	}{
		{"least", func(*wxapi.RefundRequest) {}, head + tail},
		{"currency said", func(r *wxapi.RefundRequest) { r.Currency = "CNY" }, head + tail},
		{"html is left alone", func(r *wxapi.RefundRequest) { r.Reason = "a&b" }, refundBody},
		{"reason of 80 characters", func(r *wxapi.RefundRequest) { r.Reason = strings.Repeat("退", 80) },
			head + `,"reason":"` + strings.Repeat("退", 80) + `"` + tail},
		{"by transaction id, all of it", func(r *wxapi.RefundRequest) {
			r.TransactionID, r.OutTradeNo, r.Refund = "4200002001202601010000000001", "", 100
		}, `{"transaction_id":"4200002001202601010000000001","out_refund_no":"R20260101-A|*@"` + strings.Replace(tail, "60", "100", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := leastRefund()
			tt.edit(&r)
			for range 3 {
				got, err := r.Encode()
				if err != nil || string(got) != tt.want {
					t.Fatalf("%v\n got %s\nwant %s", err, got, tt.want)
				}
			}
		})
	}
}

func TestEncodeRefundRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		edit       func(*wxapi.RefundRequest)
	}{
		{"no order", "exactly one of", func(r *wxapi.RefundRequest) { r.OutTradeNo = "" }},
		{"two orders", "exactly one of", func(r *wxapi.RefundRequest) { r.TransactionID = "42" }},
		{"order with a slash", "out_trade_no is not", func(r *wxapi.RefundRequest) { r.OutTradeNo = "a/b" }},
		{"long order", "out_trade_no is not", func(r *wxapi.RefundRequest) { r.OutTradeNo = strings.Repeat("1", 33) }},
		{"transaction with a slash", "transaction_id is not", func(r *wxapi.RefundRequest) { r.TransactionID, r.OutTradeNo = "4/2", "" }},
		{"no number", "out_refund_no is not", func(r *wxapi.RefundRequest) { r.OutRefundNo = "" }},
		{"long number", "out_refund_no is not", func(r *wxapi.RefundRequest) { r.OutRefundNo = strings.Repeat("1", 65) }},
		{"number with a slash", "out_refund_no is not", func(r *wxapi.RefundRequest) { r.OutRefundNo = "a/b" }},
		{"Chinese number", "out_refund_no is not", func(r *wxapi.RefundRequest) { r.OutRefundNo = "退款" }},
		{"long reason", "reason is longer than 80", func(r *wxapi.RefundRequest) { r.Reason = strings.Repeat("退", 81) }},
		{"reason that is no text", "reason is not UTF-8", func(r *wxapi.RefundRequest) { r.Reason = "a\xff" }},
		{"no notify_url", "notify_url is missing", func(r *wxapi.RefundRequest) { r.NotifyURL = "" }},
		{"long notify_url", "notify_url is longer", func(r *wxapi.RefundRequest) { r.NotifyURL = "https://" + strings.Repeat("a", 249) }},
		{"nothing", "less than 1 fen", func(r *wxapi.RefundRequest) { r.Refund = 0 }},
		{"less than nothing", "less than 1 fen", func(r *wxapi.RefundRequest) { r.Refund = -1 }},
		{"more than all", "more than amount.total", func(r *wxapi.RefundRequest) { r.Refund = 101 }},
		{"of nothing", "more than amount.total", func(r *wxapi.RefundRequest) { r.Total = 0 }},
		{"dollars", "not CNY", func(r *wxapi.RefundRequest) { r.Currency = "USD" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := leastRefund()
			tt.edit(&r)
			got, err := r.Encode()
			if got != nil || !errors.Is(err, wxapi.ErrRequest) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	_, err := wxapi.RefundRequest{}.Encode()
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("all four at once, got: %v", err)
	}
}

func TestTruncateReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"short", "退货", "退货"},
		{"exactly", strings.Repeat("a", 80), strings.Repeat("a", 80)},
		{"one too many", strings.Repeat("a", 81), strings.Repeat("a", 80)},
		{"26 characters of three bytes", strings.Repeat("退", 27), strings.Repeat("退", 26)},
		{"not UTF-8", "a\xffb", "ab"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := wxapi.TruncateReason(tt.in)
			if got != tt.want || !utf8.ValidString(got) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			r := leastRefund()
			r.Reason = got
			if _, err := r.Encode(); err != nil {
				t.Error(err)
			}
		})
	}
}

var fullRefund = wxapi.Refund{
	RefundID: testRefundID, OutRefundNo: testRefundNo, OutTradeNo: testNo, TransactionID: "4200002001202601010000000001",
	Status: wxapi.RefundSuccess, Amount: wxapi.RefundAmount{Total: 100, Refund: 60, PayerTotal: 90, PayerRefund: 54},
}

func TestParseRefund(t *testing.T) {
	t.Parallel()
	all := seeds(t, "refunds")
	success := fullRefund
	success.Channel, success.UserReceivedAccount = "ORIGINAL", "招商银行信用卡0403"
	success.CreateTime = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	success.SuccessTime = success.CreateTime.Add(5 * time.Second)
	success.Amount.SettlementTotal, success.Amount.SettlementRefund, success.Amount.DiscountRefund = 96, 58, 6
	success.Amount.Currency = "CNY"
	for seed, want := range map[string]wxapi.Refund{
		"success.txt":    success,
		"processing.txt": {OutRefundNo: testRefundNo, OutTradeNo: testNo, Status: wxapi.RefundProcessing},
		"close.txt":      {OutRefundNo: "R1", OutTradeNo: "A12345", Status: wxapi.RefundClosed},
		"growth.txt":     {OutRefundNo: "R1", OutTradeNo: "A12345", Status: "NEWSTATUS", Amount: wxapi.RefundAmount{Refund: 1}},
	} {
		t.Run(seed, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseRefund(all[seed])
			if err != nil || got != want {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
			}
		})
	}
}

func TestParseRefundNotification(t *testing.T) {
	t.Parallel()
	all := seeds(t, "notified_refunds")
	success := fullRefund
	success.MchID, success.UserReceivedAccount = testMchID, "支付用户零钱"
	success.SuccessTime = time.Date(2026, 1, 2, 0, 0, 5, 120_000_000, time.UTC)
	for seed, want := range map[string]wxapi.Refund{
		"success.txt": success,
		"abnormal.txt": {MchID: testMchID, OutRefundNo: "R1", OutTradeNo: "A12345", Status: wxapi.RefundAbnormal,
			Amount: wxapi.RefundAmount{Total: 1, Refund: 1}},
		"close.txt": {MchID: testMchID, OutRefundNo: "R1", OutTradeNo: "A12345", Status: wxapi.RefundClosed},
	} {
		t.Run(seed, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseRefundNotification(all[seed])
			if err != nil || got != want {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
			}
		})
	}
}

func TestParseRefundRefuses(t *testing.T) {
	t.Parallel()
	answer := func(field string) string { return `{"out_refund_no":"R1","out_trade_no":"A12345",` + field + `}` }
	notified := func(field string) string { return answer(`"mchid":"1","refund_status":"SUCCESS",` + field) }
	for _, tt := range []struct {
		name, body, text string
		parse            func([]byte) (wxapi.Refund, error)
	}{
		{"nothing", ``, "unexpected end", wxapi.ParseRefund},
		{"null", `null`, "null", wxapi.ParseRefund},
		{"a list", `[]`, "array", wxapi.ParseRefund},
		{"two", `{}{}`, "after top-level value", wxapi.ParseRefund},
		{"no refund number", `{"out_trade_no":"A","status":"SUCCESS"}`, "out_refund_no is missing", wxapi.ParseRefund},
		{"no order number", `{"out_refund_no":"R","status":"SUCCESS"}`, "out_trade_no is missing", wxapi.ParseRefund},
		{"no status", answer(`"refund_status":"SUCCESS"`), "status is missing", wxapi.ParseRefund},
		{"null status", answer(`"status":null`), "status is missing", wxapi.ParseRefund},
		{"status as a number", answer(`"status":1`), "cannot unmarshal number", wxapi.ParseRefund},
		{"float of a whole", answer(`"status":"SUCCESS","amount":{"refund":1.0}`), "cannot unmarshal number", wxapi.ParseRefund},
		{"exponent", answer(`"status":"SUCCESS","amount":{"payer_refund":1e2}`), "cannot unmarshal number", wxapi.ParseRefund},
		{"text", answer(`"status":"SUCCESS","amount":{"refund":"1"}`), "cannot unmarshal string", wxapi.ParseRefund},
		{"overflow", answer(`"status":"SUCCESS","amount":{"total":9223372036854775808}`), "cannot unmarshal number", wxapi.ParseRefund},
		{"negative", answer(`"status":"SUCCESS","amount":{"discount_refund":-1}`), "amount is negative", wxapi.ParseRefund},
		{"amount is no object", answer(`"status":"SUCCESS","amount":1`), "cannot unmarshal number", wxapi.ParseRefund},

		{"notified: nothing", ``, "unexpected end", wxapi.ParseRefundNotification},
		{"notified: null", `null`, "null", wxapi.ParseRefundNotification},
		{"notified: no merchant", answer(`"refund_status":"SUCCESS"`), "mchid is missing", wxapi.ParseRefundNotification},
		{"notified: an answer", answer(`"mchid":"1","status":"SUCCESS"`), "refund_status is missing", wxapi.ParseRefundNotification},
		{"notified: merchant as a number", answer(`"mchid":1`), "cannot unmarshal number", wxapi.ParseRefundNotification},
		{"notified: negative", notified(`"amount":{"refund":-1}`), "amount is negative", wxapi.ParseRefundNotification},
		{"notified: fraction", notified(`"amount":{"refund":0.5}`), "cannot unmarshal number", wxapi.ParseRefundNotification},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.parse([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.text) || got != (wxapi.Refund{}) {
				t.Errorf("%+v, %v, want %q", got, err, tt.text)
			}
		})
	}
}

func FuzzParseRefundNotification(f *testing.F) {
	parsed := 0
	for _, dir := range []string{"notified_refunds", "refunds"} {
		for _, body := range seeds(f, dir) {
			f.Add(body)
			if _, err := wxapi.ParseRefundNotification(body); err == nil {
				parsed++
			}
		}
	}
	if parsed != 4 {
		f.Fatalf("%d seeds can be parsed, want 4", parsed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wxapi.ParseRefundNotification(body)
		if err == nil && got.MchID == "" {
			t.Errorf("incomplete: %+v", got)
		}
		checkParsedRefund(t, body, got, err)
		got, err = wxapi.ParseRefund(body)
		if got.MchID != "" {
			t.Errorf("an answer has no mchid: %+v", got)
		}
		checkParsedRefund(t, body, got, err)
	})
}

func checkParsedRefund(t *testing.T, body []byte, got wxapi.Refund, err error) {
	t.Helper()
	if err != nil {
		if got != (wxapi.Refund{}) {
			t.Errorf("something was returned beside the error: %+v", got)
		}
		return
	}
	if got.OutRefundNo == "" || got.OutTradeNo == "" || got.Status == "" || got.Status == "CLOSE" ||
		got.SuccessTime.Location() != time.UTC || got.CreateTime.Location() != time.UTC {
		t.Errorf("incomplete: %+v", got)
	}
	amounts := reflect.ValueOf(got.Amount)
	for i := range amounts.NumField() {
		if !amounts.Field(i).CanInt() {
			continue
		}
		// Money stands in the body digit by digit.
		if fen := amounts.Field(i).Int(); fen < 0 || fen > 0 && !strings.Contains(string(body), fmt.Sprint(fen)) {
			t.Errorf("%s %d is not the body's", amounts.Type().Field(i).Name, fen)
		}
	}
}
