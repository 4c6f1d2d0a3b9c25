package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
)

// meter is what a server counts while it is measured. Path /meter reads it, on
// a connection of its own.
type meter struct {
	mu     sync.Mutex
	counts map[string]int64
}

// What is counted. The time of the processors is in nanoseconds.
const (
	meterCPU       = "cpu"
	meterReads     = "reads"     // of one order, by its number
	meterLists     = "lists"     // of orders
	meterWrites    = "writes"    // new orders and changes
	meterQuestions = "questions" // that WeChat was asked about an order
	meterPrepays   = "prepays"   // that WeChat was asked for
	meterConns     = "conns"     // to WeChat
	meterMost      = "most"      // prepays that WeChat had at once
)

func newMeter() *meter { return &meter{counts: make(map[string]int64)} }

// add counts, and returns the new count.
func (m *meter) add(what string, n int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[what] += n
	return m.counts[what]
}

// atLeast raises a count to n.
func (m *meter) atLeast(what string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[what] = max(m.counts[what], n)
}

func (m *meter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	used, err := cpuTime()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	m.mu.Lock()
	counts := maps.Clone(m.counts)
	m.mu.Unlock()
	counts[meterCPU] = int64(used)
	_ = json.NewEncoder(w).Encode(counts)
}

// metered puts the meter beside a handler.
func metered(m *meter, handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /meter", m)
	mux.Handle("/", handler)
	return mux
}

// readMeter reads the counts of the server at addr.
func readMeter(ctx context.Context, addr string) (map[string]int64, error) {
	var counts map[string]int64
	return counts, getJSON(ctx, "http://"+addr+"/meter", &counts)
}

// getJSON is for what is not measured: its connection is closed.
func getJSON(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is answered %s", url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
