package wxpay_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeCode: the first Go block of both READMEs is the compiled program.
func TestReadmeCode(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("examples/minimal/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, program, ok := strings.Cut(string(source), "func main() {\n")
	program, _, found := strings.Cut(program, "\n}\n")
	if !ok || !found {
		t.Fatal("examples/minimal/main.go has no func main")
	}
	program = strings.ReplaceAll("\n"+program, "\n\t", "\n")
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, block, ok := strings.Cut(string(text), "```go\n")
		block, _, found := strings.Cut(block, "```")
		if !ok || !found {
			t.Errorf("%s has no Go block", name)
			continue
		}
		if strings.TrimSpace(block) != strings.TrimSpace(program) {
			t.Errorf("the first Go block of %s is not the main of examples/minimal:\n%s\nwant\n%s", name, block, program)
		}
	}
}
