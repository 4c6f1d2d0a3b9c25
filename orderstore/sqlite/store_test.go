//go:build cgo

package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

var epoch = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// open opens the store at path and closes it with the test.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newPath returns the path of a file that does not exist yet.
func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "orders.db")
}

func newOrder(number string) orderstore.Order {
	return orderstore.Order{
		OutTradeNo: number, UserID: "3cca32f4bb", GoodsID: "vip-month", Description: "1个月会员",
		Total: 100, Currency: orderstore.CNY, Product: orderstore.App,
		MchID: "1900000001", AppID: "wxd678efh567hg6787",
		CreatedAt: epoch, UpdatedAt: epoch,
		Events: []orderstore.Event{{At: epoch, Kind: orderstore.EventCreated}},
	}
}

// touch is a change that leaves exactly one event.
func touch(o orderstore.Order) (orderstore.Order, bool) {
	o.HandOverTries++
	o.Events = append(o.Events, orderstore.Event{At: epoch, Kind: orderstore.EventHandOverFailed})
	return o, true
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) orderstore.Store { return open(t, newPath(t)) })
}

func TestReopenedStoreHasEverything(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for i := range 3 {
		s, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Create(t.Context(), newOrder(fmt.Sprintf("tzxz_%d", i))); err != nil {
			t.Fatal(err)
		}
		for j := range i + 1 {
			number := fmt.Sprintf("tzxz_%d", j)
			o, err := orderstore.Update(t.Context(), s, number, touch)
			if want := int64(i - j + 2); err != nil || o.Version != want {
				t.Fatalf("opened %d times, %s has version %d (%v), want %d", i+1, number, o.Version, err, want)
			}
			if events, err := s.Events(t.Context(), number); err != nil || len(events) != int(o.Version) {
				t.Fatalf("%s has %d events (%v), want %d", number, len(events), err, o.Version)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	_, err := s.Get(t.Context(), "tzxz_1")
	if err == nil || errors.Is(err, orderstore.ErrNotFound) {
		t.Errorf("Get from a closed store: %v", err)
	}
	if err := s.Create(t.Context(), newOrder("tzxz_1")); err == nil {
		t.Error("a closed store takes orders")
	}
}

// To SQLite, a negative limit is none at all.
func TestNegativeLimitReturnsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	o := newOrder("tzxz_1")
	o.NextActionAt, o.PaidAt = epoch, epoch
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if due, err := s.Due(t.Context(), epoch, -1); err != nil || len(due) != 0 {
		t.Errorf("Due with limit -1: %d orders, %v", len(due), err)
	}
	if paid, err := s.Paid(t.Context(), epoch, epoch.Add(time.Second), "", -1); err != nil || len(paid) != 0 {
		t.Errorf("Paid with limit -1: %d orders, %v", len(paid), err)
	}
}

// Sixty-four writers on two handles of one file, on orders of their own and on
// one they share, with readers beside them. Nobody may ever hear "locked".
func TestManyWritersOnTwoHandles(t *testing.T) {
	t.Parallel()
	const writers, writes = 64, 4
	path := newPath(t)
	handles := [...]*sqlite.Store{open(t, path), open(t, path)}
	if err := handles[0].Create(t.Context(), newOrder("tzxz_shared")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			s, own := handles[i%2], fmt.Sprintf("tzxz_own_%d", i)
			if err := s.Create(t.Context(), newOrder(own)); err != nil {
				t.Error(err)
			}
			for range writes {
				for _, number := range []string{own, "tzxz_shared"} {
					if _, err := orderstore.Update(t.Context(), s, number, touch); err != nil {
						t.Error(err)
					}
					if _, err := handles[(i+1)%2].Due(t.Context(), epoch, 10); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, s := range handles {
		o, err := s.Get(t.Context(), "tzxz_shared")
		if want := int64(1 + writers*writes); err != nil || o.Version != want {
			t.Errorf("the shared order has version %d (%v), want %d", o.Version, err, want)
		}
		if events, err := s.Events(t.Context(), "tzxz_shared"); err != nil || int64(len(events)) != o.Version {
			t.Errorf("%d events (%v), want %d", len(events), err, o.Version)
		}
	}
}
