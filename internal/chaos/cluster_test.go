//go:build cluster

package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// servers runs a script of internal/replicas, which has the servers of a
// cluster in a directory of their own, and stops them with the test.
func servers(t *testing.T, script string) (do func(verb string, args ...string) error) {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "wxpay-chaos-*") // the servers' users must get there
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	do = func(verb string, args ...string) error {
		cmd := exec.Command("../replicas/"+script, append([]string{verb, dir}, args...)...)
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s %s: %w", script, verb, err)
		}
		return nil
	}
	t.Cleanup(func() {
		if err := do("stop"); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	if err := do("start"); err != nil {
		t.Fatal(err)
	}
	return do
}

// ruin is a run in which disaster strikes. Nothing may be lost, and nothing be
// done twice.
func ruin(t *testing.T, disaster func() (string, error), args ...string) {
	t.Helper()
	args = append([]string{"-time", "90s", "-settle", "180s", "-least-kills", "20", "-least-paid", "800", "-least-refunds", "80"}, args...)
	conf, err := readFlags(args, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	conf.disaster = disaster
	rep, err := run(t.Context(), conf, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	rep.print(t.Output())
	if rep.failed() {
		t.Error("the books disagree, or there was too little to do")
	}
}

// TestClusterOfMariaDB has a shop on each of three Galera nodes, of which the
// third is killed and joins again.
func TestClusterOfMariaDB(t *testing.T) {
	do := servers(t, "galera")
	var args []string
	for n := 1; n <= 3; n++ {
		args = append(args, "-db", fmt.Sprintf("mysql://root@127.0.0.1:%d/mysql?timeout=2s&readTimeout=15s&writeTimeout=15s", 13305+n))
	}
	ruin(t, func() (string, error) {
		if err := do("kill", "3"); err != nil {
			return "", err
		}
		time.Sleep(12 * time.Second)
		back := time.Now()
		err := do("join", "3")
		return fmt.Sprintf("node 3 was killed, and after 12s took %v to join again", time.Since(back).Round(time.Second/10)), err
	}, args...)
}

// TestClusterOfPostgreSQL kills the primary under all shops, and promotes the
// standby that was synchronous to it.
func TestClusterOfPostgreSQL(t *testing.T) {
	do := servers(t, "standby")
	ruin(t, func() (string, error) {
		killed := time.Now()
		err := do("failover")
		return fmt.Sprintf("the primary was killed, and its standby promoted within %v", time.Since(killed).Round(time.Second/10)), err
	}, "-db", "postgres://postgres@127.0.0.1:15432,127.0.0.1:15433/postgres?sslmode=disable&connect_timeout=2&target_session_attrs=read-write")
}
