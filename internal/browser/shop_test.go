package browser_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is a running examples/shop with its simulator.
type shop struct {
	t           *testing.T
	home, phone string // URLs with a slash at the end
}

// program is the shop's binary, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "browser-test")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "shop")
	build := exec.Command("go", "build", "-o", bin, "./examples/shop")
	build.Dir = filepath.Join("..", "..")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return bin, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// openShop starts a shop on free ports and closes it when the test ends.
func openShop(t *testing.T, flags ...string) *shop {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal("build the shop: ", err)
	}
	cmd := exec.Command(bin, append([]string{"-addr", "127.0.0.1:0", "-sim-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "shop.db")}, flags...)...)
	cmd.Env = append(os.Environ(), "WXPAY_MCHID=")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t}
	drained := make(chan struct{})
	t.Cleanup(func() {
		if runtime.GOOS == "windows" {
			_ = cmd.Process.Kill()
		} else {
			_ = cmd.Process.Signal(os.Interrupt)
		}
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("the shop ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the shop's log:\n%s", log.String())
		}
	})
	lines := bufio.NewScanner(out)
	for s.phone == "" && lines.Scan() {
		switch words := strings.Fields(lines.Text()); {
		case len(words) > 1 && words[0] == "shop":
			s.home = words[1]
		case len(words) > 1 && words[0] == "phone":
			s.phone = words[1]
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, out)
	}()
	if s.phone == "" {
		t.Fatal("the shop did not say where it is")
	}
	return s
}

// call sends JSON and decodes the answer; user is who is signed in.
func (s *shop) call(method, url, user string, body, into any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "shop_user", Value: user})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s", method, url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatal(err)
	}
}

// place orders a month without a browser and returns the order's number.
func (s *shop) place(product, user string) string {
	s.t.Helper()
	var placed struct {
		Data struct {
			OutTradeNo string `json:"out_trade_no"`
		} `json:"data"`
	}
	s.call("POST", s.home+"pay/prepay/"+product, user, map[string]string{
		"goods_id": "vip-month", "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		"app_name": "示例", "app_channel": "master", "device": "phone",
	}, &placed)
	return placed.Data.OutTradeNo
}

// pay is the customer paying without a browser.
func (s *shop) pay(no string) {
	s.t.Helper()
	var order any
	s.call("POST", s.phone+"_sim/pay", "", map[string]string{"out_trade_no": no}, &order)
}

// refund is the admin giving all of a month back without a browser.
func (s *shop) refund(no string) {
	s.t.Helper()
	var refund any
	s.call("POST", s.home+"pay/orders/"+no+"/refunds", "admin", map[string]any{"refund": 100, "reason": "不想要了"}, &refund)
}

// refunds is how many refunds WeChat Pay has accepted.
func (s *shop) refunds() int {
	s.t.Helper()
	var done struct{ Refunds []any }
	s.call("GET", s.phone+"_sim/refunds", "", nil, &done)
	return len(done.Refunds)
}

// advance moves WeChat Pay's clock, so that nobody waits for a refund.
func (s *shop) advance(by string) {
	s.t.Helper()
	var clock any
	s.call("POST", s.phone+"_sim/clock", "", map[string]string{"advance": by}, &clock)
}

// fault makes WeChat Pay fail every call of a kind.
func (s *shop) fault(target string) {
	s.t.Helper()
	var faults any
	s.call("POST", s.phone+"_sim/faults", "", map[string]any{"target": target, "fault": "status_500", "rate": 1}, &faults)
}

// accepted is when the shop was told of the event and took note.
func (s *shop) accepted(no, event string) time.Time {
	s.t.Helper()
	var sent struct {
		Notifications []struct {
			OutTradeNo string    `json:"out_trade_no"`
			EventType  string    `json:"event_type"`
			At         time.Time `json:"at"`
			Accepted   bool      `json:"accepted"`
		} `json:"notifications"`
	}
	s.call("GET", s.phone+"_sim/notifications", "", nil, &sent)
	for _, n := range sent.Notifications {
		if n.OutTradeNo == no && n.EventType == event && n.Accepted {
			return n.At
		}
	}
	s.t.Fatalf("no accepted %s of %s in %+v", event, no, sent)
	return time.Time{}
}

// profile is what GET /me says.
type profile struct {
	User     string `json:"user"`
	Grants   int    `json:"grants"`
	VIPUntil string `json:"vip_until"`
}

func (s *shop) me(user string) profile {
	s.t.Helper()
	var me profile
	s.call("GET", s.home+"me", user, nil, &me)
	return me
}
