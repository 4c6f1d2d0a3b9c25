package wxapi_test

import (
	"bytes"
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
		{"nothing", ``, "unexpected end"},
		{"null", `null`, "null"},
		{"a list", `[]`, "array"},
		{"two", `{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS"}{}`, "after top-level value"},
		{"no number", `{"mchid":"1","trade_state":"SUCCESS"}`, "out_trade_no is missing"},
		{"no merchant", `{"out_trade_no":"2","trade_state":"SUCCESS"}`, "mchid is missing"},
		{"no state", `{"mchid":"1","out_trade_no":"2","trade_state":null}`, "trade_state is missing"},
		{"merchant as a number", `{"mchid":1}`, "cannot unmarshal number"},
		{"transaction_id as a number", paidWith(`"transaction_id":4200000000000000000`), "cannot unmarshal number"},
		{"fraction", paidWith(`"amount":{"total":100.5}`), "cannot unmarshal number"},
		{"float of a whole", paidWith(`"amount":{"total":100.0}`), "cannot unmarshal number"},
		{"exponent", paidWith(`"amount":{"total":1e2}`), "cannot unmarshal number"},
		{"text", paidWith(`"amount":{"total":"100"}`), "cannot unmarshal string"},
		{"overflow", paidWith(`"amount":{"total":9223372036854775808}`), "cannot unmarshal number"},
		{"negative", paidWith(`"amount":{"total":-1}`), "amount is negative"},
		{"negative payer_total", paidWith(`"amount":{"total":1,"payer_total":-1}`), "amount is negative"},
		{"payer_total fraction", paidWith(`"amount":{"total":1,"payer_total":0.5}`), "cannot unmarshal number"},
		{"amount is no object", paidWith(`"amount":100`), "cannot unmarshal number"},
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
		for _, fen := range []int64{got.Amount.Total, got.Amount.PayerTotal} {
			// Money stands in the body digit by digit.
			if fen < 0 || fen > 0 && !bytes.Contains(body, []byte(strconv.FormatInt(fen, 10))) {
				t.Errorf("amount %d is not the body's", fen)
			}
		}
	})
}
