package wxpay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// source answers from the files of the tree, nested modules included.
type source map[string]map[string]bool // what a pattern of files declares

// test finds a test by its package's directory and its name.
func (s source) test(name string) bool {
	dir, test, _ := cutLast(name, ".")
	if dir == "wxpay" {
		dir = "."
	}
	return strings.HasPrefix(test, "Test") && s.declared(dir + "/*_test.go")[test]
}

// code finds a declaration by its file and name: "file.go: Type.Method".
func (s source) code(name string) bool {
	file, declaration, _ := strings.Cut(name, ": ")
	return s.declared(file)[declaration]
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// declared is what the files declare at their top: functions, types and their
// methods and fields, constants and variables.
func (s source) declared(pattern string) map[string]bool {
	if names, known := s[pattern]; known {
		return names
	}
	names := make(map[string]bool)
	files, _ := filepath.Glob(pattern) // a bad pattern declares nothing
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range parsed.Decls {
			declare(names, decl)
		}
	}
	s[pattern] = names
	return names
}

func declare(names map[string]bool, decl ast.Decl) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[receiver(n)+n.Name.Name] = true
			return false
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.TypeSpec:
			names[n.Name.Name] = true
			if fields, ok := n.Type.(*ast.StructType); ok {
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						names[n.Name.Name+"."+name.Name] = true
					}
				}
			}
		}
		return true
	})
}

// receiver is "Type." of a method, and nothing of a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "?."
}
