package wxsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// judgeRequest judges a notification that was built and not sent.
func (s *stage) judgeRequest(r *http.Request) delivered {
	s.m.t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.m.t.Fatalf("body: %v", err)
	}
	return s.m.judge(r.Header, body)
}

// events lists what was sent after the payment's notification.
func (s *stage) events() []string {
	var out []string
	for _, n := range s.Notifications()[1:] {
		out = append(out, n.EventType)
	}
	return out
}

// What may be decided about a refund, and what it leads to.
func TestRefundEndings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status   string
		events   []string
		refunded int64
		again    int // status of a refund of the rest of 100 fen
	}{
		{"SUCCESS", []string{"REFUND.SUCCESS"}, 60, 400},
		{"ABNORMAL", []string{"REFUND.ABNORMAL"}, 0, 400},
		{"CLOSED", []string{"REFUND.CLOSED"}, 0, 200}, // a closed one leaves its money
		{"PROCESSING", nil, 0, 400},
	} {
		t.Run(c.status, func(t *testing.T) {
			t.Parallel()
			for name, decide := range map[string]func(s *stage) error{
				"before": func(s *stage) error { return errors.Join(s.DecideRefund("", c.status), acceptTwo(s)) },
				"after":  func(s *stage) error { return errors.Join(acceptTwo(s), s.DecideRefund("r-1", c.status)) },
			} {
				s := newStage(t)
				s.placePaid("order-paid")
				if err := decide(s); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				s.Advance(time.Minute)
				if got := s.refundStatus("r-1"); got != c.status {
					t.Errorf("%s: status %s", name, got)
				}
				if got := s.events(); !slices.Equal(got, c.events) {
					t.Errorf("%s: events %q, want %q", name, got, c.events)
				}
				if got := s.m.query("order-paid").text("trade_state"); got != "REFUND" {
					t.Errorf("%s: order reads %s", name, got)
				}
				if o, _ := s.Order("order-paid"); o.Refunded != c.refunded {
					t.Errorf("%s: refunded %d, want %d", name, o.Refunded, c.refunded)
				}
				if r := s.refund("order-paid", "r-again", 100); r.status != c.again {
					t.Errorf("%s: another refund: %d %s", name, r.status, r.body)
				}
			}
		})
	}
}

// acceptTwo makes a refund that was decided about, or will be, and asks for it
// twice.
func acceptTwo(s *stage) error {
	for range 2 {
		if r := s.refund("order-paid", "r-1", 60); r.text("status") != "PROCESSING" {
			return errors.New(string(r.body))
		}
	}
	return nil
}

// One that was kept PROCESSING is decided at once when its time is over.
func TestRefundKept(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	if err := errors.Join(acceptTwo(s), s.DecideRefund("r-1", "PROCESSING")); err != nil {
		t.Fatal(err)
	}
	s.Advance(8 * 24 * time.Hour)
	if err := s.DecideRefund("r-1", "CLOSED"); err != nil {
		t.Fatalf("decide: %v", err)
	}
	if got := s.rc.arrivals(); len(got) != 2 || got[1].plaintext["refund_status"] != "CLOSED" || got[1].plaintext["success_time"] != nil || got[1].envelope["summary"] != "退款关闭" {
		t.Errorf("arrivals %+v", got)
	}
	for _, c := range []struct {
		no, status string
		want       error
	}{
		{"r-1", "SUCCESS", wxsim.ErrRefundEnded}, {"r-none", "SUCCESS", wxsim.ErrNoRefund},
		{"r-1", "FAILED", wxsim.ErrNoSuchEnding}, {"", "", wxsim.ErrNoSuchEnding},
	} {
		if err := s.DecideRefund(c.no, c.status); !errors.Is(err, c.want) {
			t.Errorf("%q %q: %v, want %v", c.no, c.status, err, c.want)
		}
	}
}

func TestRefundNotificationBuilt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.refund("order-paid", "r-1", 60)
	if _, err := s.RefundNotification("r-1"); err == nil {
		t.Error("a refund that has not ended was notified")
	}
	if _, err := s.RefundNotification("r-none"); !errors.Is(err, wxsim.ErrNoRefund) {
		t.Errorf("unknown refund: %v", err)
	}
	s.Advance(5 * time.Second)
	r, err := s.RefundNotification("r-1", func(n *wxsim.Notification) { n.Plaintext["refund_status"] = "CLOSE" })
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	d := s.judgeRequest(r)
	if d.genuine != nil || d.plaintext["refund_status"] != "CLOSE" || d.envelope["event_type"] != "REFUND.SUCCESS" || r.URL.String() != s.rc.url {
		t.Errorf("built %+v", d)
	}
}

// seal encrypts a field with the key the merchant holds under a serial.
func (m *merchant) seal(serial, plain string) string {
	m.t.Helper()
	key, err := m.verifier(serial)
	if err != nil {
		m.t.Fatalf("key: %v", err)
	}
	raw, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(plain), nil)
	if err != nil {
		m.t.Fatalf("encrypt: %v", err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// An abnormal refund is sent on to a card; each refusal changes one thing.
func TestApplyAbnormal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid")
	s.placePaid("order-other")
	if err := errors.Join(s.DecideRefund("", "ABNORMAL"), acceptTwo(s)); err != nil {
		t.Fatal(err)
	}
	s.refund("order-other", "r-other", 100)
	s.Advance(5 * time.Second)
	abnormal, _ := s.Sim.Refund("r-1")
	other, _ := s.Sim.Refund("r-other")
	public, cert := s.Account().PublicKeyID, s.Account().PlatformSerial
	account, name := s.m.seal(public, "6222020000000000"), s.m.seal(public, "张三")
	card := func(bank, account, name string) string {
		return `{"out_refund_no":"r-1","type":"USER_BANK_CARD","bank_type":"` + bank + `","bank_account":"` + account + `","real_name":"` + name + `"}`
	}
	for _, c := range []struct {
		name, id, serial, body string
		status                 int
		code                   string
	}{
		{"unknown refund", "50300000000000000000000000000", public, card("CMB_DEBIT", account, name), 404, "RESOURCE_NOT_EXISTS"},
		{"out_refund_no as id", "r-1", public, card("CMB_DEBIT", account, name), 404, "RESOURCE_NOT_EXISTS"},
		{"two refunds", other.RefundID, public, card("CMB_DEBIT", account, name), 400, "INVALID_REQUEST"},
		{"not abnormal", other.RefundID, public, `{"out_refund_no":"r-other","type":"MERCHANT_BANK_CARD"}`, 400, "INVALID_REQUEST"},
		{"no serial", abnormal.RefundID, "", card("CMB_DEBIT", account, name), 400, "PARAM_ERROR"},
		{"serial of another key", abnormal.RefundID, cert, card("CMB_DEBIT", account, name), 400, "PARAM_ERROR"},
		{"unknown bank", abnormal.RefundID, public, card("HSBC_DEBIT", account, name), 400, "PARAM_ERROR"},
		{"no type", abnormal.RefundID, public, `{"out_refund_no":"r-1"}`, 400, "PARAM_ERROR"},
		{"no bank", abnormal.RefundID, public, `{"out_refund_no":"r-1","type":"USER_BANK_CARD","bank_account":"` + account + `","real_name":"` + name + `"}`, 400, "PARAM_ERROR"},
		{"no account", abnormal.RefundID, public, `{"out_refund_no":"r-1","type":"USER_BANK_CARD","bank_type":"CMB_DEBIT","real_name":"` + name + `"}`, 400, "PARAM_ERROR"},
		{"name in the clear", abnormal.RefundID, public, card("CMB_DEBIT", account, "张三"), 400, "PARAM_ERROR"},
		{"no body", abnormal.RefundID, public, "", 400, "PARAM_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := *s.m
			m.serialHeader = c.serial
			r := m.call("POST", refunds+"/"+c.id+"/apply-abnormal-refund", []byte(c.body))
			if r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %s, want %d %s", r.status, r.body, c.status, c.code)
			}
		})
	}
	if got := s.refundStatus("r-1"); got != "ABNORMAL" {
		t.Fatalf("after refusals: %s", got)
	}
	for range 2 { // once it is on its way, the same call finds it there
		r := s.m.call("POST", refunds+"/"+abnormal.RefundID+"/apply-abnormal-refund", []byte(card("CMB_DEBIT", account, name)))
		if r.text("status") != "PROCESSING" || r.text("channel") != "OTHER_BANKCARD" || r.text("user_received_account") != "用户银行卡" {
			t.Errorf("answer %d %s", r.status, r.body)
		}
	}
	s.Advance(5 * time.Second)
	if got, _ := s.Sim.Refund("r-1"); got.Status != "SUCCESS" || !got.SuccessAt.Equal(noon.Add(10*time.Second)) {
		t.Errorf("refund %+v", got)
	}
	sent := s.Notifications()
	if last := sent[len(sent)-1]; last.EventType != "REFUND.SUCCESS" || last.OutRefundNo != "r-1" || !last.Accepted {
		t.Errorf("last send %+v", last)
	}
	ids := map[string]bool{}
	for _, n := range sent {
		ids[n.ID] = true
	}
	if len(ids) != len(sent) {
		t.Errorf("%d ids of %d notifications", len(ids), len(sent))
	}
}
