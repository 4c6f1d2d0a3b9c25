package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// The servers beside whose handler Kit.Run works.
const (
	ofRun    = "kit that runs"
	ofGrowth = "kit that runs and asks"
)

// handedPath is where such a server says which orders it was handed, and how
// often.
const handedPath = "/_load/handed"

// hands are what OnPaid was called with. It takes everything at once.
type hands struct {
	mu    sync.Mutex
	calls int
	of    map[string]struct{}
}

func (h *hands) take(_ context.Context, o orderstore.Order) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	h.of[o.OutTradeNo] = struct{}{}
	return nil
}

// ServeHTTP tells the calls, and the orders that they were about.
func (h *hands) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(w, "%d %d", h.calls, len(h.of))
}

// openRunning opens a kit and lets it run.
func (c config) openRunning() (http.Handler, func() error, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(filepath.Join(c.folder, kitFile))
	if err != nil {
		return nil, nil, err
	}
	taken := &hands{of: make(map[string]struct{})}
	o := a.options(store, slog.New(slog.NewJSONHandler(io.Discard, nil)))
	o.OnPaid = taken.take
	if c.handler == ofGrowth {
		p, err := readPlatform(c.folder)
		if err != nil {
			return nil, nil, errors.Join(err, store.Close())
		}
		o.Merchant.APIBase, o.Now = p.Base, nil
	}
	kit, err := wxpay.New(o)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("POST /pay/notify", kit.Notify())
	mux.Handle("GET "+handedPath, taken)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- kit.Run(ctx) }()
	return mux, func() error { stop(); return errors.Join(<-ended, store.Close()) }, nil
}

// openAttacked opens the kit of that WeChat Pay.
func (c config) openAttacked() (http.Handler, func() error, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, nil, err
	}
	p, err := readPlatform(c.folder)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(filepath.Join(c.folder, kitFile))
	if err != nil {
		return nil, nil, err
	}
	o := a.options(store, slog.New(slog.NewJSONHandler(io.Discard, nil)))
	o.Merchant.PublicKeyID, o.Merchant.PublicKey = "", ""
	o.Merchant.Certificates, o.Merchant.APIBase = []string{p.Certificate}, p.Base
	kit, err := wxpay.New(o)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return kit, store.Close, nil
}
