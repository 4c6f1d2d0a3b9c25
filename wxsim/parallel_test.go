package wxsim_test

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// Many customers at once: every number once, every order told once.
func TestParallelOrders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const n = 200
	errs := make(chan error, n)
	for i := range n {
		go func() {
			no := fmt.Sprintf("parallel-%03d", i)
			errs <- func() error {
				for _, c := range []struct {
					method, path string
					body         []byte
				}{
					{"POST", transactions + "native", s.m.order("native", no, map[string]any{"notify_url": s.rc.url})},
					{"GET", transactions + "out-trade-no/" + no + "?mchid=" + s.Account().MchID, nil},
				} {
					if r, err := s.m.try(c.method, c.path, c.body); err != nil || r.status != 200 || s.m.verify(r.header, r.body) != nil {
						return fmt.Errorf("%s %s: %d %s %w", c.method, c.path, r.status, r.body, err)
					}
				}
				if i%10 == 0 {
					s.Advance(time.Second)
					_ = s.Orders()
				}
				return s.Pay(no)
			}()
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	told, ids := map[string]int{}, map[string]bool{}
	for _, d := range s.rc.arrivals() {
		if d.genuine != nil {
			t.Errorf("notification: %v", d.genuine)
		}
		told[d.outTradeNo()]++
		ids[d.plaintext["transaction_id"].(string)] = true
	}
	accepted := map[string]int{}
	for _, sent := range s.Notifications() {
		if sent.Accepted {
			accepted[sent.OutTradeNo]++
		}
	}
	for _, o := range s.Orders() { // one that a busy machine took too long to take is told again
		if accepted[o.OutTradeNo] != 1 || told[o.OutTradeNo] < 1 || o.TradeState != "SUCCESS" || !ids[o.TransactionID] {
			t.Errorf("order %s is %s, told %d times", o.OutTradeNo, o.TradeState, told[o.OutTradeNo])
		}
	}
	if len(told) != n || len(ids) != n {
		t.Errorf("%d orders told, %d transaction ids, want %d", len(told), len(ids), n)
	}
	if body := control(t, "GET", s.URL()+"/_sim/notifications", ""); len(body.body) < n*100 {
		t.Errorf("notifications: %d bytes", len(body.body))
	}
	_, _ = io.WriteString(io.Discard, s.page("/"))
}
