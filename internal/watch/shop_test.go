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
	t                        *testing.T
	binary, dir, addr, phone string
	stop                     func()
}

func openShop(t *testing.T, dir string) *shop {
	t.Helper()
	s := &shop{t: t, binary: filepath.Join(dir, "shop"), dir: dir, addr: freeAddr(t)}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, "../../examples/shop")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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

// start opens the shop, or opens it again at the same address.
func (s *shop) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, s.binary, "-addr", s.addr, "-sim-addr", "127.0.0.1:0", "-db", filepath.Join(s.dir, "shop.db"))
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
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "phone" {
			s.phone = words[1]
		} else if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	s.t.Fatal("the shop did not open")
}

// post sends JSON, and returns what is in data of the answer, if it is one of
// the kit's.
func (s *shop) post(url, user, body string) (status int, data map[string]any) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url, strings.NewReader(body))
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

func (s *shop) kit(path string) string { return "http://" + s.addr + "/pay" + path }

// buy places an order; empty when that fails, as it shall at times.
func (s *shop) buy() (outTradeNo string) {
	_, data := s.post(s.kit("/prepay/native"), "xiaoming", `{"goods_id":"vip-month"}`)
	outTradeNo, _ = data["out_trade_no"].(string)
	return outTradeNo
}

// sim asks the simulator for something.
func (s *shop) sim(control, body string) {
	s.t.Helper()
	if status, _ := s.post(s.phone+"_sim/"+control, "", body); status != http.StatusOK {
		s.t.Fatalf("%s %s is answered with %d", control, body, status)
	}
}

func (s *shop) fault(body string) { s.t.Helper(); s.sim("faults", body) }

// mend ends all faults of the simulator.
func (s *shop) mend() {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodDelete, s.phone+"_sim/faults", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
}

// sql runs a statement on the shop's file, beside the shop.
func (s *shop) sql(statement string) {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.dir, "shop.db")+"?_busy_timeout=10000")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// trade buys and pays until ctx ends, as if nothing could go wrong.
func (s *shop) trade(ctx context.Context) {
	for ctx.Err() == nil {
		if no := s.buy(); no != "" {
			s.post(s.phone+"_sim/pay", "", `{"out_trade_no":"`+no+`"}`)
		}
		select {
		case <-ctx.Done():
		case <-time.After(400 * time.Millisecond):
		}
	}
}
