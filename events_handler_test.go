package wxpay_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEvents answers "did WeChat call us?", as data and as a timeline.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.bought()
	s.give(no, `{"refund":30,"out_refund_no":"R-1"}`).refund(t)
	s.sim.Advance(5 * time.Second)
	r := s.do("GET", "/pay/orders/"+no+"/events", "admin", "")
	var got struct {
		OutTradeNo string `json:"out_trade_no"`
		Events     []struct{ At, Kind, Source, ID, Serial, Note string }
	}
	if err := json.Unmarshal(r.Data, &got); err != nil || r.status != 200 || got.OutTradeNo != no || len(got.Events) < 7 {
		t.Fatalf("answer is %d %s", r.status, r.raw)
	}
	paid, acct := got.Events[2], s.sim.Account()
	if at, err := time.Parse(time.RFC3339Nano, paid.At); err != nil || !strings.HasSuffix(paid.At, "+08:00") || time.Since(at).Abs() > time.Minute {
		t.Errorf("the time is %q", paid.At)
	}
	if paid.Kind != "paid" || paid.Source != "notification" || len(paid.ID) != 36 || paid.Serial != acct.PublicKeyID || !strings.HasPrefix(paid.Note, "transaction 42") {
		t.Errorf("the payment is told as %+v", paid)
	}
	text := s.do("GET", "/pay/orders/"+no+"/events", "admin", "", "Accept", "text/plain")
	line := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  refunded +by notification  id \S{36}  signed with \S+  refund R-1 of 0\.30元$`)
	if text.status != 200 || text.header.Get("Content-Type") != "text/plain; charset=utf-8" || !line.MatchString(text.raw) ||
		!strings.HasPrefix(text.raw, "order "+no+" of 1.00元 for u1: 支付成功") {
		t.Errorf("timeline:\n%s", text.raw)
	}
	for _, secret := range []string{acct.APIv3Key, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "PRIVATE KEY"} {
		if strings.Contains(r.raw+text.raw, secret) {
			t.Errorf("the history tells %q", secret)
		}
	}
	s.do("GET", "/pay/orders/nobody-knows-it/events", "admin", "").refused(t, 404, 404, "订单不存在")
}
