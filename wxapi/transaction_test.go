package wxapi_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

func TestParseTransaction(t *testing.T) {
	t.Parallel()
	all := seeds(t, "transactions")
	t.Run("paid", func(t *testing.T) {
		t.Parallel()
		got, err := wxapi.ParseTransaction(all["paid.txt"])
		must(t, err)
		if !bytes.HasPrefix(got.PromotionDetail, []byte(`[{"amount":100,`)) {
			t.Errorf("promotion_detail: %s", got.PromotionDetail)
		}
		got.PromotionDetail = nil
		want := wxapi.Transaction{
			AppID: "wxd678efh567hg6787", MchID: "1230000109", OutTradeNo: "1217752501201407033233368018",
			TransactionID: "1217752501201407033233368018", TradeType: "MICROPAY", TradeState: wxapi.StateSuccess,
			TradeStateDesc: "支付成功", BankType: "CMC", Attach: "自定义数据",
			SuccessTime: time.Date(2018, 6, 8, 2, 34, 56, 0, time.UTC),
			OpenID:      "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", DeviceID: "013467007045764",
			Amount: wxapi.TransactionAmount{Total: 100, PayerTotal: 100, Currency: "CNY", PayerCurrency: "CNY"},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v\nwant %+v", got, want)
		}
	})
	t.Run("growth", func(t *testing.T) {
		t.Parallel()
		got, err := wxapi.ParseTransaction(all["growth.txt"])
		must(t, err)
		got.PromotionDetail = nil
		want := wxapi.Transaction{MchID: "1230000109", OutTradeNo: "A12345", TradeState: "NEWSTATE",
			Amount: wxapi.TransactionAmount{Total: 1}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v\nwant %+v", got, want)
		}
	})
}

func TestParseTransactionRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, text string }{
		{"nothing", ``, "transaction: unexpected end of JSON"},
		{"null", `null`, "null"},
		{"a list", `[]`, "an array at byte 0 where '{' should be"},
		{"two", `{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS"}{}`, "an object at byte 56 after the value"},
		{"no number", `{"mchid":"1","trade_state":"SUCCESS"}`, "out_trade_no is missing"},
		{"no merchant", `{"out_trade_no":"2","trade_state":"SUCCESS"}`, "mchid is missing"},
		{"no state", `{"mchid":"1","out_trade_no":"2","trade_state":null}`, "trade_state is missing"},
		{"merchant as a number", `{"mchid":1}`, "mchid: a number at byte 9"},
		{"transaction_id as a number", paidWith(`"transaction_id":4200000000000000000`), "transaction_id: a number"},
		{"fraction", paidWith(`"amount":{"total":100.5}`), "amount.total: 100.5 is not a whole number"},
		{"float of a whole", paidWith(`"amount":{"total":100.0}`), "amount.total: 100.0 is not a whole number"},
		{"exponent", paidWith(`"amount":{"total":1e2}`), "amount.total: 1e2 is not a whole number"},
		{"text", paidWith(`"amount":{"total":"100"}`), "amount.total: a string at byte 74, not a whole number"},
		{"overflow", paidWith(`"amount":{"total":9223372036854775808}`), "is not a whole number of 64 bits"},
		{"negative", paidWith(`"amount":{"total":-1}`), "amount is negative"},
		{"negative payer_total", paidWith(`"amount":{"total":1,"payer_total":-1}`), "amount is negative"},
		{"payer_total fraction", paidWith(`"amount":{"total":1,"payer_total":0.5}`), "amount.payer_total: 0.5 is not"},
		{"amount is no object", paidWith(`"amount":100`), "amount: a number at byte 65 where '{' should be"},
		{"merchant twice", paidWith(`"mchid":"1230000109"`), `"mchid" is there twice`},
		{"merchant twice, by another case", paidWith(`"MCHID":"1230000109"`), `"MCHID" is there twice`},
		{"merchant in capitals", `{"MCHID":"1","out_trade_no":"2","trade_state":"SUCCESS"}`, "mchid is missing"},
		{"total twice", paidWith(`"amount":{"total":1,"total":1}`), `amount: "total" is there twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseTransaction([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.text) || !reflect.DeepEqual(got, wxapi.Transaction{}) {
				t.Errorf("%+v, %v, want %q", got, err, tt.text)
			}
		})
	}
}

func paidWith(field string) string {
	return `{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS",` + field + `}`
}

func TestSuccessTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2018, 6, 8, 2, 34, 56, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`"2018-06-08T10:34:56+08:00"`:     at,
		`"2018-06-08T02:34:56Z"`:          at,
		`"2018-06-08T10:34:56.000+08:00"`: at,
		`"2018-06-08 10:34:56"`:           {},
		`""`:                              {},
		`1528425296`:                      {},
		`null`:                            {},
	} {
		got, err := wxapi.ParseTransaction([]byte(paidWith(`"success_time":` + text)))
		if err != nil || !got.SuccessTime.Equal(want) || got.SuccessTime.Location() != time.UTC || !got.Paid() {
			t.Errorf("%s: %v, %v", text, got.SuccessTime, err)
		}
	}
}

func TestPaid(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{
		"SUCCESS": true, "REFUND": true, "NOTPAY": false, "CLOSED": false, "REVOKED": false, "USERPAYING": false,
		"PAYERROR": false, "ACCEPT": false, "": false, "success": false, "NEWSTATE": false,
	} {
		if got := (wxapi.Transaction{TradeState: state}).Paid(); got != want {
			t.Errorf("%q: %t", state, got)
		}
	}
}

func FuzzParseTransaction(f *testing.F) {
	parsed := 0
	for _, body := range seeds(f, "transactions") {
		f.Add(body)
		if _, err := wxapi.ParseTransaction(body); err == nil {
			parsed++
		}
	}
	if parsed < 3 {
		f.Fatalf("%d seeds can be parsed", parsed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wxapi.ParseTransaction(body)
		if err != nil {
			if !reflect.DeepEqual(got, wxapi.Transaction{}) {
				t.Errorf("something was returned beside the error: %+v", got)
			}
			return
		}
		if got.OutTradeNo == "" || got.MchID == "" || got.TradeState == "" || got.SuccessTime.Location() != time.UTC {
			t.Errorf("incomplete: %+v", got)
		}
		if want := standard(t, body); got.MchID != want.text("mchid") || got.OutTradeNo != want.text("out_trade_no") ||
			got.TransactionID != want.text("transaction_id") || got.TradeState != want.text("trade_state") {
			t.Errorf("%+v, encoding/json has %s", got, want)
		} else if amount := standard(t, want["amount"]); got.Amount.Total != amount.whole("total") || got.Amount.PayerTotal != amount.whole("payer_total") ||
			got.Amount.Currency != amount.text("currency") {
			t.Errorf("%+v, encoding/json has %s", got.Amount, amount)
		}
		for _, fen := range []int64{got.Amount.Total, got.Amount.PayerTotal} {
			// Money stands in the body digit by digit.
			if fen < 0 || fen > 0 && !bytes.Contains(body, []byte(strconv.FormatInt(fen, 10))) {
				t.Errorf("amount %d is not the body's", fen)
			}
		}
	})
}

// object is what encoding/json makes of an object, its names compared by case.
type object map[string]json.RawMessage

func standard(t *testing.T, text []byte) (o object) {
	t.Helper()
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, &o); err != nil {
		t.Errorf("encoding/json refuses %q: %v", text, err)
	}
	return o
}

func (o object) text(name string) (s string) {
	_ = json.Unmarshal(o[name], &s) // "" for another kind
	return s
}

func (o object) whole(name string) (n int64) {
	_ = json.Unmarshal(o[name], &n)
	return n
}
