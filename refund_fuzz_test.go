package wxpay_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// paidForRefunds is the fuzzed order, paid, with 40 of its 100 fen being
// refunded.
func paidForRefunds(f *testing.F, in *inbox) orderstore.Order {
	f.Helper()
	placed, _ := orderAndHistory(f, in.store)
	at, _ := in.sim.Order(fuzzNumber)
	o, outcome, err := placed.Apply(orderstore.Payment{
		Source: orderstore.FromQuery, OutTradeNo: placed.OutTradeNo, MchID: placed.MchID, AppID: placed.AppID,
		TradeState: orderstore.TradeSuccess, TransactionID: at.TransactionID, Total: placed.Total, Currency: orderstore.CNY, PaidAt: fuzzTime,
	}, fuzzTime)
	if err != nil || outcome != orderstore.BecamePaid {
		f.Fatal(outcome, err)
	}
	o, err = o.BeginRefund(orderstore.Refund{OutRefundNo: "R-1", Amount: 40, Request: "{}"}, fuzzTime)
	if err != nil {
		f.Fatal(err)
	}
	o.Version, o.Events = 0, nil
	return o
}

// FuzzRefundPlaintext: of what WeChat signed about a refund, 204 means that it
// is of this order and that the order says the same now; nothing else changes a
// refund, and no refund takes the payment back or sums above the total.
func FuzzRefundPlaintext(f *testing.F) {
	in := fuzzInbox(f)
	paid := paidForRefunds(f, in)
	store := &ofOneRun{Store: memory.New()}
	o := in.options()
	o.Store, o.Now, o.Logger = store, func() time.Time { return fuzzTime }, slog.New(slog.DiscardHandler)
	kit, err := wxpay.New(o)
	if err != nil {
		f.Fatal(err)
	}
	send := func(t testing.TB, plaintext []byte) int {
		t.Helper()
		store.Store = memory.New()
		if err := store.Create(context.Background(), paid); err != nil {
			t.Fatal(err)
		}
		req, err := in.sim.SignNotification(plaintext, "REFUND.SUCCESS", "http://127.0.0.1/pay/notify")
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		kit.Notify().ServeHTTP(rec, req)
		return rec.Code
	}
	good := `{"mchid":"` + paid.MchID + `","out_trade_no":"` + fuzzNumber + `","transaction_id":"` + paid.TransactionID +
		`","out_refund_no":"R-1","refund_id":"50300","refund_status":"SUCCESS","success_time":"2026-01-02T11:04:05+08:00","amount":{"total":100,"refund":40}}`
	if got := send(f, []byte(good)); got != http.StatusNoContent {
		f.Fatalf("the good seed is answered %d", got)
	}
	f.Add([]byte(good))
	for _, change := range [][2]string{
		{`"refund":40`, `"refund":41`}, {`"refund":40`, `"refund":-40`}, {`"refund":40`, `"refund":"40"`}, {`"refund":40`, `"refund":40.0`},
		{`R-1`, `by-hand`}, {`R-1`, ``}, {`SUCCESS`, `ABNORMAL`}, {`SUCCESS`, `CLOSED`}, {`SUCCESS`, `CLOSE`}, {`SUCCESS`, `PROCESSING`},
		{`SUCCESS`, `SHINY`}, {`"total":100`, `"total":99`}, {fuzzNumber, "another-order"}, {paid.MchID, "1900000109"},
		{`"mchid"`, `"sp_mchid"`}, {paid.TransactionID, "4200009999202601019999999999"}, {`{"total":100,"refund":40}`, `null`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			f.Fatalf("%q is not in the good seed", change[0])
		}
		f.Add([]byte(bad))
	}
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		code := send(t, plaintext)
		after, _ := orderAndHistory(t, store)
		if after.PayStatus != orderstore.Paid || after.TransactionID != paid.TransactionID || after.Refundable() < 0 || after.Refunded > after.Total {
			t.Errorf("answer %d, and the order is %+v", code, after)
		}
		if code != http.StatusNoContent {
			if r, _ := after.Refund("R-1"); r.Status != orderstore.RefundApplying || len(after.Refunds) != 1 || after.Refunded != 0 {
				t.Errorf("refused, and the refunds are %+v", after.Refunds)
			}
			return
		}
		var told struct {
			MchID         string `json:"mchid"`
			OutTradeNo    string `json:"out_trade_no"`
			TransactionID string `json:"transaction_id"`
			OutRefundNo   string `json:"out_refund_no"`
			RefundStatus  string `json:"refund_status"`
			Amount        struct{ Total, Refund orderstore.Fen }
		}
		if err := json.Unmarshal(plaintext, &told); err != nil {
			t.Fatalf("acknowledged: %v", err)
		}
		r, ok := after.Refund(told.OutRefundNo)
		if told.MchID != paid.MchID || told.OutTradeNo != fuzzNumber || told.TransactionID != "" && told.TransactionID != paid.TransactionID ||
			told.OutRefundNo == "R-1" && told.Amount.Refund != 40 || told.Amount.Total != 0 && told.Amount.Total != 100 {
			t.Errorf("acknowledged what is not the order's: %+v", told)
		}
		if told.RefundStatus == "SUCCESS" && (!ok || r.Status != orderstore.RefundSuccess || r.Amount != told.Amount.Refund || after.Refunded != r.Amount) {
			t.Errorf("acknowledged, and the refund is %+v", r)
		}
	})
}
