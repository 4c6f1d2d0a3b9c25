//go:build cgo

package sqlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// TestCommitted: a transaction is told with how many it served and how many
// waited, once, whether it was committed or not.
func TestCommitted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	s, err := sqlite.OpenWith(filepath.Join(t.TempDir(), "pay.db"), sqlite.Options{
		Committed: func(writes, waiting int, took time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			if took <= 0 {
				t.Errorf("it took %v", took)
			}
			told = append(told, fmt.Sprint(writes, " writes, ", waiting, " waited, failed ", err != nil))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	goods := func(id string) func() error {
		return func() error {
			return s.PutGoods(t.Context(), orderstore.Goods{GoodsID: id, Description: id, Total: 1})
		}
	}
	if errs := gather(t, s, goods("a"), goods("b"), goods("c")); slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		t.Fatal(errs)
	}
	var refuse bool
	onCommit(t, s, func() bool { return refuse })
	refuse = true
	if err := goods("d")(); err == nil {
		t.Error("a commit that was refused is no error")
	}
	want := []string{"3 writes, 2 waited, failed false", "1 writes, 0 waited, failed true"}
	if mu.Lock(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	mu.Unlock()
}
