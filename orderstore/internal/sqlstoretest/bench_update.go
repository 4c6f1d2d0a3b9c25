package sqlstoretest

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// oneByOne is a store that hides its own way to update an order.
type oneByOne struct{ Store }

// BenchmarkUpdates pays b.N orders one by one and as many by the store's own
// way, with so many payments in flight. It takes turns, so that what else the
// machine does meets both alike: "times" says how much quicker the own way is.
func BenchmarkUpdates(b *testing.B, s Server) {
	const pool = 20 // as the packages' documentation has it
	_, name := s.database(b, s.Fast)
	db := s.Connect(b, s.Addr, name, s.Fast)
	db.SetMaxOpenConns(pool)
	db.SetMaxIdleConns(pool)
	store := s.open(b, db, Options{})
	s.fill(b, db, store)
	created := 0
	for _, inFlight := range []int{1, 2, 4, 8, 16, 24, 64} {
		b.Run(fmt.Sprint(inFlight, " in flight"), func(b *testing.B) {
			ways := [...]orderstore.Store{oneByOne{store}, store}
			var took [len(ways)]time.Duration
			for done := 0; done < b.N; {
				n := min(b.N-done, 32*inFlight)
				for i, way := range ways {
					b.StopTimer()
					each(inFlight, n, func(i int) { create(b, store, NewOrder(fmt.Sprint("tzxz_", created+i))) })
					b.StartTimer()
					began := time.Now()
					each(inFlight, n, func(i int) { pay(b, way, fmt.Sprint("tzxz_", created+i)) })
					took[i] += time.Since(began)
					created += n
				}
				done += n
			}
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "alone/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "together/s")
			b.ReportMetric(float64(took[0])/float64(took[1]), "times")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fill puts a hundred thousand orders into the tables: with a few, databases
// read all of them rather than look for some.
func (s Server) fill(b *testing.B, db *sql.DB, store Store) {
	const doublings = 17
	create(b, store, NewOrder("tzxz_fill"))
	for i := range doublings {
		for _, table := range []string{"pay_order_record", "pay_order_event"} {
			rows, err := db.Query("SELECT * FROM " + table + " WHERE 1 = 0")
			if err != nil {
				b.Fatal(err)
			}
			columns, err := rows.Columns()
			if err := errors.Join(err, rows.Close()); err != nil {
				b.Fatal(err)
			}
			all := strings.Join(columns, ", ")
			others := strings.Replace(all, "out_trade_no", fmt.Sprintf("concat('%c', out_trade_no)", 'a'+i), 1)
			run(b, db, "INSERT INTO "+table+" ("+all+") SELECT "+others+" FROM "+table)
		}
	}
	s.Analyze(b, db)
}

// pay makes the order a paid one, as a notification does.
func pay(b *testing.B, s orderstore.Store, number string) {
	_, err := orderstore.Update(b.Context(), s, number, func(o orderstore.Order) (orderstore.Order, bool) {
		return paid(b, o), true
	})
	if err != nil {
		b.Error(err)
	}
}

// each calls do for 0 to n-1, so many at once.
func each(inFlight, n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(int(i - 1))
			}
		})
	}
	wg.Wait()
}
