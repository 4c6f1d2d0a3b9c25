package wxpay_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floats are the fractions that the packages of money may know, and what they
// are of.
var floats = map[string]string{
	"options.go: AskRate": "questions a second",
	"reply.go: in":        "how much a browser likes a language",
}

// TestMoneyIsNeverAFloat: no package through which money goes knows fractions.
// Amounts are fen, in integers, from the wire to the database and to the bill.
func TestMoneyIsNeverAFloat(t *testing.T) {
	t.Parallel()
	unseen := maps.Clone(floats)
	for _, dir := range []string{
		".", "internal/till", "ledger", "orderstore", "orderstore/internal/sqlstore", "orderstore/memory",
		"orderstore/mysql", "orderstore/postgres", "orderstore/sqlite", "worker", "wxapi", "wxapi/apiv2",
	} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, place := range fractions(t, filepath.ToSlash(file)) {
				if floats[place] == "" {
					t.Errorf("%s: a fraction", place)
				}
				delete(unseen, place)
			}
		}
	}
	if len(unseen) > 0 {
		t.Errorf("no longer there: %v", unseen)
	}
}

// fractions are the declarations of a file, and the fields of its structs, in
// which there is a floating-point type, number or conversion.
func fractions(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, decl := range parsed.Decls {
		name := fmt.Sprintf("%T", decl)
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				name = n.Name.Name
			case *ast.TypeSpec:
				name = n.Name.Name
			case *ast.Field:
				if _, function := decl.(*ast.FuncDecl); !function && len(n.Names) > 0 {
					name = n.Names[0].Name
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					places = append(places, file+": "+name)
				}
			case *ast.Ident:
				if slices.Contains([]string{"float32", "float64", "ParseFloat", "FormatFloat", "NewFloat", "NewRat", "Rat"}, n.Name) {
					places = append(places, file+": "+name)
				}
			}
			return true
		})
	}
	return places
}
