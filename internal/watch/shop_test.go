//go:build prometheus

package watch

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // to break the shop's tables
)

// client is whoever talks to the shop, the simulator and Prometheus.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 20 * time.Second}

// shop is the example shop with its simulator, in a process of its own.
type shop struct {
	t                         *testing.T
	binary, dir, addr, weChat string // addresses of the shop and of its simulator
	stop                      func()
}

// buildShop makes the shop's program.
func buildShop(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "shop")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../examples/shop")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func openShop(t *testing.T, binary string) *shop {
	t.Helper()
	s := &shop{t: t, binary: binary, dir: t.TempDir(), addr: freeAddr(t), weChat: freeAddr(t)}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// freeAddr is an address on loopback that nobody has just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start opens the shop, or opens it again at the same addresses.
func (s *shop) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, s.binary, "-addr", s.addr, "-sim-addr", s.weChat, "-db", filepath.Join(s.dir, "shop.db"))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.stop = func() { cancel(); _ = cmd.Wait() }
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	s.t.Fatal("the shop did not open")
}

// post sends JSON, and returns what is in data of the answer, if it is one of
// the kit's.
func post(ctx context.Context, url, user, body string) (status int, data map[string]any) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "shop_user", Value: user})
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var answer struct{ Data map[string]any }
	_ = json.NewDecoder(bytes.NewReader(raw)).Decode(&answer)
	return resp.StatusCode, answer.Data
}

func (s *shop) post(url, user, body string) (status int, data map[string]any) {
	return post(s.t.Context(), url, user, body)
}

func (s *shop) kit(path string) string { return "http://" + s.addr + "/pay" + path }

// buy places an order; empty when that fails, as it shall at times.
func (s *shop) buy() (outTradeNo string) {
	_, data := s.post(s.kit("/prepay/native"), "xiaoming", `{"goods_id":"vip-month"}`)
	outTradeNo, _ = data["out_trade_no"].(string)
	return outTradeNo
}

func (s *shop) control(name string) string { return "http://" + s.weChat + "/_sim/" + name }

// sim asks the simulator for something.
func (s *shop) sim(name, body string) {
	s.t.Helper()
	if status, _ := s.post(s.control(name), "", body); status != http.StatusOK {
		s.t.Fatalf("%s %s is answered with %d", name, body, status)
	}
}

func (s *shop) fault(body string) { s.t.Helper(); s.sim("faults", body) }

// mend ends all faults of the simulator.
func (s *shop) mend() {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodDelete, s.control("faults"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
}

// file is the shop's database, opened beside the shop.
func (s *shop) file() (*sql.DB, error) {
	return sql.Open("sqlite3", "file:"+filepath.Join(s.dir, "shop.db")+"?_busy_timeout=10000&_txlock=immediate")
}

// sql runs a statement on the shop's file.
func (s *shop) sql(statement string) {
	s.t.Helper()
	db, err := s.file()
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// hold keeps everybody else from writing into the shop's file while it does
// something.
func (s *shop) hold(ctx context.Context, do func()) error {
	db, err := s.file()
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil) // takes the write lock
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	do()
	return nil
}

// pay is the customer who pays. It returns when the notification was sent.
func (s *shop) pay(outTradeNo string) {
	s.post(s.control("pay"), "", `{"out_trade_no":"`+outTradeNo+`"}`)
}

// trade buys and pays until ctx ends, as if nothing could go wrong.
func (s *shop) trade(ctx context.Context) { trade(ctx, s.buy, s.pay) }
