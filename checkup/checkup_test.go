package checkup_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
)

// TestCatalogue: ids are unique and of one form, every finding speaks both
// languages, and whatever is bad has a remedy.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := make(map[string]bool)
	for _, f := range checkup.Catalogue() {
		if !form.MatchString(f.ID) || seen[f.ID] {
			t.Errorf("id %q is not of the form, or there twice", f.ID)
		}
		seen[f.ID] = true
		if f.Says.ZH == "" || f.Says.EN == "" || f.Detail != "" {
			t.Errorf("%s says %+v with detail %q", f.ID, f.Says, f.Detail)
		}
		if f.Severity >= checkup.Warning && (f.Remedy.ZH == "" || f.Remedy.EN == "") {
			t.Errorf("%s is a %s without a remedy", f.ID, f.Severity)
		}
		if strings.ContainsAny(f.Says.EN+f.Remedy.EN, "，。") || strings.Contains(f.Says.EN, "\n") {
			t.Errorf("%s: %q", f.ID, f.Says.EN)
		}
	}
	if len(seen) < 50 {
		t.Errorf("the catalogue has %d findings only", len(seen))
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	if f := checkup.Found("clock-skewed", "+45 s"); f.Severity != checkup.Warning || f.Detail != "+45 s" || f.Says.EN == "" {
		t.Errorf("clock-skewed is %+v", f)
	}
	if f := checkup.Found("no-such-finding", ""); f.Severity != checkup.Error || f.ID != "no-such-finding" {
		t.Errorf("an unknown id is %+v, want an error rather than nothing", f)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := checkup.Report{At: time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC), Took: 1200 * time.Millisecond, Findings: []checkup.Finding{
		checkup.Found("clock-right", ""), checkup.Found("clock-skewed", "+45 s"), checkup.Found("serial-wrong", "two\nlines"), checkup.Found("refunds-off", ""),
	}}
	if err := r.Err(); err == nil || !strings.HasPrefix(err.Error(), "checkup: serial-wrong: WeChat Pay does not know this serial") || strings.Contains(err.Error(), "clock") {
		t.Errorf("Err: %v, want serial-wrong alone", err)
	}
	if got := r.From(checkup.Warning); len(got) != 2 || got[0].ID != "serial-wrong" || got[1].ID != "clock-skewed" {
		t.Errorf("from Warning on: %v, want the worst first", got)
	}
	if len(r.Findings) != 4 || r.Findings[0].ID != "clock-right" || !r.Has("refunds-off") || r.Has("run-missing") {
		t.Errorf("the findings are %v now", r.Findings)
	}
	var zh, en strings.Builder
	if r.Print(&zh, "zh") != nil || r.Print(&en, "en") != nil {
		t.Fatal("Print failed")
	}
	if !strings.HasPrefix(en.String(), "error    serial-wrong\n") || !strings.HasSuffix(en.String(), "1 errors, 1 warnings, 1 notes, 1 fine; took 1.2s\n") || !strings.Contains(en.String(), "(two lines)") {
		t.Errorf("printed\n%s", &en)
	}
	if !strings.HasSuffix(zh.String(), "错误 1，警告 1，提示 1，正常 1；用时 1.2s\n") || !strings.Contains(zh.String(), "→ 用 NTP") {
		t.Errorf("printed\n%s", &zh)
	}
	raw, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(raw), `"id":"clock-skewed","severity":"warning","says":{"zh":`) {
		t.Errorf("as JSON: %s, %v", raw, err)
	}
	if err := (checkup.Report{Findings: []checkup.Finding{checkup.Found("clock-skewed", "")}}).Err(); err != nil {
		t.Errorf("Err of a warning: %v", err)
	}
}
