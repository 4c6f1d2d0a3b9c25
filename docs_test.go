package wxpay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compiled is the code that the pages may show. Other tests hold own-store,
// routers and tutorials to theirs.
var compiled = []string{
	"example*_test.go", "examples/*/main.go", "orderstore/*/example_test.go", "orderstore/example_test.go", "checkup/example_test.go", "wxapi/example_test.go",
}

// guides are the pages that are read in order. docs/README.md lists them.
var guides = []string{
	"start", "start.zh-CN", "production", "production.zh-CN", "front-ends", "refunds", "reconciliation", "operations", "migrating", "upgrading",
}

// TestGuideCode: each block of Go in the guides is code that is compiled. Those
// between tildes are of libraries that are no part of this module.
func TestGuideCode(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, pattern := range compiled {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			code.WriteString(fileText(t, name))
		}
	}
	blocks := 0
	for _, guide := range guides {
		for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(fileText(t, "docs/"+guide+".md"), -1) {
			blocks++
			if !showsCode(code.String(), block[1]) {
				t.Errorf("docs/%s.md shows what is not in the code:\n%s", guide, block[1])
			}
		}
	}
	if blocks < 10 {
		t.Errorf("only %d blocks of code", blocks)
	}
}

// showsCode reports whether code has the block, indented as it may be.
func showsCode(code, block string) bool {
	for range 4 {
		if strings.Contains(code, block) {
			return true
		}
		block = "\t" + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n\t") + "\n"
		block = strings.ReplaceAll(block, "\n\t\n", "\n\n")
	}
	return false
}

// TestGuidesAreShort, and each is in the index of its language.
func TestGuidesAreShort(t *testing.T) {
	t.Parallel()
	english, chinese := fileText(t, "docs/README.md"), fileText(t, "docs/README.zh-CN.md")
	for _, guide := range guides {
		if n := strings.Count(fileText(t, "docs/"+guide+".md"), "\n"); n > 150 {
			t.Errorf("docs/%s.md has %d lines, nobody reads more than 150", guide, n)
		}
		index := english
		if strings.HasSuffix(guide, ".zh-CN") {
			index = chinese
		}
		if !strings.Contains(index, "("+guide+".md)") {
			t.Errorf("docs/%s.md is in no index", guide)
		}
	}
}

// TestLinks: whatever a page links to is there, with its heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatal(pages, err)
	}
	links := 0
	for _, page := range append(pages, "README.md", "README.zh-CN.md", "llms.txt") {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(fileText(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			path, heading, _ := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if heading != "" && !info.IsDir() && !hasHeading(fileText(t, target), heading) {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links found", links)
	}
}

// hasHeading looks for a heading under the name that a browser finds it by:
// lower case, without punctuation, with hyphens for spaces.
func hasHeading(text, name string) bool {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		slug := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == name {
			return true
		}
	}
	return false
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGuideMetrics: the metrics that the pages name are those of wxprom.
func TestGuideMetrics(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	names, err := filepath.Glob("wxprom/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		code.WriteString(fileText(t, name))
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		for _, metric := range regexp.MustCompile(`wxpay_[a-z_]+`).FindAllString(fileText(t, page), -1) {
			found++
			if !strings.Contains(code.String(), `"`+metric+`"`) {
				t.Errorf("%s names %s, which is no metric", page, metric)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d metrics found", found)
	}
}

// TestEnvironmentIsDocumented: every variable that MerchantFromEnv reads is on
// the pages about production, but those that point at a simulator.
func TestEnvironmentIsDocumented(t *testing.T) {
	t.Parallel()
	variables := regexp.MustCompile(`"(WXPAY_[A-Z0-9_]+)"`).FindAllStringSubmatch(fileText(t, "merchant.go"), -1)
	if len(variables) < 15 {
		t.Fatalf("only %d variables found", len(variables))
	}
	for _, page := range []string{"docs/production.md", "docs/production.zh-CN.md"} {
		for _, v := range variables {
			if v[1] != "WXPAY_API_BASE" && v[1] != "WXPAY_LOGIN_BASE" && !strings.Contains(fileText(t, page), "`"+v[1]+"`") {
				t.Errorf("%s lacks %s", page, v[1])
			}
		}
	}
}
