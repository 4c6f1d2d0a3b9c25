//go:build cgo

package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// childJob names what a second process of this test binary does instead of
// testing.
const childJob = "WXPAY_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch job := os.Getenv(childJob); job {
	case "":
		os.Exit(m.Run())
	case "write":
		err = writeUntilKilled(os.Args[1])
	case "update":
		err = updateShared(os.Args[1])
	default:
		err = fmt.Errorf("no such job: %s", job)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(t *testing.T, job, path string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], path)
	cmd.Env = append(os.Environ(), childJob+"="+job)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// writeUntilKilled writes with many writers for ever, and prints a line for
// each write that returned nil.
func writeUntilKilled(path string) error {
	s, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	const writers = 64
	failed := make(chan error)
	for i := range writers {
		go func() {
			number := fmt.Sprintf("tzxz_%d", i)
			err := s.Create(context.Background(), newOrder(number))
			for err == nil || errors.Is(err, orderstore.ErrExists) {
				var o orderstore.Order
				if o, err = orderstore.Update(context.Background(), s, number, touch); err == nil {
					fmt.Printf("%s %d\n", number, o.Version)
				}
			}
			failed <- err
		}()
	}
	return <-failed
}

// A process that is killed has kept every write it was told was done, and no
// half of one. (A killed process is not a lost power supply: that is what
// synchronous=FULL is for, which TestSettingsHoldOnEveryConnection checks.)
func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	const kills = 6
	path := newPath(t)
	acknowledged := make(map[string]int64)
	for range kills {
		cmd, out := child(t, "write", path)
		lines := bufio.NewScanner(out)
		for left := 1 + rand.N(600); lines.Scan(); left-- {
			var number string
			var version int64
			if _, err := fmt.Sscanf(lines.Text(), "%s %d", &number, &version); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			acknowledged[number] = version
			if left == 0 { // what is still in the pipe is read to its end
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		checkAcknowledged(t, path, acknowledged)
	}
	t.Logf("acknowledged versions: %v", slices.Sorted(maps.Values(acknowledged)))
}

func checkAcknowledged(t *testing.T, path string, acknowledged map[string]int64) {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	defer s.Close()
	if len(acknowledged) == 0 {
		t.Fatal("nothing was written")
	}
	for number, version := range acknowledged {
		o, err := s.Get(t.Context(), number)
		if err != nil || o.Version < version {
			t.Errorf("%s has version %d (%v), acknowledged was %d", number, o.Version, err, version)
		}
		events, err := s.Events(t.Context(), number)
		if err != nil || int64(len(events)) != o.Version || int64(o.HandOverTries) != o.Version-1 {
			t.Errorf("%s has version %d, %d tries, %d events (%v): a write is there by half", number, o.Version, o.HandOverTries, len(events), err)
		}
	}
	var sound string
	writer, _ := s.Handles()
	if err := writer.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity check: %q, %v", sound, err)
	}
}

const updates = 25

func updateShared(path string) error {
	s, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := s.Create(ctx, newOrder("tzxz_shared")); err != nil && !errors.Is(err, orderstore.ErrExists) {
		return err
	}
	for range updates {
		if _, err := orderstore.Update(ctx, s, "tzxz_shared", touch); err != nil {
			return err
		}
	}
	return s.Close()
}

// Replicas on one machine: they create the file together and write one order.
func TestProcessesShareAFile(t *testing.T) {
	t.Parallel()
	const processes = 6
	path := newPath(t)
	var wg sync.WaitGroup
	for range processes {
		cmd, out := child(t, "update", path)
		wg.Go(func() {
			said, _ := io.ReadAll(out)
			if err := cmd.Wait(); err != nil || len(bytes.TrimSpace(said)) > 0 {
				t.Errorf("a process failed: %v %s", err, said)
			}
		})
	}
	wg.Wait()
	s := open(t, path)
	o, err := s.Get(t.Context(), "tzxz_shared")
	if want := int64(1 + processes*updates); err != nil || o.Version != want {
		t.Errorf("the order has version %d (%v), want %d", o.Version, err, want)
	}
	if events, err := s.Events(t.Context(), "tzxz_shared"); err != nil || int64(len(events)) != o.Version {
		t.Errorf("%d events (%v), want %d", len(events), err, o.Version)
	}
}
