//go:build prometheus

package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// noBills fires wherever no bill is compared, which is in most scenes: clear
// heeds it only where it was waited for. A shop that compares in another way
// removes the rule.
const noBills = "WxpayBillNotCompared"

// monitor is a Prometheus that scrapes one target every second.
type monitor struct {
	t     *testing.T
	addr  string
	seen  *record
	last  []string // what fired when it was last asked
	fired []string // what was waited for
}

// watch starts a Prometheus with the scaled rules, and returns when it has
// scraped the target some times: what is broken before them is no increase.
func watch(t *testing.T, target string, seen *record) *monitor {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: Debian has it in the package of that name")
	}
	rules, _ := readRules(t)
	dir := t.TempDir()
	config := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yml]
scrape_configs:
- job_name: shop
  static_configs: [{targets: [%q]}]
`, target)
	for name, text := range map[string]string{"prometheus.yml": config, "alerts.yml": scaled(rules)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := &monitor{t: t, addr: freeAddr(t), seen: seen}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--log.level=warn",
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+m.addr)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	m.await("it is scraped", func([]string) bool { return m.scraped() })
	return m
}

// get asks Prometheus; not ok while it starts.
func (m *monitor) get(path string, into any) (ok bool) {
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, "http://"+m.addr+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
}

func (m *monitor) scraped() bool {
	var answer struct{ Data struct{ Result []any } }
	ask := url.Values{"query": {"count_over_time(wxpay_build_info[10s]) >= 3"}}
	return m.get("/api/v1/query?"+ask.Encode(), &answer) && len(answer.Data.Result) > 0
}

// alert is one of Prometheus' that is not inactive.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// look asks which alerts fire. Each must lead to its own place in the runbook.
func (m *monitor) look() (firing []string, ok bool) {
	var answer struct{ Data struct{ Alerts []alert } }
	if !m.get("/api/v1/alerts", &answer) {
		return nil, false
	}
	for _, a := range answer.Data.Alerts {
		name := a.Labels["alertname"]
		if a.State != "firing" || slices.Contains(firing, name) {
			continue
		}
		firing = append(firing, name)
		if want := "/docs/runbook.md#" + strings.ToLower(name); !strings.HasSuffix(a.Annotations["runbook_url"], want) {
			m.t.Errorf("%s leads to %q", name, a.Annotations["runbook_url"])
		}
		if !slices.Contains(m.last, name) {
			m.t.Logf("%s fires: %s", name, a.Annotations["summary"])
		}
	}
	m.last = firing
	return firing, true
}

// await waits for a state of the alerts.
func (m *monitor) await(what string, reached func(firing []string) bool) {
	m.t.Helper()
	const patience = 2 * time.Minute // of a busy machine; all of it comes within half a minute
	start := time.Now()
	for time.Since(start) < patience {
		if firing, ok := m.look(); ok && reached(firing) {
			m.t.Logf("%s, after %v", what, time.Since(start).Round(time.Second))
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
	m.t.Fatalf("waited in vain: %s; firing %q", what, m.last)
}

// fires does what is to raise the alerts, none of which may fire before, and
// waits until each of them has fired.
func (m *monitor) fires(do func(), want ...string) {
	m.t.Helper()
	m.await(fmt.Sprintf("quiet: %q", want), func(firing []string) bool {
		return !slices.ContainsFunc(firing, func(name string) bool { return slices.Contains(want, name) })
	})
	do()
	missing := slices.Clone(want)
	m.await(fmt.Sprintf("fired: %q", want), func(firing []string) bool {
		missing = slices.DeleteFunc(missing, func(name string) bool { return slices.Contains(firing, name) })
		return len(missing) == 0
	})
	m.fired = append(m.fired, want...)
	m.seen.fire(want)
}

// clear waits until all is well.
func (m *monitor) clear() {
	m.t.Helper()
	m.await("all clear", m.well)
	m.seen.clear(m.fired)
}

// well reports whether nothing fires that should not.
func (m *monitor) well(firing []string) bool {
	return !slices.ContainsFunc(firing, func(name string) bool { return name != noBills || slices.Contains(m.fired, noBills) })
}

func TestWell(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		firing, fired []string
		want          bool
	}{
		{nil, []string{"A"}, true},
		{[]string{"A"}, nil, false},
		{[]string{noBills}, []string{"A"}, true},
		{[]string{noBills}, []string{"A", noBills}, false},
	} {
		m := monitor{fired: test.fired}
		if got := m.well(test.firing); got != test.want {
			t.Errorf("%q fire after %q: %v, want %v", test.firing, test.fired, got, test.want)
		}
	}
}

// TestFires: an alert that fires already is no answer to what is done then.
func TestFires(t *testing.T) {
	t.Parallel()
	const fires = `{"data":{"alerts":[{"state":"firing","labels":{"alertname":"A"},"annotations":{"runbook_url":"/docs/runbook.md#a"}}]}}`
	var asked, done int // one request at a time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if asked <= 2 || done > 0 && asked >= done+2 {
			_, _ = io.WriteString(w, fires)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"alerts":[{"state":"pending","labels":{"alertname":"A"}}]}}`)
	}))
	t.Cleanup(server.Close)
	m := &monitor{t: t, addr: strings.TrimPrefix(server.URL, "http://"), seen: newRecord()}
	m.fires(func() { done = asked }, "A")
	if done != 3 || asked != 5 {
		t.Errorf("it was done after %d looks, and over after %d; want 3 and 5", done, asked)
	}
	if want := []string{"A was not seen to clear"}; !slices.Equal(m.seen.missing([]string{"A"}), want) {
		t.Errorf("seen %q, want %q", m.seen.missing([]string{"A"}), want)
	}
}
