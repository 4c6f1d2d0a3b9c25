package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/wxpaykit/wxpay"
)

// everyDatabase runs a test with an empty database of each kind, by the name
// that -db takes.
func everyDatabase(t *testing.T, test func(t *testing.T, db string)) {
	t.Helper()
	for kind, empty := range map[string]func(*testing.T) string{"SQLite": emptyFile, "PostgreSQL": emptyPostgres, "MySQL": emptyMySQL} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

func emptyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "shop.db") }

// testServer is the DSN of the server in the variable. Without it the test is
// skipped, and fails where nothing may be skipped.
func testServer(t *testing.T, variable string) string {
	t.Helper()
	dsn := os.Getenv(variable)
	switch {
	case dsn != "":
	case os.Getenv("CI") != "":
		t.Fatalf("CI is set and %s is not", variable)
	default:
		t.Skipf("%s is not set", variable)
	}
	return dsn
}

// create makes a database that no other test has, and drops it with the test.
func create(t *testing.T, server *sql.DB, drop string) (name string) {
	t.Helper()
	name = fmt.Sprintf("wxpay_shop_%x", rand.Uint64())
	t.Cleanup(func() {
		if _, err := server.ExecContext(context.WithoutCancel(t.Context()), fmt.Sprintf(drop, name)); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	if _, err := server.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

func emptyPostgres(t *testing.T) string {
	t.Helper()
	conf, err := pgx.ParseConfig(testServer(t, "WXPAY_TEST_POSTGRES_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	return postgresAt(conf, net.JoinHostPort(conf.Host, strconv.Itoa(int(conf.Port))), create(t, stdlib.OpenDB(*conf), "DROP DATABASE %s WITH (FORCE)"))
}

func postgresAt(conf *pgx.ConnConfig, addr, name string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(conf.User, conf.Password), Host: addr, Path: name}
	if conf.TLSConfig == nil {
		u.RawQuery = "sslmode=disable"
	}
	return u.String()
}

func emptyMySQL(t *testing.T) string {
	t.Helper()
	conf, err := mysqldriver.ParseDSN(testServer(t, "WXPAY_TEST_MYSQL_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mysqldriver.NewConnector(conf)
	if err != nil {
		t.Fatal(err)
	}
	conf.DBName = create(t, sql.OpenDB(connector), "DROP DATABASE %s")
	return "mysql://" + conf.FormatDSN()
}

// openAll opens a database from several processes, as it were, all at once.
func openAll(t *testing.T, db string, n int) []*members {
	t.Helper()
	all := make([]*members, n)
	var opening sync.WaitGroup
	for i := range all {
		opening.Go(func() {
			store, m, err := openDatabase(t.Context(), db)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { m.Close() })
			m.db.SetMaxOpenConns(1) // other tests have theirs
			all[i] = m
			if err := store.PutGoods(t.Context(), prices()...); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// TestShopsAtOnce opens an empty database from eight shops at once, which then
// give and take back the memberships of one person, all at once and each of
// them twice. Whoever writes last must have seen what the others wrote.
func TestShopsAtOnce(t *testing.T) {
	t.Parallel()
	everyDatabase(t, giveAndTakeAtOnce)
}

// TestGivenUp is the same on a server that keeps transactions apart by giving
// all of them up but one.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	giveAndTakeAtOnce(t, emptyPostgres(t)+"&default_transaction_isolation=serializable")
}

func giveAndTakeAtOnce(t *testing.T, db string) {
	const orders = 24
	shops := openAll(t, db, 8)
	var calls sync.WaitGroup
	for i := range orders {
		for n := range 2 {
			calls.Go(func() {
				if err := shops[(i+n)%len(shops)].grant(t.Context(), deal(fmt.Sprint("order-", i), "vip-month", 0)); err != nil {
					t.Error(err)
				}
			})
			if i%3 == 0 {
				calls.Go(func() {
					if err := shops[(i+n+1)%len(shops)].revoke(t.Context(), deal(fmt.Sprint("order-", i), "vip-month", 100), wxpay.Refund{}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	calls.Wait()
	who, kept := ledger{shops[0], t}.xiaoming(), 0
	for _, g := range who.Grants {
		if !g.Revoked() {
			kept++
		}
	}
	const overflow = 3 // days: a month after the 31st of January is the 3rd of March
	if first := who.Grants[len(who.Grants)-1].At; kept != orders*2/3 || who.VIPUntil.Before(first.AddDate(0, kept, 0)) || who.VIPUntil.After(first.AddDate(0, kept, 1+overflow)) {
		t.Errorf("%d of %d memberships stay, until %v", kept, len(who.Grants), who.VIPUntil)
	}
}

// TestBuyAndRefund is what a customer and the admin do, on each database.
func TestBuyAndRefund(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, db string) {
		o := start(t, "-db", db)
		o.bought("xiaoming")
		before := o.me("xiaoming")
		no := o.bought("xiaoming")
		for range 2 {
			if a := o.give("admin", no, "once", 100); a.status != 200 {
				t.Fatalf("refund: %d %s", a.status, a.body)
			}
		}
		o.back()
		eventually(t, "the membership is taken back", func() bool { return o.me("xiaoming").VIPUntil == before.VIPUntil })
		if me := o.me("xiaoming"); me.Grants != 2 {
			t.Errorf("granted %d times, want 2 as before the refund", me.Grants)
		}
		if r := o.refunds(); len(r) != 1 || r[0]["status"] != "SUCCESS" {
			t.Errorf("the simulator refunded %v", r)
		}
	})
}

// TestDatabaseNames are what people write, and what is shown of it.
func TestDatabaseNames(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{ // user, password, address, name
		"root@127.0.0.1/shop":                       "root,,127.0.0.1:3306,shop",
		"app:p%40ss%2F%3F@db:3307/shop?timeout=1s":  "app,p@ss/?,db:3307,shop",
		"app:p@ss@tcp(db:3306)/shop":                "app,p@ss,db:3306,shop",
		"app@unix(/run/mysqld/mysqld.sock)/shop":    "app,,/run/mysqld/mysqld.sock,shop",
		"app@[::1]:3306/shop?interpolateParams=off": "",
	} {
		got := ""
		if conf, err := mysqlConfig(dsn); err == nil {
			got = strings.Join([]string{conf.User, conf.Passwd, conf.Addr, conf.DBName}, ",")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
	}
	for name, want := range map[string]string{
		"/var/lib/shop.db": "/var/lib/shop.db",
		"postgres://app:secret@a:1,b:2/shop?password=secret": "postgres://a:1,b:2/shop",
		"mysql://app:s@cret@tcp(db:3306)/shop?timeout=1s":    "mysql://tcp(db:3306)/shop",
	} {
		if got := shown(name); got != want {
			t.Errorf("%s is shown as %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"postgres://app:secret@db:x/shop", "mysql://app:secret@db:x/shop", "mysql://app:secret@tcp(db/shop", "mariadb://app:secret@db/shop"} {
		if _, m, err := openDatabase(t.Context(), name); err == nil || m != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
