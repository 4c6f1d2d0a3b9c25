//go:build cluster

package replicas

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

// galera is a cluster of three nodes; see the script of that name.
type galera struct {
	t   *testing.T
	dir string
}

func startGalera(t *testing.T) galera {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "wxpay-galera-*") // the server's user must get there
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	g := galera{t, dir}
	t.Cleanup(func() { g.do("stop"); _ = os.RemoveAll(dir) })
	g.do("start")
	return g
}

// do runs the script.
func (g galera) do(verb string, node ...string) {
	g.t.Helper()
	cmd := exec.Command("./galera", append([]string{verb, g.dir}, node...)...)
	cmd.Stdout, cmd.Stderr = g.t.Output(), g.t.Output()
	if err := cmd.Run(); err != nil {
		g.t.Fatalf("galera %s %v: %v", verb, node, err)
	}
}

// dsn is node n's, counted from 1.
func (galera) dsn(n int, database string) string {
	conf := mysqldriver.NewConfig()
	conf.User, conf.Net, conf.Addr, conf.DBName, conf.InterpolateParams = "root", "tcp", fmt.Sprint("127.0.0.1:", 13305+n), database, true
	conf.Timeout, conf.ReadTimeout, conf.WriteTimeout = 2*time.Second, 15*time.Second, 15*time.Second
	return conf.FormatDSN()
}

// TestGalera: two nodes are one database to the laws of a store; and with
// processes on all three, of which one node is killed and comes back, no paid
// order is lost and none is handed over twice.
func TestGalera(t *testing.T) {
	g := startGalera(t)
	t.Run("laws", func(t *testing.T) {
		storetest.RunPair(t, func(t *testing.T) (orderstore.Store, orderstore.Store) {
			first := openAt(t, "mysql", g.dsn(1, ""))
			second, err := newStore(t.Context(), "mysql", first.connect(g.dsn(2, first.name())))
			if err != nil {
				t.Fatal(err)
			}
			return first.store, second
		})
	})
	t.Run("a node is killed", func(t *testing.T) { g.loseNode(openAt(t, "mysql", g.dsn(1, ""))) })
}

// name is the database's.
func (s *server) name() string {
	conf, err := mysqldriver.ParseDSN(s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	return conf.DBName
}

// loseNode lets customers pay through all nodes while the third is killed and
// joins again.
func (g galera) loseNode(s *server) {
	t := s.t
	var stores []orderstore.Store
	for n := 1; n <= 3; n++ {
		store, err := newStore(t.Context(), "mysql", s.connect(g.dsn(n, s.name())))
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, store)
		s.startAt(fmt.Sprint("on node ", n), g.dsn(n, s.name()))
	}
	const customers = 6
	told := make([][]string, customers) // orders whose payment was acknowledged
	var failed atomic.Int64
	over, end := context.WithTimeout(t.Context(), 40*time.Second)
	defer end()
	var all sync.WaitGroup
	for c := range customers {
		all.Go(func() {
			for i := 0; over.Err() == nil; i++ {
				number := fmt.Sprintf("tzxz_%d_%05d", c, i)
				if payAnywhere(t, stores, number, &failed) {
					told[c] = append(told[c], number)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	time.Sleep(8 * time.Second)
	g.do("kill", "3")
	time.Sleep(8 * time.Second)
	g.do("join", "3")
	all.Wait()
	paid := 0
	for _, numbers := range told {
		paid += len(numbers)
		for _, number := range numbers {
			if o, err := stores[2].Get(t.Context(), number); err != nil || o.PayStatus != orderstore.Paid {
				t.Errorf("%s was acknowledged as paid, the node that came back says %v, %v", number, o.PayStatus, err)
			}
		}
	}
	s.eventually("every paid order is handed over", 90*time.Second, func() bool {
		return s.count("SELECT count(*) FROM pay_order_record WHERE pay_status = 1 AND handed_over_at IS NULL") == 0
	})
	t.Logf("%d payments acknowledged, %d tries failed", paid, failed.Load())
	if n := s.count("SELECT count(*) FROM pay_order_record WHERE pay_status = 1"); n < int64(paid) || paid < 500 || failed.Load() == 0 {
		t.Errorf("%d orders are paid, %d were acknowledged, %d tries failed", n, paid, failed.Load())
	}
	if n := s.count("SELECT count(*) FROM (SELECT out_trade_no FROM pay_order_event WHERE kind IN ('paid', 'handed_over') GROUP BY out_trade_no, kind HAVING count(*) > 1) twice"); n != 0 {
		t.Errorf("%d orders were paid or handed over twice", n)
	}
}

// payAnywhere places an order and pays it through nodes drawn at random, as
// WeChat repeats a notification: until one of them takes it, ten times at most.
func payAnywhere(t *testing.T, stores []orderstore.Store, number string, failed *atomic.Int64) bool {
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		store := stores[rand.N(len(stores))]
		err := store.Create(ctx, newOrder(number))
		if err == nil || errors.Is(err, orderstore.ErrExists) {
			_, err = orderstore.Update(ctx, store, number, func(o orderstore.Order) (orderstore.Order, bool) {
				next := pay(o)
				return next, next.Changed(o)
			})
		}
		cancel()
		if err == nil {
			return true
		}
		if errors.Is(err, orderstore.ErrNotFound) || strings.Contains(err.Error(), "panic") {
			t.Errorf("%s: %v", number, err)
		}
		failed.Add(1)
		time.Sleep(200 * time.Millisecond)
	}
	return false
}
