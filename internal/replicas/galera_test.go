//go:build cluster

package replicas

import (
	"fmt"
	"os"
	"os/exec"
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
	var stores []orderstore.Store
	for n := 1; n <= 3; n++ {
		store, err := newStore(s.t.Context(), "mysql", s.connect(g.dsn(n, s.name())))
		if err != nil {
			s.t.Fatal(err)
		}
		stores = append(stores, store)
		s.startAt(fmt.Sprint("on node ", n), g.dsn(n, s.name()))
	}
	s.survive(stores, stores[2], func() { // the one that comes back must know everything
		g.do("kill", "3")
		time.Sleep(8 * time.Second)
		g.do("join", "3")
	})
}
