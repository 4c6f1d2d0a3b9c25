//go:build cgo

package sqlite_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Payments come about in the order in which their orders were placed. A group
// of them changes rows that lie side by side, in the table as well as in the
// index of appointments, and so writes fewer pages than it has payments.
func TestPaymentsShareThePages(t *testing.T) {
	t.Parallel()
	const orders, group, most = 10_000, 64, 27
	placed := time.Unix(1772600760, 0).UTC()
	path := newPath(t)
	s := open(t, path)
	number := func(i int) string { return fmt.Sprintf("tzxz_%09d", i) }
	var creating []func() error
	for i := range orders {
		at := placed.Add(time.Duration(i) * 100 * time.Microsecond)
		o := newOrder(number(i)).Opened(at, 15*time.Second)
		creating = append(creating, func() error { return s.Create(t.Context(), o) })
		if len(creating) == 100 {
			for _, err := range gather(t, s, creating...) {
				if err != nil {
					t.Fatal(err)
				}
			}
			creating = nil
		}
	}
	writer, _ := s.Handles()
	if _, err := writer.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	var paying []func() error
	for i := range group {
		paying = append(paying, func() error {
			_, err := orderstore.Update(t.Context(), s, number(i), func(o orderstore.Order) (orderstore.Order, bool) {
				next, outcome, err := o.Apply(paymentOf(o, i), placed.Add(6*time.Second))
				return next, err == nil && outcome == orderstore.BecamePaid
			})
			return err
		})
	}
	for _, err := range gather(t, s, paying...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frame = 32, 24 + 4096
	pages := (log.Size() - header) / frame
	t.Logf("%d payments, %d pages", group, pages)
	if pages < 1 || pages > most {
		t.Errorf("%d payments wrote %d pages, want %d at most", group, pages, most)
	}
}
