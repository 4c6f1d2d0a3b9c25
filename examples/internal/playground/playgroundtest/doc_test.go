package playgroundtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../../../"

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocCode: the blocks of Go in docs/routers are code that these tests and
// those of the examples run, and both languages show the same.
func TestDocCode(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, pattern := range []string{"*.go", root + "examples/*/main.go", root + "examples/*/main_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			code.WriteString(readFile(t, name))
		}
	}
	shown := make(map[string][]string)
	for _, name := range []string{"docs/routers.md", "docs/routers.zh-CN.md"} {
		for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readFile(t, root+name), -1) {
			shown[name] = append(shown[name], block[1])
			if !contains(code.String(), block[1]) {
				t.Errorf("%s shows what is not in the code:\n%s", name, block[1])
			}
		}
	}
	english, chinese := shown["docs/routers.md"], shown["docs/routers.zh-CN.md"]
	if len(english) < 10 || strings.Join(english, "\n") != strings.Join(chinese, "\n") {
		t.Errorf("%d blocks in English, %d in Chinese, or not the same", len(english), len(chinese))
	}
}

// contains reports whether code has the block, indented as it may be.
func contains(code, block string) bool {
	for range 3 {
		block = "\t" + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n\t") + "\n"
		if strings.Contains(code, block) {
			return true
		}
	}
	return false
}
