package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// refunded ends the test unless the order was refunded once, and its membership
// taken back once, as far as anybody can tell.
func (m *mortal) refunded(no string, before profile) {
	m.t.Helper()
	eventually(m.t, "the refund is handed over", func() bool {
		m.sim.Advance(10 * time.Second) // brings what is under way, and what was not taken again
		return m.count(`SELECT count(*) FROM pay_order_record WHERE out_trade_no = ? AND refunds LIKE '%handed_over_at%'`, no) == 1
	})
	refunds := m.sim.Refunds()
	if len(refunds) != 1 || refunds[0].OutTradeNo != no || refunds[0].Refund != 100 || refunds[0].Status != "SUCCESS" {
		m.t.Errorf("WeChat refunded %+v, want one", refunds)
	}
	if me := m.me("xiaoming"); me.Grants != 2 || me.VIPUntil != before.VIPUntil {
		m.t.Errorf("%+v, want 2 grants until %s", me, before.VIPUntil)
	}
	if got := m.count(`SELECT refunded FROM pay_order_record WHERE out_trade_no = ?`, no); got != 100 {
		m.t.Errorf("%d fen are back, says the order", got)
	}
}

// tryGive asks for the refund while the shop may die.
func (m *mortal) tryGive(no string) {
	body := strings.NewReader(`{"refund":100,"reason":"不想要了","out_refund_no":"once"}`)
	req, err := http.NewRequestWithContext(m.t.Context(), "POST", m.url+"/pay/orders/"+no+"/refunds", body)
	if err != nil {
		m.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "shop_user", Value: admin})
	if resp, err := wire.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
}

// TestKillRefund kills the shop with -9 around a refund, and asks for the
// refund again when it is back, as whoever saw no answer does.
func TestKillRefund(t *testing.T) {
	t.Parallel()
	for _, c := range refundDeaths {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMortal(t)
			m.bought("xiaoming")
			before := m.me("xiaoming")
			no := m.bought("xiaoming")
			if c.fault.Target != "" {
				m.sim.Fault(c.fault)
			}
			if c.hold != "" {
				m.sql(`CREATE TRIGGER hold BEFORE UPDATE ON ` + c.hold + ` BEGIN SELECT RAISE(ABORT, 'held'); END`)
			}
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				m.tryGive(no)
			}()
			eventually(t, c.name, func() bool { return c.held(m) })
			m.kill()
			<-asked
			if c.hold != "" {
				m.sql(`DROP TRIGGER hold`)
			}
			m.restart()
			if a := m.give("admin", no, "once", 100); a.status != http.StatusOK {
				t.Errorf("asked again: %d %s", a.status, a.body)
			}
			m.refunded(no, before)
		})
	}
}

// refundDeaths are the moments that matter.
var refundDeaths = []struct {
	name  string
	fault wxsim.Fault
	hold  string               // the writes that a trigger stops at this moment
	held  func(m *mortal) bool // it is there
}{
	{name: "stored and not sent", hold: `pay_order_record WHEN NEW.refunds LIKE '%applied_at%'`, held: func(m *mortal) bool {
		return m.count(`SELECT count(*) FROM pay_order_record WHERE refunds LIKE '%APPLYING%'`) == 1
	}},
	{name: "sent and not answered", fault: wxsim.Fault{Target: "refund", Fault: "timeout", Count: 1}, held: atWeChat},
	{name: "accepted and not stored", hold: `pay_order_record WHEN NEW.refunds LIKE '%PROCESSING%'`, held: atWeChat},
	{name: "under way", held: atWeChat},
	{name: "back and not stored", hold: `pay_order_record WHEN NEW.refunded > 0`, held: func(m *mortal) bool {
		m.sim.Advance(10 * time.Second)
		return atWeChat(m) && m.sim.Refunds()[0].Status == "SUCCESS"
	}},
	{name: "back and not revoked", hold: `grants`, held: revoking},
	{name: "half revoked", hold: `members WHEN NEW.vip_until <> OLD.vip_until`, held: revoking},
	{name: "revoked and not known to be", hold: `pay_order_record WHEN NEW.refunds LIKE '%handed_over_at%'`, held: func(m *mortal) bool {
		return revoking(m) && m.count(`SELECT count(*) FROM grants WHERE revoked_at > 0`) == 1
	}},
}

// atWeChat reports whether WeChat has the refund.
func atWeChat(m *mortal) bool { return len(m.sim.Refunds()) == 1 }

// revoking brings the money back, and reports whether the shop's revoke has
// been called.
func revoking(m *mortal) bool {
	m.sim.Advance(10 * time.Second)
	return m.count(`SELECT count(*) FROM pay_order_record WHERE refunded = 100 AND refunds LIKE '%hand_over_tries%'`) == 1
}
