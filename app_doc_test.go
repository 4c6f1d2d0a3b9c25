package wxpay_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// codeBlock finds the fenced blocks of a page, with their language.
var codeBlock = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")

// platforms are the columns of the table of fields, and the languages of the
// blocks that fill them.
var platforms = []struct{ column, lang string }{
	{"Android", "kotlin"}, {"iOS", "swift"}, {"HarmonyOS", "ts"}, {"uni-app", "js"},
}

// TestAppPage holds docs/app.md to what the kit signs for an App: each field
// has its row, and each name in a row is filled from that field in the snippet.
func TestAppPage(t *testing.T) {
	t.Parallel()
	fields := appFields()
	if len(fields) != 7 {
		t.Fatalf("AppPay has %q", fields)
	}
	for _, name := range []string{"docs/app.md", "docs/app.zh-CN.md"} {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows := fieldTable(string(page))
		var named []string
		for _, row := range rows {
			named = append(named, row[0])
		}
		if !slices.Equal(named, fields) {
			t.Errorf("%s: the table has %q, AppPay has %q", name, named, fields)
		}
		for _, row := range rows {
			for i, p := range platforms {
				if !fills(string(page), p.lang, row[i+1], row[0]) {
					t.Errorf("%s: no line for %s fills %s from %s", name, p.column, row[i+1], row[0])
				}
			}
		}
	}
}

// TestAppPageLanguages: the two pages show the same code.
func TestAppPageLanguages(t *testing.T) {
	t.Parallel()
	en, err := os.ReadFile("docs/app.md")
	if err != nil {
		t.Fatal(err)
	}
	zh, err := os.ReadFile("docs/app.zh-CN.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := codeBlock.FindAllString(string(en), -1)
	if len(blocks) != 8 || !slices.Equal(blocks, codeBlock.FindAllString(string(zh), -1)) {
		t.Errorf("docs/app.md has %d blocks of code, and docs/app.zh-CN.md not the same", len(blocks))
	}
}

// appFields are the JSON names of wxcrypto.AppPay, in its order.
func appFields() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[wxcrypto.AppPay]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// fieldTable is the table that begins with data.pay, without its head.
func fieldTable(page string) [][]string {
	_, table, _ := strings.Cut(page, "\n| `data.pay` | Android | iOS | HarmonyOS | uni-app |\n|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for line := range strings.SplitSeq(table, "\n") {
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| "), "|") {
			row = append(row, strings.Trim(cell, " `"))
		}
		if len(row) == len(platforms)+1 {
			rows = append(rows, row)
		}
	}
	return rows
}

// fills reports whether a block in this language fills the SDK's field from
// that of data.pay. "–" is a field that the SDK does not have; uni-app takes all
// of them as they are.
func fills(page, lang, field, from string) bool {
	var code string
	for _, block := range codeBlock.FindAllStringSubmatch(page, -1) {
		if block[1] == lang {
			code += block[2]
		}
	}
	switch {
	case lang == "js":
		return field == from && strings.Contains(code, "orderInfo: data.pay ")
	case field == "–":
		return lang == "swift" && from == "appid" && strings.Contains(code, "WXApi.registerApp(appID")
	}
	line := regexp.MustCompile(`(?m)^\s+(req\.)?` + field + ` = .*\b` + from + `\b`)
	return line.MatchString(code)
}
