package wxsim_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// A payment is told to the element, signed the way the order was.
func TestV2Notification(t *testing.T) {
	t.Parallel()
	for _, signType := range []string{"", "MD5", "HMAC-SHA256"} {
		s := newStage(t)
		m := s.v2()
		rc := newReceiverV2(t, m)
		m.signType = signType
		m.call("/pay/unifiedorder", with(orderV2("NATIVE", "order-told", rc.url), "attach", "a&b", "device_info", "WEB"))
		if err := s.Pay("order-told"); err != nil {
			t.Fatalf("pay: %v", err)
		}
		got := rc.arrivals()
		if len(got) != 1 || !got[0].genuine || got[0].header.Get("Content-Type") != "text/xml" || got[0].header.Get("Wechatpay-Signature") != "" {
			t.Fatalf("%q: arrivals %+v", signType, got)
		}
		if length := map[bool]int{true: 64, false: 32}[signType == "HMAC-SHA256"]; len(got[0].fields["sign"]) != length {
			t.Errorf("%q: sign %s", signType, got[0].fields["sign"])
		}
		o, _ := s.Order("order-told")
		fields := maps.Clone(got[0].fields)
		delete(fields, "sign")
		delete(fields, "nonce_str")
		want := map[string]string{
			"return_code": "SUCCESS", "result_code": "SUCCESS", "appid": o.AppID, "mch_id": o.MchID, "device_info": "WEB",
			"openid": o.OpenID, "is_subscribe": "N", "trade_type": "NATIVE", "bank_type": "OTHERS", "total_fee": "100", "cash_fee": "100",
			"fee_type": "CNY", "cash_fee_type": "CNY", "transaction_id": o.TransactionID, "out_trade_no": "order-told", "attach": "a&b",
			"time_end": "20261121120000",
		}
		if !maps.Equal(fields, want) {
			t.Errorf("%v, want %v", fields, want)
		}
		if sent := s.Notifications(); len(sent) != 1 || !sent[0].Accepted || sent[0].API != "v2" || sent[0].EventType != "TRANSACTION.SUCCESS" {
			t.Errorf("record %+v", sent)
		}
		s.Advance(48 * time.Hour)
		if len(rc.arrivals()) != 1 {
			t.Errorf("an accepted notification was sent again")
		}
	}
}

// Only the one line counts as a yes, and only with 200.
func TestV2NotifyAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		sends  int
	}{
		{200, acceptedV2, 1},
		{200, acceptedV2 + "\n", 2},
		{200, strings.ReplaceAll(acceptedV2, "><", ">\n<"), 2},
		{200, strings.Replace(acceptedV2, "SUCCESS", "FAIL", 1), 2},
		{200, `{"code":"SUCCESS","message":"OK"}`, 2},
		{200, "success", 2},
		{200, "", 2},
		{204, "", 2},
		{201, acceptedV2, 2},
		{500, acceptedV2, 2},
	} {
		s := newStage(t)
		m := s.v2()
		rc := newReceiverV2(t, m)
		rc.answer = func(w http.ResponseWriter) {
			w.WriteHeader(c.status)
			if c.body != "" {
				fmt.Fprint(w, c.body)
			}
		}
		s.placePaidV2(m, "order-answer", rc.url)
		s.Advance(15 * time.Second)
		if got := s.statuses("order-answer"); len(got) != c.sends || got[0] != [2]int{1, c.status} {
			t.Errorf("%d %q: sends %v, want %d", c.status, c.body, got, c.sends)
		}
	}
	// The schedule is that of API v3: sixteen sends, then silence.
	s := newStage(t)
	m := s.v2()
	rc := newReceiverV2(t, m)
	rc.answer = func(w http.ResponseWriter) { fmt.Fprint(w, "success") }
	s.placePaidV2(m, "order-answer", rc.url)
	s.Advance(48 * time.Hour)
	if got := s.Notifications(); len(got) != 16 || got[15].At.Sub(got[0].At) != 24*time.Hour+4*time.Minute || got[15].ID != got[0].ID {
		t.Errorf("%d sends, %+v", len(got), got[len(got)-1])
	}
}

// What arrives under each fault, and that the genuine one follows.
func TestV2NotifyFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault   string
		genuine []bool // in order of arrival
		total   string // of the first
		first   time.Duration
	}{
		{"drop", []bool{true}, "100", 15 * time.Second},
		{"delay", []bool{true}, "100", 30 * time.Second},
		{"duplicate", []bool{true, true}, "100", 0},
		{"reorder", []bool{true}, "100", 15 * time.Second},
		{"forge", []bool{false, true}, "100", 0},
		{"wrong_amount", []bool{true, true}, "1", 0},
		{"wrong_key", []bool{false, true}, "100", 0},
		{"probe", []bool{true}, "100", 0},
		{"old_timestamp", []bool{true}, "100", 0},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			m := s.v2()
			rc := newReceiverV2(t, m)
			s.Fault(wxsim.Fault{Target: "notify", Fault: c.fault, Count: 1})
			s.placePaidV2(m, "order-fault", rc.url)
			s.Advance(time.Hour)
			var genuine []bool
			for _, d := range rc.arrivals() {
				genuine = append(genuine, d.genuine)
			}
			if fmt.Sprint(genuine) != fmt.Sprint(c.genuine) {
				t.Fatalf("arrivals %v, want %v", genuine, c.genuine)
			}
			if got := rc.arrivals()[0].fields["total_fee"]; got != c.total {
				t.Errorf("total_fee %s, want %s", got, c.total)
			}
			for _, sent := range s.Notifications() {
				if sent.Status != 0 {
					if got := sent.At.Sub(noon); got != c.first {
						t.Errorf("first after %v, want %v", got, c.first)
					}
					break
				}
			}
		})
	}
}

// A probe waits for a notification of API v3.
func TestV2LeavesProbes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.Fault(wxsim.Fault{Target: "notify", Fault: "probe", Count: 1})
	s.placePaidV2(m, "order-v2", newReceiverV2(t, m).url)
	s.placePaid("order-v3")
	if got := s.statuses("order-v3"); len(got) != 2 || got[0] != [2]int{1, 401} {
		t.Errorf("sends %v", got)
	}
}

// Notifications that are built and not sent, with one thing wrong.
func TestBuildNotificationV2(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.placeV2(m, "order-built", shopURL)
	if _, err := s.NotificationV2("order-built"); err == nil {
		t.Error("an unpaid order was notified")
	}
	if _, err := s.NotificationV2("order-none"); !errors.Is(err, wxsim.ErrNoOrder) {
		t.Errorf("none: %v", err)
	}
	if _, err := s.RefundNotificationV2("r-1", shopURL); !errors.Is(err, wxsim.ErrNoRefund) {
		t.Errorf("no refund: %v", err)
	}
	_ = s.PayQuietly("order-built")
	m.call(refundPathV2, refundV2("order-built", "r-1", 60))
	if _, err := s.RefundNotificationV2("r-1", shopURL); err == nil {
		t.Error("a refund under way was notified")
	}
	s.Advance(time.Minute)
	build := func(r *http.Request, err error) deliveredV2 {
		t.Helper()
		if err != nil || r.URL.String() != shopURL {
			t.Fatalf("%v %v", r, err)
		}
		body, _ := io.ReadAll(r.Body)
		return m.judge(r.Header, string(body))
	}
	for _, c := range []struct {
		name    string
		change  func(*wxsim.NotificationV2)
		genuine bool
	}{
		{"nothing", func(*wxsim.NotificationV2) {}, true},
		{"field", func(n *wxsim.NotificationV2) { n.Fields["mch_id"] = "1" }, true},
		{"sign type", func(n *wxsim.NotificationV2) { n.SignType = "HMAC-SHA256" }, true},
		{"key", func(n *wxsim.NotificationV2) { n.Key = "x" }, false},
		{"after", func(n *wxsim.NotificationV2) {
			n.AfterSigning = func(b []byte) []byte { return bytes.Replace(b, []byte(">100<"), []byte(">1<"), 1) }
		}, false},
	} {
		if d := build(s.NotificationV2("order-built", c.change)); d.genuine != c.genuine || d.fields["out_trade_no"] != "order-built" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	if d := build(s.RefundNotificationV2("r-1", shopURL, func(n *wxsim.NotificationV2) { n.ReqInfo["refund_fee"] = "61" })); !d.genuine || d.info["refund_fee"] != "61" {
		t.Errorf("refund: %+v", d)
	}
	if d := build(s.RefundNotificationV2("r-1", shopURL)); d.info["refund_fee"] != "60" {
		t.Errorf("the change stayed: %+v", d)
	}
}
