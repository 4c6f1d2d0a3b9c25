package main

import (
	"path/filepath"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) orderstore.Store { return open(t, filepath.Join(t.TempDir(), "own.db")) })
}

// Two processes have the file open.
func TestTwoStores(t *testing.T) {
	t.Parallel()
	storetest.RunPair(t, func(t *testing.T) (a, b orderstore.Store) {
		path := filepath.Join(t.TempDir(), "own.db")
		return open(t, path), open(t, path)
	})
}

// open opens the store in the file at path and closes it with the test.
func open(t *testing.T, path string) *Store {
	t.Helper()
	db, err := openDB(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(db)
}
