package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// TestOutage takes the database away while customers pay: the server, the
// network before it, or a machine, in whose place another comes. WeChat is told within its five seconds that nothing was
// stored, and when the database is back everything is paid and handed over,
// once. WXPAY_TEST_OUTAGE, such as 30s, makes it last that long at least.
func TestOutage(t *testing.T) {
	t.Parallel()
	long, _ := time.ParseDuration(os.Getenv("WXPAY_TEST_OUTAGE")) // none: until WeChat has heard
	for kind, empty := range map[string]func(*testing.T) string{"PostgreSQL": emptyPostgres, "MySQL": emptyMySQL} {
		for how, shut := range map[string]func(*gate){
			"no server": (*gate).refuse, "no network": (*gate).hold, "another server": (*gate).vanish,
		} {
			t.Run(kind+", "+how, func(t *testing.T) {
				t.Parallel()
				lose(t, empty(t), shut, long)
			})
		}
	}
}

// through is the same database behind a gate.
func through(t *testing.T, db string) (*gate, string) {
	t.Helper()
	if dsn, ok := strings.CutPrefix(db, "mysql://"); ok {
		conf, err := mysqldriver.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		g := newGate(t, conf.Addr)
		conf.Addr = g.addr()
		return g, "mysql://" + conf.FormatDSN()
	}
	conf, err := pgx.ParseConfig(db)
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(t, net.JoinHostPort(conf.Host, fmt.Sprint(conf.Port)))
	return g, postgresAt(conf, g.addr(), conf.Database)
}

func lose(t *testing.T, db string, shut func(*gate), long time.Duration) {
	const customers = 12
	g, gated := through(t, db)
	m := newMortalOn(t, gated)
	var orders []string
	for i := range customers {
		orders = append(orders, m.buy("native", fmt.Sprint("customer-", i)).OutTradeNo)
	}
	shut(g)
	gone := time.Now()
	var paying sync.WaitGroup
	for _, no := range orders {
		paying.Go(func() {
			if err := m.sim.Pay(no); err != nil {
				t.Error(err)
			}
		})
	}
	paying.Wait()
	eventually(t, "WeChat has told of every payment", func() bool { return len(m.sim.Notifications()) >= customers })
	for time.Since(gone) < long {
		m.sim.Advance(15 * time.Second)
		time.Sleep(2 * time.Second)
	}
	for _, sent := range m.sim.Notifications() {
		if sent.Status != http.StatusServiceUnavailable {
			t.Errorf("while the database was gone a notification was answered with %d %s (%s)", sent.Status, sent.Body, sent.Error)
		}
	}
	g.open()
	t.Logf("the database was gone for %v, and WeChat was refused %d times", time.Since(gone).Round(time.Second/10), len(m.sim.Notifications()))
	m.settled(t, openAll(t, db, 1)[0], orders)
}

// settled lets WeChat tell again until everything is paid and handed over, and
// then counts.
func (m *mortal) settled(t *testing.T, books *members, orders []string) {
	count := func(query string) (n int) {
		if err := books.db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually(t, "everything is handed over", func() bool {
		m.sim.Advance(15 * time.Second)
		return count(`SELECT count(*) FROM pay_order_record WHERE pay_status = 1 AND handed_over_at IS NOT NULL`) == len(orders)
	})
	for _, query := range []string{
		`SELECT count(*) FROM pay_order_event WHERE kind = 'paid'`,
		`SELECT count(*) FROM pay_order_event WHERE kind = 'handed_over'`,
		`SELECT count(*) FROM grants WHERE granted_at > 0`,
		`SELECT count(*) FROM members WHERE vip_until > 0`,
	} {
		if n := count(query); n != len(orders) {
			t.Errorf("%s: %d, want %d", query, n, len(orders))
		}
	}
}
