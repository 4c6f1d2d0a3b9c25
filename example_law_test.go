package wxpay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plain are the methods that every Go programmer knows without an example.
var plain = []string{"String", "Format", "LogValue", "MarshalText", "Error", "Is", "Unwrap", "ServeHTTP"}

// TestExamples: every exported verb of these packages has an example under its
// own name, so that pkg.go.dev shows it beside the verb. The methods of a client
// may share one of the whole type.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "wxlogin", "checkup", "wxapi/apiv2"} {
		verbs, examples := verbsOf(t, dir)
		if len(verbs) < 3 {
			t.Errorf("%s: only %d verbs found", dir, len(verbs))
		}
		for _, verb := range verbs {
			shown := func(name string) bool {
				return name == verb || strings.HasPrefix(name, verb+"_") || name == "Client" && strings.HasPrefix(verb, "Client_")
			}
			if !slices.ContainsFunc(examples, shown) {
				t.Errorf("%s: no Example%s", dir, verb)
			}
		}
	}
}

// verbsOf are the exported functions and methods of a package, Type_Method as
// examples are named, and its examples without that word.
func verbsOf(t *testing.T, dir string) (verbs, examples []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			example, is := strings.CutPrefix(f.Name.Name, "Example")
			switch verb := verbOf(f); {
			case strings.HasSuffix(name, "_test.go") && is:
				examples = append(examples, example)
			case !strings.HasSuffix(name, "_test.go") && verb != "":
				verbs = append(verbs, verb)
			}
		}
	}
	return verbs, examples
}

// verbOf is the name of an exported function or method, or "".
func verbOf(f *ast.FuncDecl) string {
	if !f.Name.IsExported() || slices.Contains(plain, f.Name.Name) {
		return ""
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if id, ok := receiver.(*ast.Ident); ok && id.IsExported() {
		return id.Name + "_" + f.Name.Name
	}
	return ""
}
