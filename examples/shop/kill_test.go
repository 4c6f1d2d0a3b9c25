package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// mortal is a shop in a process of its own, with a WeChat Pay that outlives
// it.
type mortal struct {
	*site
	sim  *wxsim.Sim
	addr string
	env  []string
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	return newMortalOn(t, emptyFile(t))
}

func newMortalOn(t *testing.T, db string) *mortal {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{sim: wxsim.Start(t), addr: free.Addr().String()}
	free.Close()
	m.env = environment(t, m.sim, "http://"+m.addr)
	m.site = spawn(t, db, m.env, "-addr", m.addr)
	return m
}

// restart opens the shop again, on the same file.
func (m *mortal) restart() {
	m.t.Helper()
	m.site = spawn(m.t, m.db, m.env, "-addr", m.addr)
}

// paid ends the test unless the order is paid and granted once, as far as
// anybody can tell.
func (m *mortal) paid(no string) {
	m.t.Helper()
	if got := m.payStatus("xiaoming", no); got != 1 {
		m.t.Errorf("pay_status is %d", got)
	}
	eventually(m.t, "the membership is granted", func() bool { return m.me("xiaoming").Grants > 0 })
	eventually(m.t, "the hand-over is written down", func() bool {
		return m.count(`SELECT count(*) FROM pay_order_record WHERE out_trade_no = ? AND handed_over_at IS NOT NULL`, no) == 1
	})
	me := m.me("xiaoming")
	until, err := time.Parse(time.RFC3339, me.VIPUntil)
	if err != nil {
		m.t.Fatal(err)
	}
	if days := time.Until(until).Hours() / 24; me.Grants != 1 || days > 32 {
		m.t.Errorf("granted %d times, for %.0f days", me.Grants, days)
	}
}

// TestDuplicates sends one notification fifty times, all at once.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	m := newMortal(t)
	no := m.buy("native", "xiaoming").OutTradeNo
	if err := m.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	var sends sync.WaitGroup
	for range 50 {
		req, err := m.sim.Notification(no, func(n *wxsim.Notification) { n.ID = "one-and-the-same" })
		if err != nil {
			t.Fatal(err)
		}
		sends.Go(func() {
			resp, err := wire.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusNoContent {
				t.Errorf("answered %d %s", resp.StatusCode, body)
			}
		})
	}
	sends.Wait()
	m.paid(no)
}

// TestKill kills the shop with -9 at the moments that matter. Triggers in its
// file hold it at such a moment.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		trigger string               // what holds it
		held    func(m *mortal) bool // it is there
	}{
		{
			name: "after the grant",
			held: func(m *mortal) bool { return m.me("xiaoming").Grants == 1 },
		},
		{
			name:    "paid and not granted",
			trigger: `CREATE TRIGGER hold BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'held'); END`,
			held: func(m *mortal) bool {
				return m.count(`SELECT hand_over_tries FROM pay_order_record`) > 0
			},
		},
		{
			name:    "half granted",
			trigger: `CREATE TRIGGER hold BEFORE UPDATE OF vip_until ON members BEGIN SELECT RAISE(ABORT, 'held'); END`,
			held: func(m *mortal) bool {
				return m.count(`SELECT hand_over_tries FROM pay_order_record`) > 0
			},
		},
		{
			name: "granted and not known to be",
			trigger: `CREATE TRIGGER hold BEFORE UPDATE ON pay_order_record WHEN NEW.handed_over_at IS NOT NULL
				BEGIN SELECT RAISE(ABORT, 'held'); END`,
			held: func(m *mortal) bool { return m.me("xiaoming").Grants == 1 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMortal(t)
			no := m.buy("native", "xiaoming").OutTradeNo
			if c.trigger != "" {
				m.sql(c.trigger)
			}
			if err := m.sim.Pay(no); err != nil {
				t.Fatal(err)
			}
			eventually(t, c.name, func() bool { return c.held(m) })
			m.kill()
			if c.trigger != "" {
				m.sql(`DROP TRIGGER hold`)
			}
			m.restart()
			m.paid(no)
		})
	}
}

// TestPaidWhileDead pays when nobody is there to be told.
func TestPaidWhileDead(t *testing.T) {
	t.Parallel()
	m := newMortal(t)
	no := m.buy("native", "xiaoming").OutTradeNo
	m.kill()
	if err := m.sim.Pay(no); err != nil {
		t.Fatal(err)
	}
	m.restart()
	m.paid(no) // asked for at WeChat Pay
}

// TestKillAnyTime kills the shop again and again while people pay.
func TestKillAnyTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	m := newMortal(t)
	const rounds, each = 5, 6
	for round := range rounds {
		var orders []string
		for i := range each {
			orders = append(orders, m.buy(products[i%len(products)], "user"+strconv.Itoa(round)).OutTradeNo)
		}
		var customers sync.WaitGroup
		for _, no := range orders {
			customers.Go(func() {
				if err := m.sim.Pay(no); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		m.kill()
		customers.Wait()
		m.restart()
		user := "user" + strconv.Itoa(round)
		for _, no := range orders {
			if got := m.payStatus(user, no); got != 1 {
				t.Errorf("round %d: pay_status of %s is %d", round, no, got)
			}
		}
	}
	eventually(t, "everything is handed over", func() bool {
		return m.count(`SELECT count(*) FROM pay_order_record WHERE handed_over_at IS NOT NULL`) == rounds*each
	})
	for round := range rounds {
		if me := m.me(fmt.Sprint("user", round)); me.Grants != each {
			t.Errorf("%s was granted %d times, want %d", me.User, me.Grants, each)
		}
	}
}

// TestRestartWithOwnSimulator is the same for a person who tries the shop: the
// simulator dies with it, the orders and members stay.
func TestRestartWithOwnSimulator(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "shop.db")
	o := spawn(t, db, nil)
	paid, waiting := o.buy("native", "xiaoming").OutTradeNo, o.buy("native", "xiaoming").OutTradeNo
	o.pay(paid)
	eventually(t, "the membership is granted", func() bool { return o.me("xiaoming").Grants == 1 })
	o.kill()
	o = spawn(t, db, nil)
	if got := o.payStatus("xiaoming", paid); got != 1 {
		t.Errorf("pay_status is %d", got)
	}
	if me := o.me("xiaoming"); me.Grants != 1 {
		t.Errorf("granted %d times", me.Grants)
	}
	if got := o.payStatus("xiaoming", waiting); got != 0 {
		t.Errorf("pay_status of an unpaid order is %d", got)
	}
}
