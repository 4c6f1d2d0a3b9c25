package wxpay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wxpaykit/wxpay"

// floor is what a package may stand on. Paths of this module are written
// without its own; "." is the root package, and "x/..." is everything below x.
type floor struct {
	pkg   string
	may   []string // packages of this module
	third []string // third parties' modules, anywhere below it; "*" for any
	alone bool     // its tests, too, use nothing else of this module
}

// floors is the law: arrows point down only. A package without a row is a
// fault, and so is a row without a package.
var floors = []floor{
	// ground: the standard library only, strangers to each other
	{pkg: "wxcrypto"},
	{pkg: "orderstore"},
	{pkg: "checkup"},
	// adapters
	{pkg: "internal/lean"},
	{pkg: "wxapi", may: []string{"internal/lean", "wxcrypto"}},
	{pkg: "wxlogin"},
	{pkg: "wxapi/apiv2", may: []string{"wxapi", "wxcrypto"}},
	{pkg: "orderstore/memory", may: []string{"orderstore"}},
	{pkg: "orderstore/internal/sqlstore", may: []string{"orderstore"}},
	{pkg: "orderstore/internal/sqlstoretest", may: []string{"orderstore", "orderstore/storetest"}},
	{pkg: "orderstore/mysql", may: []string{"orderstore", "orderstore/internal/sqlstore"}},
	{pkg: "orderstore/postgres", may: []string{"orderstore", "orderstore/internal/sqlstore"}},
	{
		pkg:   "orderstore/sqlite",
		may:   []string{"orderstore", "orderstore/internal/sqlstore"},
		third: []string{"github.com/mattn/go-sqlite3"},
	},
	{pkg: "orderstore/storetest", may: []string{"orderstore"}},
	// engine
	{pkg: "internal/cashier"},
	{pkg: "internal/flight"},
	{pkg: "internal/seal"},
	{pkg: "internal/probe", may: []string{"checkup", "internal/seal", "wxapi", "wxcrypto"}},
	{pkg: "internal/till", may: []string{"internal/flight", "orderstore", "wxapi", "wxapi/apiv2", "wxcrypto"}},
	{pkg: "worker", may: []string{"internal/flight", "orderstore", "wxapi", "wxcrypto"}},
	{pkg: "ledger", may: []string{"orderstore", "wxapi", "wxcrypto"}},
	// kit: no database driver and no Prometheus
	{
		pkg:   ".",
		may:   []string{"checkup", "internal/cashier", "internal/flight", "internal/probe", "internal/seal", "internal/till", "ledger", "orderstore", "worker", "wxapi", "wxapi/apiv2", "wxcrypto", "wxlogin"},
		third: []string{"github.com/gorilla/mux", "rsc.io/qr"},
	},
	// apart: agrees with the kit only through the wire
	{pkg: "wxsim", alone: true},
	{pkg: "wxsim/cmd/...", may: []string{"wxsim"}, alone: true},
	// beside: kills shops and compares books; it knows the kit only as a process
	{pkg: "internal/chaos", may: []string{"internal/chaos/audit", "wxsim"}, third: []string{"*"}, alone: true}, // the drivers
	{pkg: "internal/chaos/audit", alone: true},
	// beside: sees the alerts fire, on a shop that is a process and on kits in its tests
	{pkg: "internal/watch"},
	// beside: what the stores do together and at size, from outside
	{pkg: "internal/replicas", may: []string{"orderstore", "orderstore/mysql", "orderstore/postgres", "worker"}},
	{
		pkg:   "internal/scale",
		may:   []string{"orderstore", "orderstore/mysql", "orderstore/postgres", "orderstore/sqlite"},
		third: []string{"*"}, // the drivers
	},
	// beside: what the notification path carries, beside other handlers
	{
		pkg:   "internal/load",
		may:   []string{".", "orderstore", "orderstore/memory", "orderstore/mysql", "orderstore/postgres", "orderstore/sqlite", "wxapi", "wxcrypto"},
		third: []string{"*"}, // the drivers
	},
	// rim: third parties live here
	{pkg: "wxprom", may: []string{".", "ledger", "orderstore", "worker", "wxapi", "wxcrypto"}, third: []string{"*"}},
	{pkg: "cmd/...", may: []string{".", "checkup"}, third: []string{"github.com/gorilla/mux", "rsc.io/qr"}},
	{pkg: "examples/...", may: []string{"..."}, third: []string{"*"}},
}

// listed is what go list says of a package.
type listed struct {
	ImportPath   string
	Standard     bool
	Module       struct{ Path string }
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func (p listed) ours() bool { return p.Module.Path == module }

// TestImports holds the packages of this module against the floors.
func TestImports(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Module,Imports,TestImports,XTestImports", "./...")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaints)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for _, fault := range importFaults(all, floors) {
		t.Error(fault)
	}
}

// importFaults is every import that the table does not allow.
func importFaults(all []listed, table []floor) []string {
	known := make(map[string]listed)
	for _, p := range all {
		known[p.ImportPath] = p
	}
	used := make([]bool, len(table))
	var faults []string
	for _, p := range all {
		if !p.ours() {
			continue
		}
		name := shortName(p.ImportPath)
		row := slices.IndexFunc(table, func(f floor) bool { return matches(f.pkg, name) })
		if row < 0 {
			faults = append(faults, name+" has no row in the table of floors")
			continue
		}
		used[row] = true
		faults = append(faults, table[row].faults(p, known)...)
	}
	for i, f := range table {
		if !used[i] {
			faults = append(faults, "no package for the row "+f.pkg)
		}
	}
	return faults
}

func (f floor) faults(p listed, known map[string]listed) []string {
	var faults []string
	name := shortName(p.ImportPath)
	imports := p.Imports
	if f.alone {
		imports = slices.Concat(imports, p.TestImports, p.XTestImports)
	}
	slices.Sort(imports)
	for _, path := range slices.Compact(imports) {
		inside := path == module || strings.HasPrefix(path, module+"/")
		if inside && path != p.ImportPath && !slices.ContainsFunc(f.may, func(may string) bool { return matches(may, shortName(path)) }) {
			faults = append(faults, fmt.Sprintf("%s imports %s", name, shortName(path)))
		}
	}
	for _, third := range thirdParties(p.Imports, known) {
		if !slices.Contains(f.third, third) && !slices.Contains(f.third, "*") {
			faults = append(faults, fmt.Sprintf("%s needs %s", name, third))
		}
	}
	return faults
}

// thirdParties are the modules of others among the imports and below them,
// sorted.
func thirdParties(imports []string, known map[string]listed) []string {
	var modules []string
	seen := make(map[string]bool)
	var visit func(paths []string)
	visit = func(paths []string) {
		for _, path := range paths {
			p, exists := known[path]
			if seen[path] || !exists || p.Standard {
				continue
			}
			seen[path] = true
			if !p.ours() {
				modules = append(modules, p.Module.Path)
			}
			visit(p.Imports)
		}
	}
	visit(imports)
	slices.Sort(modules)
	return slices.Compact(modules)
}

func shortName(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func matches(pattern, name string) bool {
	if prefix, below := strings.CutSuffix(pattern, "..."); below {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// TestImportFaults shows that the law can be broken, and that it is noticed.
func TestImportFaults(t *testing.T) {
	t.Parallel()
	const driver, router = "example.com/driver", "example.com/router"
	// sound is a module that keeps the law.
	sound := func() map[string][]string {
		return map[string][]string{
			"ground": {"fmt"}, "store": {"fmt", "ground"}, "store/sql": {"store", driver + "/wire"}, ".": {"store", router},
			"sim": {"fmt"}, "examples/shop": {".", "sim", "store/sql"},
		}
	}
	table := []floor{
		{pkg: "ground"},
		{pkg: "store", may: []string{"ground"}},
		{pkg: "store/sql", may: []string{"store"}, third: []string{driver}},
		{pkg: ".", may: []string{"ground", "store"}, third: []string{router}},
		{pkg: "sim", alone: true},
		{pkg: "examples/...", may: []string{"..."}, third: []string{"*"}},
	}
	tests := []struct {
		name   string
		change func(map[string][]string)
		want   []string
	}{
		{"the law is kept", func(map[string][]string) {}, nil},
		{"an arrow points up", func(m map[string][]string) { m["ground"] = []string{"store"} }, []string{"ground imports store"}},
		{"an arrow points up to the root", func(m map[string][]string) { m["store"] = []string{"."} }, []string{
			"store imports .", "store needs " + router, "store/sql needs " + router,
		}},
		{"the root imports what stands apart", func(m map[string][]string) { m["."] = []string{"sim"} }, []string{". imports sim"}},
		{"a third party where there may be none", func(m map[string][]string) { m["ground"] = []string{router} }, []string{
			"ground needs " + router, "store needs " + router, "store/sql needs " + router,
		}},
		{"a third party behind another", func(m map[string][]string) { m[router] = []string{driver + "/wire"} }, []string{". needs " + driver}},
		{"a package without a row", func(m map[string][]string) { m["new"] = nil }, []string{"new has no row in the table of floors"}},
		{"a row without a package", func(m map[string][]string) { delete(m, "sim") }, []string{"no package for the row sim"}},
		{"a test of what stands apart", func(m map[string][]string) { m["sim [test]"] = []string{"sim", "ground"} }, []string{"sim imports ground"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			graph := sound()
			test.change(graph)
			if got := importFaults(madeUp(graph), table); !slices.Equal(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
		})
	}
}

// madeUp lists a graph of short names as go list would.
func madeUp(graph map[string][]string) []listed {
	all := []listed{{ImportPath: "fmt", Standard: true}}
	long := func(names []string) []string {
		var paths []string
		for _, name := range names {
			switch {
			case name == ".":
				name = module
			case name != "fmt" && !strings.HasPrefix(name, "example.com/"):
				name = module + "/" + name
			}
			paths = append(paths, name)
		}
		return paths
	}
	for _, third := range []string{"example.com/driver/wire", "example.com/router"} {
		p := listed{ImportPath: third, Imports: graph[third]}
		p.Module.Path = strings.TrimSuffix(third, "/wire")
		all = append(all, p)
	}
	for _, name := range []string{".", "examples/shop", "ground", "new", "sim", "store", "store/sql"} {
		imports, exists := graph[name]
		if !exists {
			continue
		}
		p := listed{ImportPath: long([]string{name})[0], Imports: long(imports), XTestImports: long(graph[name+" [test]"])}
		p.Module.Path = module
		all = append(all, p)
	}
	return all
}
