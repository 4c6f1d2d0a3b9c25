//go:build cgo

package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHandover keeps the scene alive. It fails by itself when a payment is not
// handed over, or twice.
func TestHandover(t *testing.T) {
	t.Parallel()
	out := output(t, "-scenes", "handover", "-orders", "400", "-rounds", "1", "-procs", "2", "-span", "100ms")
	for _, want := range []string{"64 in flight. With Run the rate is ", "\n| without Run | ", "\n| with Run | ", "memory at its peak | ≤ 200 MiB |"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestDrain: it ends when all is handed over, and not when something was twice.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, says string
		owed       int
		want       string
	}{
		{"all", "3 3", 0, ""},
		{"one twice", "3 2", 1, "2 orders were handed over in 3 calls: some more than once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == handedPath {
					_, _ = w.Write([]byte(test.says))
				}
			}))
			t.Cleanup(server.Close)
			got := ""
			owed, err := drain(t.Context(), server.Listener.Addr().String(), 3)
			if err != nil {
				got = err.Error()
			}
			if owed != test.owed || got != test.want {
				t.Errorf("%d owed, %q; want %d, %q", owed, got, test.owed, test.want)
			}
		})
	}
}

// TestHandedCheck: the database must say of every payment that it was handed
// over at the first try.
func TestHandedCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acct, key, err := newAccount()
	if err != nil {
		t.Fatal(err)
	}
	pool, err := newPool(t.Context(), 1, key, acct.SignedAt)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(acct.write(dir), fillFile(t.Context(), dir, 1, acct.SignedAt)); err != nil {
		t.Fatal(err)
	}
	handler, end, err := config{handler: ofKit, folder: dir}.open()
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest("POST", "/pay/notify", strings.NewReader(string(pool[0].body)))
	req.Header = pool[0].header
	handler.ServeHTTP(httptest.NewRecorder(), req)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	h := handed{turn: turn{acknowledged: []string{number(0)}}}
	if err := h.check(t.Context(), dir, ofKit); err != nil {
		t.Errorf("paid: %v", err)
	}
	want := "handed over at the first try: " + number(0) + " was acknowledged, and is not stored"
	if err := h.check(t.Context(), dir, ofRun); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
