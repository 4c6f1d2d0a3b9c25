//go:build cluster

package replicas

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// TestStandby kills a PostgreSQL primary while customers pay and promotes its
// synchronous standby: the pools follow by themselves, and nothing that was
// acknowledged is missing.
func TestStandby(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "wxpay-standby-*") // the server's user must get there
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	do := func(verb string) {
		t.Helper()
		cmd := exec.Command("./standby", verb, dir)
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		if err := cmd.Run(); err != nil {
			t.Fatalf("standby %s: %v", verb, err)
		}
	}
	t.Cleanup(func() { do("stop"); _ = os.RemoveAll(dir) })
	do("start")
	// Whichever of the two takes writes is the primary.
	s := openAt(t, "pgx", "host=127.0.0.1,127.0.0.1 port=15432,15433 user=postgres sslmode=disable connect_timeout=2 target_session_attrs=read-write dbname=postgres")
	var stores []orderstore.Store
	for n := range 3 {
		store, err := newStore(t.Context(), "pgx", s.connect(s.dsn))
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, store)
		s.start(fmt.Sprint("replica ", n+1))
	}
	s.survive(stores, s.store, func() { do("failover") })
}
