package replicas

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
)

// server is a database server of the tests, and a database on it.
type server struct {
	t           *testing.T
	driver, dsn string
	db          *sql.DB
	store       orderstore.Store
}

// open is openAt of the server that the variable names.
func open(t *testing.T, driver, variable string) *server {
	t.Helper()
	dsn := os.Getenv(variable)
	if dsn == "" && os.Getenv("CI") != "" {
		t.Fatalf("%s is not set", variable)
	}
	if dsn == "" {
		t.Skipf("%s is not set", variable)
	}
	return openAt(t, driver, dsn)
}

// openAt makes a database on the server of dsn, and drops it with the test.
func openAt(t *testing.T, driver, dsn string) *server {
	t.Helper()
	name := fmt.Sprintf("wxpay_replicas_%08x", rand.Uint32())
	s := &server{t: t, driver: driver}
	root := s.connect(dsn)
	s.run(root, "CREATE DATABASE "+name)
	t.Cleanup(func() { s.run(root, "DROP DATABASE "+name) })
	s.dsn = within(t, driver, dsn, name)
	s.db = s.connect(s.dsn)
	ctx := t.Context()
	migrate := func() error { return mysql.Migrate(ctx, s.db, mysql.Options{}) }
	if driver == "pgx" {
		migrate = func() error { return postgres.Migrate(ctx, s.db, postgres.Options{}) }
	}
	if err := migrate(); err != nil {
		t.Fatal(err)
	}
	s.run(s.db, "CREATE TABLE deeds (deed VARCHAR(16), out_trade_no VARCHAR(32), replica VARCHAR(16), at BIGINT)")
	var err error
	if s.store, err = newStore(ctx, driver, s.db); err != nil {
		t.Fatal(err)
	}
	return s
}

// within is the DSN of a database on the server of dsn.
func within(t *testing.T, driver, dsn, name string) string {
	t.Helper()
	switch {
	case driver == "pgx" && !strings.Contains(dsn, "://"):
		return dsn + " dbname=" + name // the last one counts
	case driver == "pgx":
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	conf, err := mysqldriver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	conf.DBName, conf.InterpolateParams = name, true
	return conf.FormatDSN()
}

// bind writes placeholders as the driver has them.
func bind(driver, query string) string {
	for i := 1; driver == "pgx" && strings.Contains(query, "?"); i++ {
		query = strings.Replace(query, "?", fmt.Sprint("$", i), 1)
	}
	return query
}

func (s *server) connect(dsn string) *sql.DB {
	s.t.Helper()
	db, err := sql.Open(s.driver, dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *server) run(db *sql.DB, statement string) {
	s.t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(s.t.Context()), statement); err != nil {
		s.t.Errorf("%s: %v", statement, err)
	}
}

// count is the one number of a query.
func (s *server) count(query string, args ...any) (n int64) {
	s.t.Helper()
	if err := s.db.QueryRowContext(s.t.Context(), bind(s.driver, query), args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// start starts a replica, which is killed with the test at the latest.
func (s *server) start(name string) *os.Process { return s.startAt(name, s.dsn) }

// startAt starts one that has the database at dsn.
func (s *server) startAt(name, dsn string) *os.Process {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "REPLICA_NAME="+name, "REPLICA_DRIVER="+s.driver, "REPLICA_DSN="+dsn)
	cmd.Stderr = s.t.Output()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process
}

// order stores one that is paid, or has just been placed.
func (s *server) order(number string, paid bool) {
	s.t.Helper()
	o := newOrder(number)
	if paid {
		o = pay(o)
	}
	if err := s.store.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

func newOrder(number string) orderstore.Order {
	now := time.Now()
	return orderstore.Order{
		OutTradeNo: number, UserID: "u1", Total: 100, Currency: orderstore.CNY, Product: orderstore.Native,
		MchID: "1900000001", AppID: "wx1", ExpiresAt: now.Add(30 * time.Minute),
	}.Opened(now, time.Second)
}

// pay is the order after WeChat said that it is paid, now.
func pay(o orderstore.Order) orderstore.Order {
	now := time.Now()
	o, _, _ = o.Apply(orderstore.Payment{
		Source: orderstore.FromQuery, OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: "42" + o.OutTradeNo, Total: 100, Currency: orderstore.CNY, PaidAt: now,
	}, now)
	return o
}

func (s *server) eventually(what string, within time.Duration, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	share(open(t, "pgx", "WXPAY_TEST_POSTGRES_DSN"))
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	share(open(t, "mysql", "WXPAY_TEST_MYSQL_DSN"))
}

// share lets four replicas work on one database. One of them is killed while it
// holds orders.
func share(s *server) {
	t := s.t
	const paid, unpaid, held = 300, 60, 8
	for i := range held {
		s.order(fmt.Sprintf("tzxz_held_%03d", i), true)
	}
	victim := s.start(hanging)
	s.eventually("the replica that hangs holds orders", 20*time.Second, func() bool {
		return s.count("SELECT count(*) FROM deeds WHERE deed = 'held'") == held
	})
	killed := time.Now()
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	for i := range paid {
		s.order(fmt.Sprintf("tzxz_paid_%03d", i), true)
	}
	for i := range unpaid {
		s.order(fmt.Sprintf("tzxz_open_%03d", i), false)
	}
	for i := range 3 {
		s.start(fmt.Sprint("replica ", i+1))
	}
	s.eventually("every order is handed over", time.Minute, func() bool {
		return s.count("SELECT count(*) FROM pay_order_event WHERE kind = 'handed_over'") >= paid+held
	})
	time.Sleep(2 * time.Second) // for those who would do it again
	for _, q := range []struct {
		what  string
		query string
		want  int64
	}{
		{"calls of the application", "SELECT count(*) FROM deeds WHERE deed = 'handed over'", paid + held},
		{"orders handed over", "SELECT count(DISTINCT out_trade_no) FROM deeds WHERE deed = 'handed over'", paid + held},
		{"events of hand-overs", "SELECT count(*) FROM pay_order_event WHERE kind = 'handed_over'", paid + held},
		{"second tries", "SELECT count(*) FROM pay_order_record WHERE hand_over_tries = 2", held},
		{"third tries", "SELECT count(*) FROM pay_order_record WHERE hand_over_tries > 2", 0},
		// A slow machine may see the second appointment, half a minute after the order was placed.
		{"orders asked about twice at the first appointment", "SELECT count(*) FROM (SELECT d.out_trade_no FROM deeds d JOIN pay_order_record o ON o.out_trade_no = d.out_trade_no" +
			" WHERE d.deed = 'asked' AND d.at < o.created_at + 30000000 GROUP BY d.out_trade_no HAVING count(*) > 1) twice", 0},
		{"orders asked about", "SELECT count(DISTINCT out_trade_no) FROM deeds WHERE deed = 'asked'", unpaid},
		{"orders closed", "SELECT count(*) FROM deeds WHERE deed = 'closed'", 0},
	} {
		if got := s.count(q.query); got != q.want {
			t.Errorf("%s: %d, want %d", q.what, got, q.want)
		}
	}
	if n := s.count("SELECT count(DISTINCT replica) FROM deeds WHERE deed = 'handed over'"); n < 2 {
		t.Errorf("%d replicas did all the work", n)
	}
	early := s.count("SELECT coalesce(min(at), 0) FROM deeds WHERE deed = 'handed over' AND out_trade_no LIKE 'tzxz_held%'")
	if wait := time.UnixMicro(early).Sub(killed); wait < 10*time.Second {
		t.Errorf("what the killed replica held was taken over after %v, before its lease was over", wait)
	}
}
