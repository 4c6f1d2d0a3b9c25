package wxsim_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// The end of a refund is told encrypted, in each state and under each fault.
func TestV2RefundNotification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fate, fault, status string
		genuine             []bool
		refund              string
	}{
		{"SUCCESS", "", "SUCCESS", []bool{true}, "60"},
		{"ABNORMAL", "", "CHANGE", []bool{true}, "60"},
		{"CLOSED", "", "REFUNDCLOSE", []bool{true}, "60"},
		{"SUCCESS", "forge", "SUCCESS", []bool{false, true}, ""},
		{"SUCCESS", "wrong_key", "SUCCESS", []bool{false, true}, ""},
		{"SUCCESS", "wrong_amount", "SUCCESS", []bool{true, true}, "1"},
	} {
		t.Run(c.fate+c.fault, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			m := s.v2()
			rc := newReceiverV2(t, m)
			s.placeV2(m, "order-back", shopURL)
			_ = s.PayQuietly("order-back")
			_ = s.DecideRefund("", c.fate)
			if r := m.call(refundPathV2, with(refundV2("order-back", "r-1", 60), "notify_url", rc.url)); r.code() != "" {
				t.Fatalf("refund: %s", r.body)
			}
			if c.fault != "" {
				s.Fault(wxsim.Fault{Target: "notify", Fault: c.fault, Count: 1})
			}
			s.Advance(time.Minute)
			got := rc.arrivals()
			var genuine []bool
			for _, d := range got {
				genuine = append(genuine, d.genuine)
			}
			if fmt.Sprint(genuine) != fmt.Sprint(c.genuine) {
				t.Fatalf("arrivals %+v, want %v", got, c.genuine)
			}
			if c.refund != "" && got[0].info["refund_fee"] != c.refund {
				t.Errorf("refund_fee %s, want %s", got[0].info["refund_fee"], c.refund)
			}
			o, _ := s.Order("order-back")
			r, _ := s.Refund("r-1")
			last := got[len(got)-1]
			want := map[string]string{
				"out_trade_no": "order-back", "transaction_id": o.TransactionID, "out_refund_no": "r-1", "refund_id": r.RefundID,
				"total_fee": "100", "settlement_total_fee": "100", "refund_fee": "60", "settlement_refund_fee": "60", "cash_refund_fee": "60",
				"refund_status": c.status, "refund_account": "REFUND_SOURCE_UNSETTLED_FUNDS", "refund_recv_accout": "支付用户零钱",
				"refund_request_source": "API",
			}
			if c.fate == "SUCCESS" {
				want["success_time"] = "2026-11-21 12:00:05"
			}
			if !maps.Equal(last.info, want) {
				t.Errorf("%v, want %v", last.info, want)
			}
			if len(last.fields) != 5 || last.fields["return_code"] != "SUCCESS" || last.fields["appid"] != o.AppID || last.fields["mch_id"] != o.MchID {
				t.Errorf("around it: %v", last.fields)
			}
		})
	}
}

// The callback of the merchant platform: refunds of either version without an
// address of their own are told there in XML, and those with one are not.
func TestRefundCallback(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	rc := newReceiverV2(t, m)
	s.SetRefundCallback(rc.url)
	s.placePaid("order-back")
	for i, apply := range []func(no string){
		func(no string) { m.call(refundPathV2, refundV2("order-back", no, 1)) },
		func(no string) {
			s.m.call("POST", refunds, s.refundBody("order-back", no, 1, map[string]any{"notify_url": deleted{}}))
		},
		func(no string) { s.refund("order-back", no, 1) },
	} {
		apply(fmt.Sprint("r-", i))
		s.Advance(time.Minute)
	}
	var told []string
	for _, d := range rc.arrivals() {
		told = append(told, d.info["out_refund_no"])
	}
	if fmt.Sprint(told) != "[r-0 r-1]" || len(s.rc.arrivals()) != 2 { // the payment and r-2, in JSON
		t.Errorf("told %v in XML and %d in JSON", told, len(s.rc.arrivals()))
	}
	s.SetRefundCallback("")
	m.call(refundPathV2, refundV2("order-back", "r-3", 1))
	s.Advance(time.Minute)
	if len(rc.arrivals()) != 2 {
		t.Error("told without a callback")
	}
	for body, want := range map[string]int{
		`{"url":"` + rc.url + `"}`: 200, `{"url":""}`: 200, `{}`: 400, `{"url":"ftp://a"}`: 400, `{"url":"https://shop.example.com/n?q=1"}`: 400,
	} {
		if r := control(t, "POST", s.URL()+"/_sim/refunds/callback", body); r.status != want {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
}
