package wxpay

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// catalogues are the pages that list every ending, in both languages.
var catalogues = []string{"docs/errors.md", "docs/errors.zh-CN.md"}

// row is a line of a table in a catalogue.
type row []string

// rowsOf reads the rows of a catalogue that begin with a name: those of six
// cells are problems, those of four are rejections.
func rowsOf(t *testing.T, page string) (problems, rejections []row) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		cells[0] = strings.Trim(cells[0], "`")
		switch len(cells) {
		case 6:
			problems = append(problems, cells)
		case 4:
			rejections = append(rejections, cells)
		default:
			t.Errorf("%s: %d cells: %s", page, len(cells), line)
		}
	}
	return problems, rejections
}

// TestCatalogueOfProblems: every problem that stands in the code has its row in
// both catalogues, with its status, code and texts, and no row is without one.
func TestCatalogueOfProblems(t *testing.T) {
	t.Parallel()
	want := sourceOf(t).problems()
	for _, p := range []problem{missing("{param}"), malformed("{param}")} {
		want = append(want, shown(p))
	}
	slices.Sort(want)
	if len(want) < 40 {
		t.Fatalf("only %d problems found in the code", len(want))
	}
	for _, page := range catalogues {
		var got []string
		problems, _ := rowsOf(t, page)
		for _, r := range problems {
			got = append(got, strings.Join(r[:3], " | "))
		}
		slices.Sort(got)
		differ(t, page, got, want)
	}
}

func shown(p problem) string {
	return fmt.Sprintf("%s | %d / %d | %s · %s", p.name, p.status, p.code, p.zh, p.en)
}

// TestCatalogueOfRejections: every rejection that stands in the code has its row
// in both catalogues, with each status that it can have.
func TestCatalogueOfRejections(t *testing.T) {
	t.Parallel()
	want := sourceOf(t).rejections()
	if len(want) < 15 {
		t.Fatalf("only %d rejections found in the code", len(want))
	}
	for _, page := range catalogues {
		var got []string
		_, rejections := rowsOf(t, page)
		for _, r := range rejections {
			for _, status := range regexp.MustCompile(`\d{3}`).FindAllString(r[1], -1) {
				got = append(got, r[0]+" "+status)
			}
		}
		slices.Sort(got)
		differ(t, page, got, want)
	}
}

// TestCatalogueOfRemedies: what the log advises is what the page says, and it
// advises about nothing that cannot happen.
func TestCatalogueOfRemedies(t *testing.T) {
	t.Parallel()
	problems, rejections := rowsOf(t, catalogues[0])
	for name, c := range map[string]struct {
		rows     []row
		remedies map[string]string
	}{"request": {problems, requestRemedies}, "notification": {rejections, notificationRemedies}} {
		left := maps.Clone(c.remedies)
		for _, r := range c.rows {
			remedy, said := c.remedies[r[0]], r[len(r)-1]
			if remedy != "" && said != remedy {
				t.Errorf("%s %s: the page says %q, the log %q", name, r[0], said, remedy)
			}
			delete(left, r[0])
			status, _ := strconv.Atoi(r[1][:3])
			if status >= 500 && remedy == "" {
				t.Errorf("%s %s is logged as an error, without a remedy", name, r[0])
			}
		}
		for ending := range left {
			t.Errorf("%s %s has a remedy, and no row", name, ending)
		}
	}
}

func differ(t *testing.T, page string, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s lacks %s", page, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s has %s, which is not in the code", page, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d rows, the code %d", page, len(got), len(want))
	}
}

// source is the code of this package.
type source []*ast.File

func sourceOf(t *testing.T) source {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files source
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// literals calls found with the elements of each composite literal of a type,
// and the declaration it stands in.
func (s source) literals(kind string, found func(in ast.Node, elements []ast.Expr)) {
	for _, file := range s {
		for _, in := range file.Decls {
			ast.Inspect(in, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				if id, ok := lit.Type.(*ast.Ident); ok && id.Name == kind {
					found(in, lit.Elts)
				}
				return true
			})
		}
	}
}

// problems are those that are written out, as the catalogue shows them.
func (s source) problems() (all []string) {
	s.literals("problem", func(_ ast.Node, e []ast.Expr) {
		texts := e[3].(*ast.CompositeLit).Elts
		code, _ := strconv.Atoi(e[1].(*ast.BasicLit).Value)
		all = append(all, shown(problem{textOf(e[0]), code, statusOf(e[2]), text{textOf(texts[0]), textOf(texts[1])}}))
	})
	return all
}

// rejections are the names with their statuses, each once. A name that is a
// variable is every text that its function gives the variable.
func (s source) rejections() []string {
	all := make(map[string]bool)
	s.literals("rejection", func(in ast.Node, e []ast.Expr) {
		names := []string{textOf(e[0])}
		if id, ok := e[0].(*ast.Ident); ok {
			names = assigned(in, id.Name)
		}
		for _, name := range names {
			all[fmt.Sprintf("%s %d", name, statusOf(e[1]))] = true
		}
	})
	return slices.Sorted(maps.Keys(all))
}

// assigned are the texts that a variable gets in a declaration.
func assigned(in ast.Node, variable string) (texts []string) {
	ast.Inspect(in, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		if id, ok := a.Lhs[0].(*ast.Ident); ok && id.Name == variable {
			texts = append(texts, textOf(a.Rhs[0]))
		}
		return true
	})
	return texts
}

func textOf(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	return ""
}

// statusOf reads 499 or http.StatusBadRequest.
func statusOf(e ast.Expr) int {
	if lit, ok := e.(*ast.BasicLit); ok {
		status, _ := strconv.Atoi(lit.Value)
		return status
	}
	name := strings.TrimPrefix(e.(*ast.SelectorExpr).Sel.Name, "Status")
	for status := range 600 {
		if text := http.StatusText(status); text != "" && strings.ReplaceAll(text, " ", "") == name {
			return status
		}
	}
	return 0
}
