package main

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// The command serves, and stops when told to.
func TestRun(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatalf("listen: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, addr, wxsim.Config{Seed: 7}) }()
	var status int
	for begin := time.Now(); status != http.StatusOK && time.Since(begin) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if resp, err := http.Get("http://" + addr + "/_sim/config"); err == nil {
			status = resp.StatusCode
			_ = resp.Body.Close()
		}
	}
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("run: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("run does not stop")
	}
	if err := run(t.Context(), "nowhere:-1", wxsim.Config{Seed: 7}); err == nil {
		t.Error("an impossible address was served")
	}
}
