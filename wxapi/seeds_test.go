package wxapi_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// seeds reads testdata/dir. The first line of each file says where the rest is
// from. An empty folder is a failure: a fuzz target without seeds finds nothing.
func seeds(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txt"))
	if err != nil || len(files) < 4 {
		tb.Fatalf("testdata/%s has %d seeds: %v", dir, len(files), err)
	}
	found := make(map[string][]byte, len(files))
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		origin, body, ok := bytes.Cut(content, []byte("\n"))
		if !ok || !bytes.HasPrefix(origin, []byte("# ")) {
			tb.Fatalf("%s does not say where it is from", name)
		}
		found[filepath.Base(name)] = body
	}
	return found
}
