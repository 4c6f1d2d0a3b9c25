//go:build cgo

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openTestShop opens a WeChat Pay and a kit in this process. What change does to
// WeChat's answers is on their way to the kit.
func openTestShop(t *testing.T, server string, change func(body []byte) []byte) (kit http.Handler, weChat http.Handler) {
	t.Helper()
	c := config{handler: server, folder: t.TempDir()}
	if err := writeStage(c.folder, stage{Orders: 3}); err != nil {
		t.Fatal(err)
	}
	weChat, _, err := c.openWeChat()
	if err != nil {
		t.Fatal(err)
	}
	on := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		weChat.ServeHTTP(rec, r)
		for name := range rec.Header() {
			w.Header().Set(name, rec.Header().Get(name))
		}
		_, _ = w.Write(change(rec.Body.Bytes()))
	}))
	t.Cleanup(on.Close)
	if err := os.WriteFile(filepath.Join(c.folder, weChatFile), []byte(strings.TrimPrefix(on.URL, "http://")), 0o600); err != nil {
		t.Fatal(err)
	}
	kit, shut, err := c.openKit()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shut(); err != nil {
			t.Error(err)
		}
	})
	return kit, weChat
}

// ask sends what a client of the load sends.
func ask(t *testing.T, handler http.Handler, wire []byte) *httptest.ResponseRecorder {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec
}

func counts(t *testing.T, handler http.Handler) map[string]int64 {
	t.Helper()
	var counts map[string]int64
	if err := json.Unmarshal(ask(t, handler, []byte("GET /meter HTTP/1.1\r\nHost: shop\r\n\r\n")).Body.Bytes(), &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

func unchanged(body []byte) []byte { return body }

// TestShopVerifies: a shop that believed every WeChat Pay would have less to do.
func TestShopVerifies(t *testing.T) {
	t.Parallel()
	for _, server := range []string{shopOnMemory, shopOnSQLite} {
		for _, c := range []struct {
			name   string
			change func([]byte) []byte
			status int
		}{
			{"signed", unchanged, http.StatusOK},
			{"changed since", func(body []byte) []byte { return bytes.Replace(body, []byte("wx"), []byte("xw"), 1) }, http.StatusBadGateway},
		} {
			t.Run(server+", "+c.name, func(t *testing.T) {
				t.Parallel()
				kit, weChat := openTestShop(t, server, c.change)
				if rec := ask(t, kit, prepayWire(0)); rec.Code != c.status {
					t.Errorf("answer %d %s, want %d", rec.Code, rec.Body, c.status)
				}
				got := counts(t, weChat)
				if got[meterPrepays] < 1 || got[meterConns] < 1 || got[meterMost] != 1 || got[meterCPU] <= 0 {
					t.Errorf("WeChat Pay counts %v", got)
				}
			})
		}
	}
}

// TestCountedShop: nothing that a page costs is missed. The order is read, and
// claimed for a question; the answer is applied to the order, read again, and
// noted.
func TestCountedShop(t *testing.T) {
	t.Parallel()
	for _, server := range []string{countedOnMemory, countedOnSQLite} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			kit, weChat := openTestShop(t, server, unchanged)
			for _, want := range []map[string]int64{{meterReads: 2, meterWrites: 2}, {meterReads: 3, meterWrites: 2}} {
				rec := ask(t, kit, pageWire(1))
				if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"trade_state":"NOTPAY"`) || strings.Contains(rec.Body.String(), "stale") {
					t.Errorf("answer %d %s", rec.Code, rec.Body)
				}
				got := counts(t, kit)
				if got[meterReads] != want[meterReads] || got[meterWrites] != want[meterWrites] {
					t.Errorf("the shop counts %v, want %v", got, want)
				}
			}
			if n := counts(t, weChat)[meterQuestions]; n != 1 {
				t.Errorf("%d questions", n)
			}
			if rec := ask(t, kit, bytes.ReplaceAll(pageWire(1), []byte(user(1)), []byte(user(2)))); rec.Code != http.StatusForbidden {
				t.Errorf("another's order is answered %d", rec.Code)
			}
		})
	}
}
