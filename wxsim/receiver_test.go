package wxsim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// delivered is a notification as it arrived, judged by independent code.
type delivered struct {
	header    http.Header
	body      []byte
	genuine   error          // nil: signature, clock and encryption are all right
	envelope  map[string]any // as far as it parses
	plaintext map[string]any
}

func (d delivered) outTradeNo() string {
	no, _ := d.plaintext["out_trade_no"].(string)
	return no
}

func (d delivered) total() float64 {
	amount, _ := d.plaintext["amount"].(map[string]any)
	total, _ := amount["total"].(float64)
	return total
}

// receiver is a merchant's notify endpoint.
type receiver struct {
	url string

	mu     sync.Mutex
	got    []delivered
	answer func(n int, d delivered) int // status for the n-th arrival; nil: 204 if genuine, else 401
}

func newReceiver(t *testing.T, m *merchant) *receiver {
	t.Helper()
	rc := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("notification body: %v", err)
		}
		d := m.judge(r.Header, body)
		rc.mu.Lock()
		rc.got = append(rc.got, d)
		n, answer := len(rc.got), rc.answer
		rc.mu.Unlock()
		status := http.StatusNoContent
		switch {
		case answer != nil:
			status = answer(n, d)
		case d.genuine != nil:
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
		if status >= 400 {
			fmt.Fprintf(w, `{"code":"FAIL","message":"%d"}`, n)
		}
	}))
	t.Cleanup(server.Close)
	rc.url = server.URL + "/pay/notify"
	return rc
}

func (rc *receiver) arrivals() []delivered {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return append([]delivered(nil), rc.got...)
}

// answerWith makes every notification get one status.
func (rc *receiver) answerWith(status int) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.answer = func(int, delivered) int { return status }
}

// judge verifies and opens a notification.
func (m *merchant) judge(h http.Header, body []byte) delivered {
	d := delivered{header: h.Clone(), body: body}
	d.genuine = m.verify(h, body)
	if err := json.Unmarshal(body, &d.envelope); err != nil {
		d.genuine = err
		return d
	}
	resource, _ := d.envelope["resource"].(map[string]any)
	text := func(name string) string { s, _ := resource[name].(string); return s }
	plain, err := m.open(text("nonce"), text("associated_data"), text("ciphertext"))
	if err == nil {
		err = json.Unmarshal(plain, &d.plaintext)
	}
	if d.genuine == nil {
		d.genuine = err
	}
	return d
}

// stage is a simulator with a merchant and a notify endpoint, on a header
// clock that stands still.
type stage struct {
	*wxsim.Sim
	m  *merchant
	rc *receiver
}

// noon is where the header clock of a stage stands.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("CST", 8*3600))

func newStage(t *testing.T, conf ...wxsim.Config) *stage {
	t.Helper()
	c := wxsim.Config{}
	if len(conf) > 0 {
		c = conf[0]
	}
	if c.Now == nil {
		c.Now = func() time.Time { return noon }
	}
	s := &stage{Sim: wxsim.Start(t, c)}
	s.m = newMerchant(t, s.Sim)
	s.m.now = c.Now
	s.rc = newReceiver(t, s.m)
	return s
}

// place makes an unpaid order that notifies the stage's receiver.
func (s *stage) place(product, no string) {
	s.m.t.Helper()
	s.m.prepay(product, no, map[string]any{"notify_url": s.rc.url})
}

// placePaid makes a paid one.
func (s *stage) placePaid(no string) {
	s.m.t.Helper()
	s.place("native", no)
	if err := s.Pay(no); err != nil {
		s.m.t.Fatalf("pay %s: %v", no, err)
	}
}

// statuses lists attempt and status of every send of an order.
func (s *stage) statuses(no string) [][2]int {
	var out [][2]int
	for _, sent := range s.Notifications() {
		if sent.OutTradeNo == no {
			out = append(out, [2]int{sent.Attempt, sent.Status})
		}
	}
	return out
}

// newServer serves a handler until the test ends and returns its URL.
func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
