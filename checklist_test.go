package wxpay_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/checkup"
)

// checklistIDs are the rows that docs/checklist.md must have, in its order.
const checklistIDs = `L1 L1a L1b L1c L2 L2a L2b L3 L3a L3b L3c L3d
S1 S2 B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12 B13 G1 G2 G3 G4 G5
R1 R2 R3 R4
P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19 P20 P21
N1 N2 N3 N4 N5 N6 N7 N8 N9`

// checklistRow is one row of the page, with what stands in backquotes there.
type checklistRow struct {
	id, held              string
	findings, code, tests []string
}

var (
	rowID  = regexp.MustCompile(`^[A-Z][0-9]+[a-d]?$`)
	quoted = regexp.MustCompile("`([^`]+)`")
)

// readChecklist returns the rows of all tables whose first cell is an id.
func readChecklist(page string) []checklistRow {
	names := func(cell string) (all []string) {
		for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
			all = append(all, match[1])
		}
		return all
	}
	var rows []checklistRow
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 2 || !rowID.MatchString(strings.TrimSpace(cells[1])) {
			continue
		}
		row := checklistRow{id: strings.TrimSpace(cells[1])}
		if len(cells) == 9 { // with the empty ones outside
			row.held, row.findings = strings.TrimSpace(cells[4]), names(cells[4])
			row.code, row.tests = names(cells[6]), names(cells[7])
		}
		rows = append(rows, row)
	}
	return rows
}

// evidence answers whether what a row names is there.
type evidence struct{ code, test, finding func(name string) bool }

// faults is everything that is wrong with the rows.
func (e evidence) faults(rows []checklistRow) []string {
	var faults, ids []string
	for _, row := range rows {
		ids = append(ids, row.id)
		for _, fault := range row.faults() {
			faults = append(faults, row.id+": "+fault)
		}
		for _, kind := range []struct {
			of    string
			names []string
			there func(string) bool
		}{{"code", row.code, e.code}, {"test", row.tests, e.test}, {"finding", row.findings, e.finding}} {
			for _, name := range kind.names {
				if !kind.there(name) {
					faults = append(faults, fmt.Sprintf("%s: there is no %s %q", row.id, kind.of, name))
				}
			}
		}
	}
	if want := strings.Fields(checklistIDs); !slices.Equal(ids, want) {
		faults = append(faults, fmt.Sprintf("the rows are %q, want %q", ids, want))
	}
	return faults
}

// faults holds the row against what its holders owe.
func (row checklistRow) faults() (faults []string) {
	construction := strings.Contains(row.held, "by construction")
	configuration := strings.Contains(row.held, "by configuration")
	if !construction && !configuration && row.held != "yours" && row.held != "not held" {
		faults = append(faults, "nobody holds it")
	}
	if construction && (len(row.code) == 0 || len(row.tests) == 0) {
		faults = append(faults, "held by construction without code and a test")
	}
	if configuration && (len(row.findings) == 0 || len(row.tests) == 0) {
		faults = append(faults, "held by configuration without a finding and a test")
	}
	return faults
}

// findings are the ids of what a self-check can find.
func findings() map[string]bool {
	ids := make(map[string]bool)
	for _, f := range checkup.Catalogue() {
		ids[f.ID] = true
	}
	return ids
}

// TestChecklist holds docs/checklist.md to the tree.
func TestChecklist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	tree, known := make(source), findings()
	e := evidence{tree.code, tree.test, func(id string) bool { return known[id] }}
	for _, fault := range e.faults(readChecklist(string(page))) {
		t.Error(fault)
	}
}

// TestChecklistFaults shows that the page can be wrong, and that it is noticed.
func TestChecklistFaults(t *testing.T) {
	t.Parallel()
	const head = "| id | what | weight | held | how | code | tests |\n|---|---|---|---|---|---|---|\n"
	good := head
	for _, id := range strings.Fields(checklistIDs) {
		good += "| " + id + " | x | y | by construction | z | `declared_test.go: source.code` | `wxpay.TestChecklist` |\n"
	}
	const l1 = "| L1 | x | y | by construction | z | `declared_test.go: source.code` | `wxpay.TestChecklist` |"
	tree, known := make(source), map[string]bool{"clock-right": true}
	e := evidence{tree.code, tree.test, func(id string) bool { return known[id] }}
	for name, c := range map[string]struct {
		row  string
		want []string
	}{
		"as it was":          {l1, nil},
		"yours":              {"| L1 | x | y | yours | z | | |", nil},
		"not held":           {"| L1 | x | y | not held | z | | |", nil},
		"configuration":      {"| L1 | x | y | by configuration (`clock-right`), yours | z | | `wxpay.TestChecklist` |", nil},
		"nested":             {strings.Replace(l1, "wxpay.TestChecklist", "examples/gin.TestConform", 1), nil},
		"field":              {strings.Replace(l1, "declared_test.go: source.code", "checklist_test.go: checklistRow.held", 1), nil},
		"no holder":          {strings.Replace(l1, "by construction", "", 1), []string{"L1: nobody holds it"}},
		"a cell less":        {"| L1 | x | y | yours | z |", []string{"L1: nobody holds it"}},
		"no test":            {strings.Replace(l1, "`wxpay.TestChecklist`", "", 1), []string{"L1: held by construction without code and a test"}},
		"no finding":         {strings.Replace(l1, "construction", "configuration", 1), []string{"L1: held by configuration without a finding and a test"}},
		"test that is gone":  {strings.Replace(l1, "TestChecklist", "TestGone", 1), []string{`L1: there is no test "wxpay.TestGone"`}},
		"test elsewhere":     {strings.Replace(l1, "wxpay.", "wxapi.", 1), []string{`L1: there is no test "wxapi.TestChecklist"`}},
		"no test at all":     {strings.Replace(l1, "TestChecklist", "findings", 1), []string{`L1: there is no test "wxpay.findings"`}},
		"file that is gone":  {strings.Replace(l1, "declared_test.go", "gone.go", 1), []string{`L1: there is no code "gone.go: source.code"`}},
		"method of another":  {strings.Replace(l1, "source.code", "evidence.code", 1), []string{`L1: there is no code "declared_test.go: evidence.code"`}},
		"finding gone":       {"| L1 | x | y | by configuration (`clock-left`) | z | | `wxpay.TestChecklist` |", []string{`L1: there is no finding "clock-left"`}},
		"row that is gone":   {"", []string{"the rows are"}},
		"row that is double": {l1 + "\n" + l1, []string{"the rows are"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := e.faults(readChecklist(strings.Replace(good, l1, c.row, 1)))
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("faults %q, want %q", got, c.want)
			}
		})
	}
}
