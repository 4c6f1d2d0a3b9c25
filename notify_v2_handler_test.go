package wxpay_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

func acceptedV2() ending { return ending{http.StatusOK, "ok", "INFO", ""} }

// TestNotifyV2Pays: a payment that API v2 reports is one like any other, at
// either address, and heard again it is no news.
func TestNotifyV2Pays(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/pay/notify/v2", "/pay/notify"} {
		for _, hmacToo := range []bool{false, true} {
			in := openInbox(t, wxsim.Config{}, withV2)
			number := in.paidAtWeChat()
			note := paymentV2(in.atWeChat(number))
			note = note.with("sign", note.sign(keyV2, hmacToo))
			for range 2 {
				in.endedV2(in.postV2(path, note.xml("xml")), acceptedV2())
			}
			in.isPaid(number)
			in.history(number, orderstore.EventPaid)
			if hook := lastOf(in.heard.notifications); hook.Serial != "APIv2" {
				t.Errorf("hook %+v", hook)
			}
			in.grantedOnce(number)
		}
	}
}

// grantedOnce lets the worker hand over what is paid.
func (in *inbox) grantedOnce(number string) {
	in.t.Helper()
	in.run()
	eventually(in.t, "the grant", func() bool { return in.grants.count(number) > 0 })
	if n := in.grants.count(number); n != 1 {
		in.t.Errorf("granted %d times", n)
	}
}

// TestNotifyV2Refuses changes one thing in a good notification of a payment.
// What is not signed by WeChat changes nothing.
func TestNotifyV2Refuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(v2) v2
		want   ending
	}{
		{"no sign", func(m v2) v2 { return m }, unverified("unsigned", "sign is missing")},
		{"a sign of no known type", func(m v2) v2 { return m.with("sign", "ABC") }, unverified("signature_type", "3 characters")},
		{"signed with another key", func(m v2) v2 { return m.with("sign", m.sign(strings.Repeat("0", 32), false)) }, unverified("bad_signature", "does not match")},
		{"a price changed on the way", func(m v2) v2 { return m.signed().with("total_fee", "1") }, unverified("bad_signature", "does not match")},
		{"no price", func(m v2) v2 { return m.with("total_fee", "").signed() }, unverified("malformed", "total_fee")},
		{"not a success", func(m v2) v2 { return m.with("result_code", "FAIL").signed() }, unverified("not_success", "not the notification of a success")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{}, withV2)
			before := in.stored(in.paidAtWeChat())
			note := paymentV2(in.atWeChat(before.OutTradeNo))
			in.endedV2(in.postV2("/pay/notify/v2", test.change(note).xml("xml")), test.want)
			in.untouched(before)
		})
	}
}

// TestNotifyV2Mismatch: WeChat signed it, and it is not this order's money.
func TestNotifyV2Mismatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, field, value string
		want               ending
	}{
		{"another price", "total_fee", "1", refused(http.StatusBadRequest, "mismatch", "amount.total")},
		{"another currency", "fee_type", "USD", refused(http.StatusBadRequest, "mismatch", "amount.currency")},
		{"another merchant", "mch_id", "1900000109", refused(http.StatusBadRequest, "mismatch", "mchid")},
		{"another appid", "appid", "wx0000000000000000", refused(http.StatusBadRequest, "mismatch", "appid")},
		{"an unknown order", "out_trade_no", "nobody-s-order", refused(http.StatusNotFound, "unknown_order", "no such order")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{}, withV2)
			number := in.paidAtWeChat()
			note := paymentV2(in.atWeChat(number)).with(test.field, test.value).signed()
			in.endedV2(in.postV2("/pay/notify/v2", note.xml("xml")), test.want)
			if o := in.stored(number); o.PayStatus != orderstore.Unpaid {
				t.Errorf("the order is %v", o.PayStatus)
			}
			if test.want.name == "mismatch" {
				in.history(number, orderstore.EventMismatch)
			}
		})
	}
}

// TestNotifyV2Hostile: whatever is not the flat XML of API v2 gets no further.
func TestNotifyV2Hostile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("wxapi/apiv2/testdata/hostile/*.txt")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d hostile texts, %v", len(files), err)
	}
	in := openInbox(t, wxsim.Config{}, withV2)
	before := in.stored(in.paidAtWeChat())
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(content), "\n")
		in.endedV2(in.postV2("/pay/notify/v2", body), unverified("malformed", "apiv2: malformed"))
	}
	in.endedV2(in.postV2("/pay/notify/v2", "<xml>"+strings.Repeat(" ", 64<<10)+"</xml>"), unverified("malformed", "longer than"))
	in.endedV2(in.postV2("/pay/notify/v2", strings.Repeat(" ", 128<<10+1)), ending{http.StatusRequestEntityTooLarge, "too_large", "WARN", "more than"})
	in.untouched(before)
}

// TestNotifyV2StoreFails: what is not stored is not acknowledged.
func TestNotifyV2StoreFails(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, withV2, store.use)
	number := in.paidAtWeChat()
	store.set(func(context.Context, string) error { return errors.New("disk full") })
	note := paymentV2(in.atWeChat(number)).signed().xml("xml")
	in.endedV2(in.postV2("/pay/notify/v2", note), refused(http.StatusServiceUnavailable, "store", "disk full"))
	store.set(nil)
	in.endedV2(in.postV2("/pay/notify/v2", note), acceptedV2())
	in.isPaid(number)
}

// TestNotifyV2NeedsAKey: without it there is no such endpoint, and XML at the
// other one says in the log what to do.
func TestNotifyV2NeedsAKey(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	before := in.stored(in.paidAtWeChat())
	note := paymentV2(in.atWeChat(before.OutTradeNo)).signed().xml("xml")
	if got := in.postV2("/pay/notify/v2", note); got.status != http.StatusNotFound {
		t.Errorf("answer %d %s", got.status, got.raw)
	}
	in.ended(in.postV2("/pay/notify", note), unverified("api_v2", "set Merchant.APIv2Key (WXPAY_APIV2_KEY)"))
	in.untouched(before)
}

// refundV2 is the plaintext of what API v2 says of a refund.
func refundV2(r wxsim.Refund, transactionID string) v2 {
	return v2{
		"out_refund_no": r.OutRefundNo, "out_trade_no": r.OutTradeNo, "refund_id": r.RefundID, "transaction_id": transactionID,
		"refund_fee": "30", "total_fee": "100", "refund_status": "SUCCESS", "success_time": "2026-01-02 11:12:13",
		"refund_request_source": "API",
	}
}

// refundedAtWeChat is a refund of 30 fen that WeChat has done without a word.
func (in *inbox) refundedAtWeChat(number string) wxsim.Refund {
	in.t.Helper()
	in.sim.Fault(wxsim.Fault{Target: "notify", Fault: "drop", Count: 20})
	in.do("POST", "/pay/orders/"+number+"/refunds", "admin", `{"refund":30,"out_refund_no":"back-`+number+`"}`)
	if err := in.sim.DecideRefund("back-"+number, "SUCCESS"); err != nil {
		in.t.Fatal(err)
	}
	in.sim.Advance(5 * time.Second)
	r, found := in.sim.Refund("back-" + number)
	if !found {
		in.t.Fatal("WeChat has no such refund")
	}
	return r
}

// outerV2 is what carries the news of a refund.
func (in *inbox) outerV2(number, reqInfo string) v2 {
	o := in.atWeChat(number)
	return v2{"return_code": "SUCCESS", "appid": o.AppID, "mch_id": o.MchID, "nonce_str": "n", "req_info": reqInfo}
}

// TestNotifyV2Refund: the news of a refund is believed because WeChat's own
// query says the same, and for nothing else.
func TestNotifyV2Refund(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/pay/notify/v2", "/pay/notify"} {
		in := openInbox(t, wxsim.Config{}, withV2)
		number := in.paidAtWeChat()
		in.endedV2(in.postV2(path, paymentV2(in.atWeChat(number)).signed().xml("xml")), acceptedV2())
		r := in.refundedAtWeChat(number)
		note := in.outerV2(number, sealV2(t, refundV2(r, in.atWeChat(number).TransactionID).xml("root"))).xml("xml")
		for range 2 {
			if got := in.postV2(path, note); got.status != http.StatusOK || got.raw != successV2 {
				t.Errorf("%s: answer %d %s", path, got.status, got.raw)
			}
		}
		if o := in.stored(number); o.Refunded != 30 || o.RefundStatus != orderstore.RefundSuccess {
			t.Errorf("refunded %v, %s", o.Refunded, o.RefundStatus)
		}
	}
}

// TestNotifyV2RefundRefuses changes one thing around or in a good notification
// of a refund.
func TestNotifyV2RefundRefuses(t *testing.T) {
	t.Parallel()
	unconfirmed := func(cause string) ending { return ending{http.StatusServiceUnavailable, "unconfirmed", "WARN", cause} }
	for _, test := range []struct {
		name   string
		outer  func(v2) v2
		inner  func(v2) v2
		before func(*inbox)
		want   ending
	}{
		{name: "a req_info of somebody else's key", outer: func(m v2) v2 { return m.with("req_info", strings.Repeat("A", 64)) }, want: unverified("undecryptable", "does not open")},
		{name: "a req_info that is none", outer: func(m v2) v2 { return m.with("req_info", "AAAA") }, want: unverified("malformed", "req_info is damaged")},
		{name: "another merchant", outer: func(m v2) v2 { return m.with("mch_id", "1900000109") }, want: ending{http.StatusBadRequest, "mismatch", "WARN", "mch_id or appid"}},
		{name: "another appid", outer: func(m v2) v2 { return m.with("appid", "wx0000000000000000") }, want: ending{http.StatusBadRequest, "mismatch", "WARN", "mch_id or appid"}},
		{name: "no status", inner: func(m v2) v2 { return m.with("refund_status", "") }, want: unverified("malformed", "refund_status")},
		{name: "an unknown order", inner: func(m v2) v2 { return m.with("out_trade_no", "nobody-s-order") }, want: ending{http.StatusNotFound, "unknown_order", "WARN", "no such order"}},
		{name: "a refund that WeChat does not have", inner: func(m v2) v2 { return m.with("out_refund_no", "made-up") }, want: unconfirmed("RESOURCE_NOT_EXISTS")},
		{name: "WeChat cannot be asked", before: func(in *inbox) {
			in.sim.Fault(wxsim.Fault{Target: "refund", Fault: "status_500", Count: 20})
		}, want: unconfirmed("outcome unknown")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{}, withV2)
			number := in.paidAtWeChat()
			in.endedV2(in.postV2("/pay/notify/v2", paymentV2(in.atWeChat(number)).signed().xml("xml")), acceptedV2())
			r := in.refundedAtWeChat(number)
			inner := refundV2(r, in.atWeChat(number).TransactionID)
			if test.inner != nil {
				inner = test.inner(inner)
			}
			outer := in.outerV2(number, sealV2(t, inner.xml("root")))
			if test.outer != nil {
				outer = test.outer(outer)
			}
			if test.before != nil {
				test.before(in)
			}
			in.endedV2(in.postV2("/pay/notify/v2", outer.xml("xml")), test.want)
			if o := in.stored(number); o.Refunded != 0 {
				t.Errorf("refunded %v", o.Refunded)
			}
		})
	}
}

// TestNotifyV2RefundTooEarly: as long as WeChat's query does not say that the
// refund is done, news of it are to come again.
func TestNotifyV2RefundTooEarly(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{}, withV2)
	number := in.paidAtWeChat()
	in.endedV2(in.postV2("/pay/notify/v2", paymentV2(in.atWeChat(number)).signed().xml("xml")), acceptedV2())
	in.do("POST", "/pay/orders/"+number+"/refunds", "admin", `{"refund":30,"out_refund_no":"back-1"}`)
	r, _ := in.sim.Refund("back-1")
	note := in.outerV2(number, sealV2(t, refundV2(r, in.atWeChat(number).TransactionID).xml("root"))).xml("xml")
	in.endedV2(in.postV2("/pay/notify/v2", note), ending{http.StatusServiceUnavailable, "unconfirmed", "WARN", "no end of this refund yet"})
	if o := in.stored(number); o.Refunded != 0 || o.RefundStatus != orderstore.RefundProcessing {
		t.Errorf("refunded %v, %s", o.Refunded, o.RefundStatus)
	}
}

// FuzzNotifyV2: whatever comes without WeChat's sign, the order stays as it was
// and the answer is a FAIL that is no 2xx.
func FuzzNotifyV2(f *testing.F) {
	in := fuzzInbox(f)
	o := in.options()
	withV2(&o)
	o.Logger = slog.New(slog.DiscardHandler)
	kit, err := wxpay.New(o)
	if err != nil {
		f.Fatal(err)
	}
	note := paymentV2(in.atWeChat(fuzzNumber))
	seeds := []string{
		note.xml("xml"), note.signed().with("total_fee", "1").xml("xml"), note.with("sign", note.sign(strings.Repeat("0", 32), true)).xml("xml"),
		in.outerV2(fuzzNumber, sealV2(f, "<root></root>")).xml("xml"), in.outerV2(fuzzNumber, "AAAA").xml("xml"), "<html></html>", "",
		"<!DOCTYPE xml><xml></xml>",
	}
	for _, body := range seeds {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before, history := orderAndHistory(t, in.store)
		rec := httptest.NewRecorder()
		kit.NotifyV2().ServeHTTP(rec, httptest.NewRequest("POST", "/pay/notify/v2", bytes.NewReader(body)))
		if rec.Code < 400 || rec.Body.String() != failureV2 {
			t.Errorf("answer %d %s", rec.Code, rec.Body)
		}
		if after, historyAfter := orderAndHistory(t, in.store); !reflect.DeepEqual(before, after) || history != historyAfter {
			t.Errorf("order became %+v, was %+v", after, before)
		}
	})
}
