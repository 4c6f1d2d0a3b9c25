//go:build !cgo

package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

func TestOpenWithoutCgoSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "orders.db"))
	if s != nil || err == nil {
		t.Fatalf("Open = %v, %v", s, err)
	}
	for _, word := range []string{"CGO_ENABLED=1", "C compiler"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %s: %v", word, err)
		}
	}
}
