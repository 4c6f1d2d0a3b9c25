package main

import (
	"database/sql"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
	"github.com/wxpaykit/wxpay/wxsim"
)

// brief is a run with little of everything.
func brief(t *testing.T, args ...string) config {
	t.Helper()
	conf, err := readFlags(append([]string{"-time", "3s", "-settle", "2s", "-replicas", "1", "-customers", "8", "-kill-every", "800"}, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	conf.dir, conf.tidy = t.TempDir(), true
	return conf
}

// TestSmoke is the whole program, shortly: shops that are killed while people
// pay, and refunds without kills. What a killed shop had begun takes others a
// quarter of a minute or longer; that much time there is not, so only what
// nobody can put right any more is wrong.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	t.Parallel()
	shop, err := build(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"payments": {"-seed", "1", "-refunds", "0", "-least-kills", "2", "-least-paid", "20"},
		"refunds":  {"-seed", "3", "-refunds", "80", "-calm", "-kill-every", "3600000", "-replicas", "2", "-least-refunds", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep, err := run(t.Context(), brief(t, append(args, "-shop", shop)...), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			rep.print(t.Output())
			if len(rep.short) > 0 || slices.ContainsFunc(rep.violations, func(v audit.Violation) bool { return !v.Rule.Heals() }) {
				t.Error("the books disagree, or there was too little to do")
			}
		})
	}
}

// TestEdits makes sure that each break still changes what it is meant to.
func TestEdits(t *testing.T) {
	t.Parallel()
	for _, name := range breakNames() {
		broken, err := breakOf(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := overlayOf("../..", t.TempDir(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range broken.edits {
			if _, err := e.apply(e.old + e.old); err == nil {
				t.Errorf("%s: an edit that fits twice was made", name)
			}
			if _, err := e.apply("moved on"); err == nil {
				t.Errorf("%s: an edit that fits nowhere was made", name)
			}
		}
	}
	if _, err := breakOf("nothing"); err == nil {
		t.Error("an unknown break was found")
	}
}

// TestWitness: what the witness decrypts is the order that was paid.
func TestWitness(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	req, err := sim.SignNotification(map[string]any{"out_trade_no": "order-0001"}, wxsim.EventTransactionSuccess, "http://127.0.0.1:1/notify")
	if err != nil {
		t.Fatal(err)
	}
	body := new(strings.Builder)
	if err := req.Write(body); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
	if n, err := noticeOf([]byte(text), sim.Account().APIv3Key); n != (notice{OutTradeNo: "order-0001"}) || err != nil {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := noticeOf([]byte(text), strings.Repeat("x", 32)); err == nil {
		t.Error("another key opened it")
	}
	w := newWitness(func(notice) (bool, error) { return false, nil })
	w.learn(sim.Account().APIv3Key)
	w.look([]byte(text))
	w.look([]byte("garbage"))
	if got := w.violations(); len(got) != 1 || got[0].OutTradeNo != "order-0001" {
		t.Errorf("saw %v", got)
	}
}

// TestWitnessOfRefunds: a refund's notification says which, and how it ended.
func TestWitnessOfRefunds(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	said := map[string]any{"out_trade_no": "order-0001", "out_refund_no": "r-1", "refund_status": "SUCCESS"}
	req, err := sim.SignNotification(said, "REFUND.SUCCESS", "http://127.0.0.1:1/notify")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := notice{"order-0001", "r-1", "SUCCESS"}
	if n, err := noticeOf(body, sim.Account().APIv3Key); n != want || err != nil {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestHolds: at the moment of a 204 the table holds the status that was said,
// or what comes after it.
func TestHolds(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/shop.db"
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE pay_order_record (out_trade_no TEXT, pay_status INTEGER, refunds TEXT);
		INSERT INTO pay_order_record VALUES ('unpaid', 0, ''), ('paid', 1, ?)`,
		`[{"out_refund_no":"p","status":"PROCESSING"},{"out_refund_no":"s","status":"SUCCESS"},{"out_refund_no":"c","status":"CLOSED"}]`)
	if err != nil {
		t.Fatal(err)
	}
	file, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := &books{file}
	defer file.Close()
	for n, want := range map[notice]bool{
		{"paid", "", ""}:            true,
		{"unpaid", "", ""}:          false,
		{"unknown", "", ""}:         false,
		{"paid", "s", "SUCCESS"}:    true,
		{"paid", "s", "ABNORMAL"}:   true,
		{"paid", "c", "ABNORMAL"}:   true,
		{"paid", "c", "SUCCESS"}:    false,
		{"paid", "p", "SUCCESS"}:    false,
		{"paid", "none", "SUCCESS"}: false,
		{"unpaid", "s", "SUCCESS"}:  false,
	} {
		if got, err := b.holds(n); got != want || err != nil {
			t.Errorf("%+v: %v, %v", n, got, err)
		}
	}
}

// TestHandOvers counts in a log as the shops write it.
func TestHandOvers(t *testing.T) {
	t.Parallel()
	log := t.TempDir() + "/shop1.log"
	line := `time=2026-01-01T00:00:00Z level=INFO msg="paid order handed over" order_no=no1 tries=1` + "\n"
	if err := os.WriteFile(log, []byte(line+line+strings.Replace(line, "no1", "no2", 1)+"half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := handOvers([]string{log, log + ".absent"}, orderTaken)
	if err != nil || len(got) != 2 || got["no1"] != 2 || got["no2"] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	conf, err := readFlags(nil, t.Output())
	if err != nil || conf.time != time.Minute || conf.replicas != 3 || conf.seed != 1 {
		t.Errorf("%+v, %v", conf, err)
	}
	for _, args := range [][]string{{"-time", "0"}, {"-replicas", "0"}, {"x"}, {"-shop", "a", "-break", "b"}, {"-nothing"}, {"-db", "shop.db"}} {
		if _, err := readFlags(args, t.Output()); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

// TestServers runs shortly on the servers of the tests, as TestSmoke does on a
// file; the second shop is told of the server by itself.
func TestServers(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	t.Parallel()
	shop, err := build(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for variable, with := range map[string]struct{ prefix, seed string }{ // another seed than others, and so other ports
		"WXPAY_TEST_POSTGRES_DSN": {"", "5"},
		"WXPAY_TEST_MYSQL_DSN":    {"mysql://", "6"},
	} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			dsn := os.Getenv(variable)
			switch {
			case dsn == "" && os.Getenv("CI") != "":
				t.Fatal("CI is set and the variable is not")
			case dsn == "":
				t.Skip("not set")
			}
			dsn = with.prefix + dsn
			args := []string{"-shop", shop, "-seed", with.seed, "-refunds", "0", "-replicas", "2", "-least-kills", "1", "-least-paid", "10", "-db", dsn, "-db", dsn}
			rep, err := run(t.Context(), brief(t, args...), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			rep.print(t.Output())
			if len(rep.short) > 0 || slices.ContainsFunc(rep.violations, func(v audit.Violation) bool { return !v.Rule.Heals() }) {
				t.Error("the books disagree, or there was too little to do")
			}
		})
	}
}

// TestDSN: what the shop takes, as the drivers have it, and on another database.
func TestDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"root@127.0.0.1:3306/test":              "root@tcp(127.0.0.1:3306)/test",
		"app:p@ss@db:3306/test?loc=Asia%2FTest": "app:p@ss@tcp(db:3306)/test?loc=Asia%2FTest",
		"root@tcp(127.0.0.1:3306)/test":         "root@tcp(127.0.0.1:3306)/test",
	} {
		if got := driverDSN(dsn); got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
	}
	for dsn, want := range map[string]string{
		"postgres://p@a:1,b:2/postgres?sslmode=disable": "postgres://p@a:1,b:2/chaos?sslmode=disable",
		"mysql://root@unix(/run/x.sock)/test":           "mysql://root@unix(/run/x.sock)/chaos",
	} {
		if got := within(dsn, "chaos"); got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
	}
}

// TestAgreed: nodes that hold different books are not one database, and nor are
// those that nobody can read.
func TestAgreed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sums []string
		want bool
	}{
		{[]string{"7 orders"}, true},
		{[]string{"7 orders", "7 orders", "7 orders"}, true},
		{[]string{"7 orders", "7 orders", "6 orders"}, false},
		{[]string{"unread: gone", "unread: gone"}, false},
	} {
		if got := agreed(c.sums); got != c.want {
			t.Errorf("%q: %v, want %v", c.sums, got, c.want)
		}
	}
}
