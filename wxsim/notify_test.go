package wxsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

func TestNotification(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-notified")
	got := s.rc.arrivals()
	if len(got) != 1 || got[0].genuine != nil {
		t.Fatalf("arrivals %+v, want one genuine", got)
	}
	d := got[0]
	for name, want := range map[string]string{
		"event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "summary": "支付成功",
		"create_time": "2026-11-21T12:00:00+08:00",
	} {
		if d.envelope[name] != want {
			t.Errorf("%s is %q, want %q", name, d.envelope[name], want)
		}
	}
	resource := d.envelope["resource"].(map[string]any)
	if resource["algorithm"] != "AEAD_AES_256_GCM" || resource["original_type"] != "transaction" || resource["associated_data"] != "transaction" || len(resource["nonce"].(string)) != 12 {
		t.Errorf("resource %v", resource)
	}
	if id, _ := d.envelope["id"].(string); len(id) != 36 {
		t.Errorf("id %q", id)
	}
	// The plaintext is the very transaction a query answers with.
	var queried map[string]any
	if err := json.Unmarshal(s.m.query("order-notified").body, &queried); err != nil {
		t.Fatalf("query: %v", err)
	}
	a, _ := json.Marshal(d.plaintext)
	b, _ := json.Marshal(queried)
	if string(a) != string(b) {
		t.Errorf("notified %s\n queried %s", a, b)
	}
	if h := d.header; h.Get("Content-Type") != "application/json" || h.Get("Wechatpay-Serial") != s.Account().PublicKeyID {
		t.Errorf("headers %v", h)
	}
	sent := s.Notifications()
	if len(sent) != 1 || sent[0].Status != 204 || !sent[0].Accepted || sent[0].Attempt != 1 || sent[0].ID != d.envelope["id"] {
		t.Errorf("record %+v", sent)
	}
	s.Advance(48 * time.Hour)
	if len(s.rc.arrivals()) != 1 {
		t.Errorf("an accepted notification was sent again")
	}
}

func TestNotifyWithCertificate(t *testing.T) {
	t.Parallel()
	s := newStage(t, wxsim.Config{NotifyWithCertificate: true})
	s.placePaid("order-notified")
	if got := s.rc.arrivals(); len(got) != 1 || got[0].genuine != nil || got[0].header.Get("Wechatpay-Serial") != s.Account().PlatformSerial {
		t.Errorf("arrivals %+v", got)
	}
}

// What counts as accepted.
func TestNotifyAnswers(t *testing.T) {
	t.Parallel()
	for status, sends := range map[int]int{200: 1, 204: 1, 201: 2, 202: 2, 302: 2, 400: 2, 401: 2, 404: 2, 500: 2} {
		s := newStage(t)
		s.rc.answerWith(status)
		s.placePaid("order-answer")
		s.Advance(15 * time.Second)
		if got := s.statuses("order-answer"); len(got) != sends || got[0] != [2]int{1, status} {
			t.Errorf("status %d: sends %v, want %d", status, got, sends)
		}
	}
}

func TestNotifyRefusesRedirects(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var target atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			target.Add(1)
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	s.m.prepay("native", "order-redirect", map[string]any{"notify_url": server.URL + "/notify"})
	if err := s.Pay("order-redirect"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	if got := s.statuses("order-redirect"); target.Load() != 0 || len(got) != 1 || got[0][1] != 307 {
		t.Errorf("sends %v, the redirect was followed %d times", got, target.Load())
	}
}

func TestNotifyNobodyThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.m.prepay("native", "order-nobody", map[string]any{"notify_url": "http://127.0.0.1:1/notify"})
	if err := s.Pay("order-nobody"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	if got := s.Notifications(); len(got) != 1 || got[0].Status != 0 || got[0].Error == "" || strings.Contains(got[0].Error, "/notify") || got[0].Accepted {
		t.Errorf("record %+v", got)
	}
}

// Every part of a notification can be made wrong on its own; the rest stays
// genuine, so that a receiver can fail for one reason only.
func TestNotificationChanges(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.place("native", "order-forged")
	if _, err := s.Notification("order-forged"); err == nil {
		t.Error("an unpaid order was notified")
	}
	if _, err := s.Notification("order-none"); err == nil {
		t.Error("an unknown order was notified")
	}
	if err := s.PayQuietly("order-forged"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	for _, c := range []struct {
		name    string
		change  func(*wxsim.Notification)
		genuine bool
		check   func(d delivered) bool
	}{
		{"nothing", func(*wxsim.Notification) {}, true, func(d delivered) bool { return d.total() == 100 }},
		{"amount", func(n *wxsim.Notification) { n.Plaintext["amount"].(map[string]any)["total"] = 1 }, true, func(d delivered) bool { return d.total() == 1 }},
		{"event_type", func(n *wxsim.Notification) { n.EventType = "TRANSACTION.PAY_BACK" }, true, func(d delivered) bool { return d.envelope["event_type"] == "TRANSACTION.PAY_BACK" }},
		{"raw plaintext", func(n *wxsim.Notification) { n.RawPlaintext = []byte("{}") }, true, func(d delivered) bool { return len(d.plaintext) == 0 }},
		{"algorithm", func(n *wxsim.Notification) { n.Algorithm = "AEAD_SM4_GCM" }, true, func(d delivered) bool {
			return d.envelope["resource"].(map[string]any)["algorithm"] == "AEAD_SM4_GCM"
		}},
		{"no associated data", func(n *wxsim.Notification) { n.AssociatedData = "" }, true, func(d delivered) bool { return d.total() == 100 }},
		{"APIv3 key", func(n *wxsim.Notification) { n.APIv3Key = strings.Repeat("k", 32) }, false, func(d delivered) bool { return d.plaintext == nil }},
		{"short nonce", func(n *wxsim.Notification) { n.Nonce = "short" }, false, func(d delivered) bool { return d.plaintext == nil }},
		{"empty nonce", func(n *wxsim.Notification) { n.Nonce = "" }, false, func(d delivered) bool { return d.plaintext == nil }},
		{"unknown serial", func(n *wxsim.Notification) { n.Serial = "PUB_KEY_ID_9" }, false, func(d delivered) bool { return d.total() == 100 }},
		{"old timestamp", func(n *wxsim.Notification) { n.Timestamp = "1795200000" }, false, func(d delivered) bool { return d.total() == 100 }},
		{"no resource, signed", func(n *wxsim.Notification) {
			n.BeforeSigning = func([]byte) []byte { return []byte(`{"id":"1"}`) }
		}, false, func(d delivered) bool { return d.envelope["id"] == "1" }},
		{"body after signing", func(n *wxsim.Notification) {
			n.AfterSigning = func(b []byte) []byte { return append(b, ' ') }
		}, false, func(d delivered) bool { return d.total() == 100 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := s.Notification("order-forged", c.change)
			if err != nil {
				t.Fatalf("notification: %v", err)
			}
			if got := r.URL.String(); got != s.rc.url || r.Method != "POST" {
				t.Errorf("%s %s", r.Method, got)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			d := s.m.judge(r.Header, body)
			if (d.genuine == nil) != c.genuine || !c.check(d) {
				t.Errorf("genuine: %v, plaintext %v, body %s", d.genuine, d.plaintext, d.body)
			}
		})
	}
	if len(s.rc.arrivals()) != 0 {
		t.Error("building a notification sent it")
	}
}

func TestSignNotification(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	plain := struct {
		OutTradeNo string `json:"out_trade_no"`
	}{"order-elsewhere"}
	r, err := s.SignNotification(plain, "REFUND.SUCCESS", s.rc.url)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	resp, err := wire.RoundTrip(r)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	_ = resp.Body.Close()
	if got := s.rc.arrivals(); len(got) != 1 || got[0].genuine != nil || got[0].outTradeNo() != "order-elsewhere" {
		t.Errorf("arrivals %+v", got)
	}
	if _, err := s.SignNotification([]int{1}, "X", s.rc.url); err == nil {
		t.Error("a plaintext that is no object was taken")
	}
	if _, err := s.SignNotification(plain, "X", s.rc.url, func(n *wxsim.Notification) { n.APIv3Key = "short" }); err == nil {
		t.Error("a key of five bytes was taken")
	}
}
