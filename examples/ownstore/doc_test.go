package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

// walkThroughs are the texts about this example.
var walkThroughs = []string{"../../docs/own-store.md", "../../docs/own-store.zh-CN.md"}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocCode: the blocks of Go and SQL in the text are the compiled code.
func TestDocCode(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, name := range []string{"store.go", "values.go", "schema.sql", "store_test.go"} {
		code.WriteString(readFile(t, name))
	}
	// The example of RunFaulty is in its comment; SQLite has no connections.
	comment := readFile(t, "../../orderstore/storetest/faulty.go")
	code.WriteString(strings.ReplaceAll(comment, "\n//\t", "\n"))
	for _, name := range walkThroughs {
		blocks := regexp.MustCompile("(?s)```(?:go|sql)\n(.*?)```").FindAllStringSubmatch(readFile(t, name), -1)
		if len(blocks) < 10 {
			t.Errorf("%s has only %d blocks of code", name, len(blocks))
		}
		for _, block := range blocks {
			if !strings.Contains(code.String(), block[1]) {
				t.Errorf("%s shows what is not in the code:\n%s", name, block[1])
			}
		}
	}
}

// TestDocCases: the cases that the text names are in the suite.
func TestDocCases(t *testing.T) {
	t.Parallel()
	cases := make(map[string]bool)
	groups := map[string]bool{"Lost": true}
	for _, c := range storetest.Cases() {
		group, _, _ := strings.Cut(c.Name, "/")
		cases[c.Name], groups[group] = true, true
	}
	lost := readFile(t, "../../orderstore/storetest/lost_cases.go")
	for _, name := range walkThroughs {
		found := 0
		for _, m := range regexp.MustCompile("`([A-Z][A-Za-z]+)/[A-Za-z0-9]+`").FindAllStringSubmatch(readFile(t, name), -1) {
			full := strings.Trim(m[0], "`")
			if !groups[m[1]] {
				continue
			}
			found++
			if !cases[full] && !strings.Contains(lost, `"`+full+`"`) {
				t.Errorf("%s names %s, which is no case", name, full)
			}
		}
		if found < 20 {
			t.Errorf("%s names only %d cases", name, found)
		}
	}
}
