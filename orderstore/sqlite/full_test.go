//go:build cgo && linux

package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// tinyDisk mounts one of so many bytes. Only root can.
func tinyDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size))
	switch {
	case errors.Is(err, os.ErrPermission):
		t.Skip("nobody but root mounts a disk")
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	return dir
}

// TestDiskFull: a full disk is an error to those whose write does not fit, and
// takes nothing from those who were told that theirs is there. When there is
// room again, the store goes on.
func TestDiskFull(t *testing.T) {
	dir := tinyDisk(t, 2<<20)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 768<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "orders.db")
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := map[string]bool{} // whether Create returned nil
	create := func(s *sqlite.Store, number string) error {
		err := s.Create(t.Context(), newOrder(number))
		if errors.Is(err, orderstore.ErrExists) || errors.Is(err, orderstore.ErrConflict) {
			t.Errorf("%s: a full disk passes for %v", number, err)
		}
		mu.Lock()
		defer mu.Unlock()
		told[number] = err == nil
		return err
	}
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i, full := 0, 0; full < 5 && i < 5000; i++ {
				if create(s, fmt.Sprintf("tzxz_%d_%05d", w, i)) != nil {
					full++
				}
			}
		})
	}
	writers.Wait()
	full := 0
	check := func(s *sqlite.Store, when string) {
		t.Helper()
		full = 0
		for number, stored := range told {
			_, err := s.Get(t.Context(), number)
			if stored != (err == nil) || err != nil && !errors.Is(err, orderstore.ErrNotFound) {
				t.Errorf("%s: %s was acknowledged: %v, and reading it says %v", when, number, stored, err)
			}
			if !stored {
				full++
			}
		}
	}
	check(s, "on the full disk")
	if full == 0 || full == len(told) {
		t.Fatalf("%d of %d writes failed: was the disk ever full?", full, len(told))
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := create(s, "tzxz_room_again"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s, err = sqlite.Open(path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check(s, "opened again")
}
