//go:build prometheus

package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// prometheus is a server that scrapes every second.
type prometheus struct {
	t    *testing.T
	addr string
	seen map[string]bool // every alert that has fired
}

func startPrometheus(t *testing.T, dir, target string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: Debian has it in the package of that name")
	}
	rules, err := os.ReadFile("../../wxprom/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yml]
scrape_configs:
- job_name: shop
  static_configs: [{targets: [%q]}]
`, target)
	for name, text := range map[string]string{"prometheus.yml": config, "alerts.yml": scaled(string(rules))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &prometheus{t: t, addr: freeAddr(t), seen: make(map[string]bool)}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--log.level=warn",
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+p.addr)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return p
}

// get asks Prometheus; not ok while it starts.
func (p *prometheus) get(path string, into any) bool {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
}

// scraped reports whether there are some scrapes: what is broken before them
// is no increase.
func (p *prometheus) scraped() bool {
	var answer struct{ Data struct{ Result []any } }
	ask := url.Values{"query": {"count_over_time(wxpay_build_info[10s]) >= 3"}}
	return p.get("/api/v1/query?"+ask.Encode(), &answer) && len(answer.Data.Result) > 0
}

// firing are the alerts that fire now.
func (p *prometheus) firing() (names []string) {
	var answer struct {
		Data struct {
			Alerts []struct {
				Labels, Annotations map[string]string
				State               string
			}
		}
	}
	if !p.get("/api/v1/alerts", &answer) {
		return []string{"Prometheus does not answer"}
	}
	for _, a := range answer.Data.Alerts {
		name := a.Labels["alertname"]
		if a.State != "firing" {
			continue
		}
		if want := "#" + strings.ToLower(name); !strings.HasSuffix(a.Annotations["runbook_url"], want) {
			p.t.Errorf("%s leads to %q", name, a.Annotations["runbook_url"])
		}
		if names = append(names, name); !p.seen[name] {
			p.seen[name] = true
			p.t.Logf("%s fires: %s", name, a.Annotations["summary"])
		}
	}
	return names
}

// await waits for a state of the alerts.
func (p *prometheus) await(what string, ok func(firing []string) bool) {
	p.t.Helper()
	start := time.Now()
	var last []string
	for time.Since(start) < 90*time.Second {
		before := last
		if last = p.firing(); ok(last) {
			p.t.Logf("%s after %v; just before %q", what, time.Since(start).Round(time.Second), before)
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
	p.t.Fatalf("waited in vain: %s; firing %q", what, last)
}

// fire waits until each of them has fired at some time since.
func (p *prometheus) fire(want ...string) {
	p.t.Helper()
	missing := slices.Clone(want)
	p.await(fmt.Sprintf("fired: %q", want), func(firing []string) bool {
		missing = slices.DeleteFunc(missing, func(name string) bool { return slices.Contains(firing, name) })
		return len(missing) == 0
	})
}

// clear waits until none fires.
func (p *prometheus) clear() {
	p.t.Helper()
	p.await("all clear", func(firing []string) bool { return len(firing) == 0 })
}

// TestAlerts breaks the shop in the ways that the simulator and the database
// allow, sees the alerts fire, mends it, and sees all of them clear. The kit
// goes at its own pace: an order that WeChat does not close, a certificate or a
// bill would take longer than this test may, and are left to promtool.
func TestAlerts(t *testing.T) {
	dir := t.TempDir()
	s := openShop(t, dir)
	p := startPrometheus(t, dir, s.addr)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer func() { cancel(); work.Wait() }()
	work.Go(func() { s.trade(ctx) })

	p.await("it is scraped", func([]string) bool { return p.scraped() })
	p.clear()

	refunded := s.buy()
	s.sim("pay", `{"out_trade_no":"`+refunded+`"}`)
	s.sql(`ALTER TABLE grants RENAME TO grants_away`) // OnPaid fails
	s.fault(`{"target":"notify","fault":"wrong_amount","count":1}`)
	s.sim("refunds/decide", `{"out_refund_no":"","status":"ABNORMAL"}`)
	s.post(s.kit("/orders/"+refunded+"/refunds"), "admin", `{"refund":100,"out_refund_no":"refund-1"}`)
	s.sim("clock", `{"advance":"5s"}`)
	storm, calm := context.WithCancel(ctx)
	work.Go(func() {
		for storm.Err() == nil {
			s.post(s.kit("/notify"), "", `{}`)
			time.Sleep(50 * time.Millisecond)
		}
	})
	p.fire(
		"WxpayMoneyAnomaly", "WxpayNotificationsRefused", "WxpayRefundNeedsPerson", "WxpayForgedNotifications",
		"WxpayOnPaidFailing", "WxpayPaidNotHandedOver",
	)
	calm()
	s.mend()
	s.sql(`ALTER TABLE grants_away RENAME TO grants`)

	s.fault(`{"target":"notify","fault":"drop"}`)
	s.fault(`{"target":"prepay","fault":"slow","delay":"3s"}`)
	p.fire("WxpayNotificationsLost", "WxpayWeChatSlow")
	s.mend()

	s.fault(`{"target":"prepay","fault":"status_500","rate":0.8}`)
	s.fault(`{"target":"prepay","fault":"unsigned"}`) // where the other does not strike
	p.fire("WxpayPrepayFailing", "WxpayWeChatNotVerified", "WxpayWeChatUnreachable")
	s.mend()

	s.sql(`ALTER TABLE pay_order_record RENAME TO away`)
	p.fire("WxpayStoreErrors")
	s.sql(`ALTER TABLE away RENAME TO pay_order_record`)
	p.clear()

	s.stop()
	p.fire("WxpayAbsent")
	s.start()
	p.clear()
}
