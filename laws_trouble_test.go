package wxpay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// faltering is one process's way to the store: it breaks when a test wants it.
type faltering struct {
	orderstore.Store
	h *history

	mu         sync.Mutex
	skip, fail int  // calls that go well, and calls that fail after them
	late       bool // what fails was done, only the word of it is lost
}

var errFalters = errors.New("the connection to the database broke")

func (f *faltering) falter(skip, fail int, late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skip, f.fail, f.late = skip, fail, late
}

func (f *faltering) do(no string, op func() error) error {
	f.mu.Lock()
	fails, late := f.skip == 0 && f.fail > 0, f.late
	if fails {
		f.fail--
	}
	f.skip = max(0, f.skip-1)
	f.mu.Unlock()
	if !fails {
		return op()
	}
	if late {
		_ = op()
	}
	f.h.refusals.Add(1)
	f.h.excuse(no)
	return errFalters
}

// excuse: that an order or a refund was handed over may not have been written
// down, so that it is handed over again.
func (h *history) excuse(no string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.granted[no] > 0 {
		h.excused[no]++
	}
	for id := range h.refunds.returned {
		if id.no == no {
			h.refunds.excused[id]++
		}
	}
}

func (f *faltering) Create(ctx context.Context, o orderstore.Order) error {
	return f.do(o.OutTradeNo, func() error {
		err := f.Store.Create(ctx, o)
		if err == nil {
			f.h.mu.Lock()
			defer f.h.mu.Unlock()
			f.h.numbers = append(f.h.numbers, o.OutTradeNo)
		}
		return err
	})
}

func (f *faltering) Get(ctx context.Context, no string) (o orderstore.Order, err error) {
	err = f.do(no, func() (err error) { o, err = f.Store.Get(ctx, no); return err })
	return o, err
}

func (f *faltering) Save(ctx context.Context, o orderstore.Order) error {
	return f.do(o.OutTradeNo, func() error { return f.Store.Save(ctx, o) })
}

func (f *faltering) Find(ctx context.Context, ref string) (found []orderstore.Order, err error) {
	err = f.do("", func() (err error) { found, err = f.Store.Find(ctx, ref); return err })
	return found, err
}

// road is the way to WeChat. Now and then it is long: a request arrives late,
// and even after whoever sent it has given up; or, where the time is negative,
// the answer comes late.
type road struct {
	http.RoundTripper
	h    *history
	mu   sync.Mutex
	long []time.Duration // of the next requests
}

func (r *road) lengthen(long ...time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.long = long
}

func (r *road) RoundTrip(req *http.Request) (*http.Response, error) {
	defer r.h.watch(req)()
	r.mu.Lock()
	var long time.Duration
	if len(r.long) > 0 {
		long, r.long = r.long[0], r.long[1:]
	}
	r.mu.Unlock()
	if long <= 0 {
		resp, err := r.RoundTripper.RoundTrip(req)
		time.Sleep(-long)
		return resp, err
	}
	select {
	case <-time.After(long):
		return r.RoundTripper.RoundTrip(req)
	case <-req.Context().Done():
	}
	late := req.Clone(context.WithoutCancel(req.Context()))
	late.Body, _ = req.GetBody()
	go func() {
		time.Sleep(long / 2)
		if resp, err := r.RoundTripper.RoundTrip(late); err == nil {
			_ = resp.Body.Close()
		}
	}()
	return nil, req.Context().Err()
}

// watch counts the calls under way. While somebody waits for the answer to an
// application for a refund, nobody may send another.
func (h *history) watch(req *http.Request) (answered func()) {
	call := req.URL.Path
	applies := req.Method == http.MethodPost && strings.HasSuffix(call, "/refunds")
	if applies {
		body, _ := req.GetBody()
		text, _ := io.ReadAll(body)
		call = string(text)
	}
	count := func(n int) int {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calling[call] += n
		return h.calling[call]
	}
	if count(1) > 1 && applies {
		h.violate("law 4: two at the same time apply for %s", call)
	}
	return func() { count(-1) }
}

func (r *road) CloseIdleConnections() {
	if c, ok := r.RoundTripper.(*http.Transport); ok {
		c.CloseIdleConnections()
	}
}
