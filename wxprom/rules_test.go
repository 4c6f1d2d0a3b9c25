package wxprom_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// TestAlertRules lets promtool try every rule: see testdata.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("promtool is missing: Debian has it in the package prometheus")
	case err != nil:
		t.Skip("there is no promtool here: Debian has it in the package prometheus")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "test", "rules", "alerts_test.yml", "alerts_days_test.yml")
	cmd.Dir = "testdata"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var alertName = regexp.MustCompile(`(?m)^  - alert: (\w+)$`)

func alerts(t *testing.T) (rules string, names []string) {
	t.Helper()
	rules = read(t, "alerts.yml")
	for _, m := range alertName.FindAllStringSubmatch(rules, -1) {
		names = append(names, m[1])
	}
	if len(names) < 20 {
		t.Fatalf("found only %q", names)
	}
	return rules, names
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryAlertIsTried: it fires somewhere in the tests of the rules.
func TestEveryAlertIsTried(t *testing.T) {
	t.Parallel()
	_, names := alerts(t)
	tests := read(t, "testdata/alerts_test.yml") + read(t, "testdata/alerts_days_test.yml")
	for _, name := range names {
		if !strings.Contains(tests, `- {labels: '{alertname="`+name+`"}', value: 1}`) {
			t.Errorf("%s never fires in testdata", name)
		}
	}
}

// TestRunbook: each alert says how bad it is and what it means, and leads to
// its own place in the runbook, which has no other.
func TestRunbook(t *testing.T) {
	t.Parallel()
	rules, names := alerts(t)
	var places []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(read(t, "../docs/runbook.md"), -1) {
		places = append(places, m[1])
	}
	if !slices.Equal(places, names) {
		t.Errorf("the runbook has %q, the rules have %q", places, names)
	}
	bodies := alertName.Split(rules, -1)[1:]
	for i, body := range bodies {
		url := "runbook_url: https://github.com/wxpaykit/wxpay/blob/main/docs/runbook.md#" + strings.ToLower(names[i]) + "\n"
		for _, part := range []string{"severity: ", `summary: "`, `description: "`, url} {
			if !strings.Contains(body, part) {
				t.Errorf("%s has no %q", names[i], part)
			}
		}
		if !regexp.MustCompile(`severity: (critical|warning)\n`).MatchString(body) {
			t.Errorf("%s is neither critical nor a warning", names[i])
		}
	}
}

// TestQueries: what the rules and the dashboard ask for exists in a shop that
// has had good days and bad ones, with the labels and values they name.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.trade()
	known := s.series()
	rules, _ := alerts(t)
	queries := map[string][]string{"alerts.yml": {rules}, "dashboard.json": dashboardQueries(t)}
	for file, texts := range queries {
		if len(texts) == 0 {
			t.Errorf("%s has no query", file)
		}
		for _, text := range texts {
			for _, fault := range faultsOf(text, known) {
				t.Errorf("%s: %s", file, fault)
			}
		}
	}
}

// TestQueryFaults shows that a wrong query is noticed.
func TestQueryFaults(t *testing.T) {
	t.Parallel()
	known := map[string]labels{"wxpay_x_total": {"outcome": {"ok", "error"}}, "wxpay_y_seconds_bucket": {"le": nil}}
	for _, test := range []struct{ query, want string }{
		{`sum(rate(wxpay_x_total{outcome=~"ok|error"}[5m]))`, ""},
		{`sum by (le) (rate(wxpay_y_seconds_bucket[5m]))`, ""},
		{`wxpay_z_total`, "wxpay_z_total does not exist"},
		{`wxpay_x_total{what="ok"}`, "wxpay_x_total has no label what"},
		{`wxpay_x_total{outcome!~"ok|eror"}`, `no series of wxpay_x_total has outcome "eror"`},
		{`sum by (product) (wxpay_x_total)`, "wxpay_x_total has no label product"},
	} {
		if got := strings.Join(faultsOf(test.query, known), "; "); got != test.want {
			t.Errorf("%s: %q, want %q", test.query, got, test.want)
		}
	}
}

// labels are the values that each label of a metric has.
type labels map[string][]string

// series is what a scrape would find.
func (s *shop) series() map[string]labels {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	known := make(map[string]labels)
	for _, f := range families {
		all := labels{"instance": nil, "job": nil}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				all[l.GetName()] = append(all[l.GetName()], l.GetValue())
			}
		}
		name := f.GetName()
		known[name] = all
		if strings.HasSuffix(f.GetType().String(), "HISTOGRAM") {
			buckets := labels{"le": nil}
			for label, values := range all {
				buckets[label] = values
			}
			known[name+"_bucket"], known[name+"_sum"], known[name+"_count"] = buckets, all, all
		}
	}
	return known
}

var (
	selector = regexp.MustCompile(`(wxpay_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
	grouping = regexp.MustCompile(`(?:by|without|on) \(([\w, ]*)\)[^w]*?\(.*?(wxpay_\w+)`)
)

// faultsOf are the names in a query that do not exist.
func faultsOf(query string, known map[string]labels) []string {
	var faults []string
	for _, m := range selector.FindAllStringSubmatch(query, -1) {
		have, exists := known[m[1]]
		if !exists {
			faults = append(faults, m[1]+" does not exist")
			continue
		}
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			values, exists := have[l[1]]
			switch {
			case !exists:
				faults = append(faults, m[1]+" has no label "+l[1])
			case strings.HasPrefix(l[3], "$") || values == nil:
			default:
				for v := range strings.SplitSeq(l[3], "|") {
					if !slices.Contains(values, v) && !unborn[v] {
						faults = append(faults, "no series of "+m[1]+" has "+l[1]+` "`+v+`"`)
					}
				}
			}
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if have, exists := known[m[2]]; exists {
				if _, has := have[label]; !has {
					faults = append(faults, m[2]+" has no label "+label)
				}
			}
		}
	}
	return faults
}

// unborn are values of labels that are right, and that this shop never sees:
// outcomes without a need to exist at zero, and codes of API v2.
var unborn = map[string]bool{
	"ignored": true, "passed_on": true, "paid_late": true, "paid_again": true,
	"NOTENOUGH": true, "SIGNERROR": true, "NOAUTH": true,
}

// dashboardQueries are all queries of the dashboard.
func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	var board any
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if expr, ok := v["expr"].(string); ok {
				queries = append(queries, expr)
			}
			for _, below := range v {
				visit(below)
			}
		case []any:
			for _, below := range v {
				visit(below)
			}
		}
	}
	visit(board)
	return queries
}

// TestRunbookQueries runs the SQL of the runbook on the reference store.
func TestRunbookQueries(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pay.db")
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(read(t, "../docs/runbook.md"), -1)
	if len(blocks) < 10 {
		t.Errorf("%d queries", len(blocks))
	}
	for _, block := range blocks {
		rows, err := db.QueryContext(t.Context(), block[1])
		if err != nil {
			t.Errorf("%v in\n%s", err, block[1])
			continue
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
}
