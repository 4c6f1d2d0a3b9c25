package wxpay_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// never is longer than any test.
const never = time.Hour

// listener is a page that listens to an order.
type listener struct {
	t      testing.TB
	resp   *http.Response
	lines  *bufio.Scanner
	cancel func()
}

// listen opens a stream; it ends with the test.
func (s *shop) listen(no, user string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/pay/orders/"+no+"/live", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-User", user)
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("stream is %s", resp.Status)
	}
	return &listener{s.t, resp, bufio.NewScanner(resp.Body), cancel}
}

// next is the next event's data, or io.EOF when the stream has ended. Comments
// are passed over.
func (l *listener) next() (data string, _ error) {
	var event string
	for l.lines.Scan() {
		switch field, value, _ := strings.Cut(l.lines.Text(), ": "); field {
		case "event":
			event = value
		case "data":
			data = value
		case "":
			if event == "order" {
				return data, nil
			}
		}
	}
	if err := l.lines.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

// order is the next event.
func (l *listener) order() order {
	l.t.Helper()
	data, err := l.next()
	if err != nil {
		l.t.Fatal(err)
	}
	var o order
	if err := json.Unmarshal([]byte(data), &o); err != nil {
		l.t.Fatalf("%v in %q", err, data)
	}
	return o
}

// ends waits for the end of the stream.
func (l *listener) ends() {
	l.t.Helper()
	if data, err := l.next(); err != io.EOF {
		l.t.Fatalf("after the last event: %q, %v", data, err)
	}
}

// TestLive: the order as GET has it at once, and again when it is paid; then
// there is nothing more to say.
func TestLive(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never) // all comes from the notification
	no := s.buy("native", "u1").OutTradeNo
	l := s.listen(no, "u1")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no",
	} {
		if got := l.resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	data, err := l.next()
	if get := s.do("GET", "/pay/orders/"+no, "u1", ""); err != nil || data != string(get.Data) {
		t.Errorf("event %q, %v, want %q", data, err, get.Data)
	}
	s.pay(no)
	if o := l.order(); o.PayStatus != 1 || o.TradeState != "SUCCESS" {
		t.Errorf("after payment: %+v", o)
	}
	l.ends()
	if n := s.sim.Requests("query"); n != 1 {
		t.Errorf("%d queries, want that of the first event", n)
	}
}

// TestLiveAsks: no notification comes, and the page learns of the payment.
func TestLiveAsks(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.AskInterval = 20 * time.Millisecond })
	no := s.buy("native", "u1").OutTradeNo
	l := s.listen(no, "u1")
	l.order()
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	if o := l.order(); o.PayStatus != 1 {
		t.Errorf("after payment: %+v", o)
	}
	l.ends()
}

// TestLivePaidMeanwhile: the notification comes between the moment a stream has
// read the order and the moment of its first event.
func TestLivePaidMeanwhile(t *testing.T) {
	t.Parallel()
	late := new(afterGet)
	s := open(t, func(o *wxpay.Options) { late.Store, o.Store, o.AskInterval = o.Store, late, never })
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	s.status(no) // asked just now: the stream does not ask
	pay := func() { s.pay(no) }
	late.do.Store(&pay)
	l := s.listen(no, "u1")
	if o := l.order(); o.PayStatus != 1 {
		t.Errorf("the first event: %+v", o)
	}
	l.ends()
}

// TestLiveOfAnotherProcess: one that heard of the payment wakes nobody here, but
// the store has it before WeChat may be asked again.
func TestLiveOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.AskInterval = never })
	s.kit.SetLive(20*time.Millisecond, never, never)
	no := s.buy("native", "u1").OutTradeNo
	l := s.listen(no, "u1")
	l.order()
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.AskInterval = time.Nanosecond // the interval is shared: this one does not keep to it
	other := s.serve(newKit(t, o))
	if o := other.do("GET", "/pay/orders/"+no, "u1", "").order(t); o.PayStatus != 1 {
		t.Fatalf("the other process: %+v", o)
	}
	if o := l.order(); o.PayStatus != 1 {
		t.Errorf("after payment: %+v", o)
	}
	if n := s.sim.Requests("query"); n != 2 {
		t.Errorf("%d queries, want one of each process", n)
	}
}

// TestLiveBudget: however many pages listen and poll, WeChat is asked about the
// order once in an interval.
func TestLiveBudget(t *testing.T) {
	t.Parallel()
	const pages, interval, rounds = 50, 100 * time.Millisecond, 5
	s := open(t, func(o *wxpay.Options) { o.AskInterval = interval })
	no := s.buy("native", "u1").OutTradeNo
	start := s.clock.Now()
	listeners := make([]*listener, pages)
	together(pages, func(i int) {
		listeners[i] = s.listen(no, "u1")
		listeners[i].order()
		s.status(no)
	})
	eventually(t, "some rounds", func() bool { s.status(no); return s.sim.Requests("query") >= rounds })
	asked := s.sim.Requests("query")
	if most := 1 + int(s.clock.Now().Sub(start)/interval); asked > most {
		t.Errorf("%d queries, want at most %d", asked, most)
	}
	s.pay(no)
	together(pages, func(i int) {
		if o := listeners[i].order(); o.PayStatus != 1 {
			t.Errorf("page %d: %+v", i, o)
		}
		listeners[i].ends()
	})
}

// TestLiveStale: the page is told when WeChat cannot be asked, and when it can
// be again.
func TestLiveStale(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.AskInterval = 20 * time.Millisecond })
	no := s.buy("native", "u1").OutTradeNo
	l := s.listen(no, "u1")
	if o := l.order(); o.Stale {
		t.Errorf("at first: %+v", o)
	}
	s.sim.Fault(wxsim.Fault{Target: "query", Fault: "status_500"})
	if o := l.order(); !o.Stale || o.PayStatus != 0 {
		t.Errorf("unreachable: %+v", o)
	}
	s.sim.ClearFaults()
	if o := l.order(); o.Stale {
		t.Errorf("reachable again: %+v", o)
	}
}

// TestLiveWhenTheStoreIsDown: the page is told that what it shows may be old.
func TestLiveWhenTheStoreIsDown(t *testing.T) {
	t.Parallel()
	down := new(noGet)
	s := open(t, func(o *wxpay.Options) { down.Store, o.Store, o.AskInterval = o.Store, down, never })
	s.kit.SetLive(20*time.Millisecond, never, never)
	l := s.listen(s.buy("native", "u1").OutTradeNo, "u1")
	if o := l.order(); o.Stale {
		t.Errorf("the first event: %+v", o)
	}
	for _, is := range []bool{true, false} {
		down.is.Store(is)
		if o := l.order(); o.Stale != is {
			t.Errorf("the store is down: %t, the event: %+v", is, o)
		}
	}
}

// noGet is a store that cannot be read while it is down.
type noGet struct {
	orderstore.Store
	is atomic.Bool
}

func (d *noGet) Get(ctx context.Context, no string) (orderstore.Order, error) {
	if d.is.Load() {
		return orderstore.Order{}, errors.New("no connection")
	}
	return d.Store.Get(ctx, no)
}

// TestLiveEnds: of what cannot change there is one event.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never)
	paid, closed := s.buy("native", "u1").OutTradeNo, s.buy("native", "u1").OutTradeNo
	s.pay(paid)
	s.close(closed).order(t)
	for no, want := range map[string]int{paid: 1, closed: 2} {
		l := s.listen(no, "u1")
		if o := l.order(); o.PayStatus != want {
			t.Errorf("%+v, want %d", o, want)
		}
		l.ends()
	}
}

// TestLiveLives: a silent stream gives a sign of life, and ends when its time is
// over.
func TestLiveLives(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, 10*time.Millisecond, 100*time.Millisecond)
	l := s.listen(s.buy("native", "u1").OutTradeNo, "u1")
	raw, err := io.ReadAll(l.resp.Body)
	if err != nil || !strings.HasPrefix(string(raw), "retry: 2000\nevent: order\ndata: {") || !strings.Contains(string(raw), "}\n\n:\n\n") {
		t.Errorf("%q, %v", raw, err)
	}
}

// TestLiveRefuses as GET of the order does, in its envelope.
func TestLiveRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	s.do("GET", "/pay/orders/"+no+"/live", "", "").refused(t, 401, 401, "请先登录")
	s.do("GET", "/pay/orders/"+no+"/live", "u2", "").refused(t, 403, 403, "无权操作该订单")
	s.do("GET", "/pay/orders/20260101000000000/live", "u1", "").refused(t, 404, 404, "订单不存在")
	if r := s.do("HEAD", "/pay/orders/"+no+"/live", "u1", ""); r.status != 200 || r.raw != "" || r.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
	s.listen(no, "admin").order() // may refund it, so may see it
}

// TestLiveNeedsFlush: a middleware that hides the Flusher is no reason to hang.
func TestLiveNeedsFlush(t *testing.T) {
	t.Parallel()
	back := open(t)
	no := back.buy("native", "u1").OutTradeNo
	s := back.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		back.kit.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	s.do("GET", "/pay/orders/"+no+"/live", "u1", "").refused(t, 501, 501, "无法实时推送，请轮询订单状态")
}

// TestLiveOutlivesTheServersDeadlines, which are for answers that end.
func TestLiveOutlivesTheServersDeadlines(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	server := httptest.NewUnstartedServer(s.mux)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	l := s.listen(no, "u1")
	l.order()
	time.Sleep(600 * time.Millisecond) // longer than the deadlines; more is harmless
	s.pay(no)
	if o := l.order(); o.PayStatus != 1 {
		t.Errorf("after payment: %+v", o)
	}
}

// TestLiveShutdown: a server that goes down does not wait for those who listen.
func TestLiveShutdown(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	server.Config.RegisterOnShutdown(s.kit.CloseStreams)
	s.url = server.URL
	l := s.listen(no, "u1")
	l.order()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	l.ends()
}

// TestLiveEndsWithRun: what ends the kit's work ends its streams.
func TestLiveEndsWithRun(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	l := s.listen(no, "u1")
	l.order()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.kit.Run(ctx); err != nil {
		t.Fatal(err)
	}
	l.ends()
	later := s.listen(no, "u1")
	later.order()
	later.ends()
}

// TestLiveGoes: nothing is left of a page that was closed.
func TestLiveGoes(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		s.kit.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	l := s.listen(no, "u1")
	l.order()
	l.cancel()
	<-gone
	if _, err := l.next(); !errors.Is(err, context.Canceled) {
		t.Errorf("the page reads on: %v", err)
	}
}

// TestLiveRequest: a stream is told of when it begins, as a request of any kind.
func TestLiveRequest(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	s := open(t, func(o *wxpay.Options) {
		o.Hooks.Request = func(_ context.Context, i wxpay.RequestInfo) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, i.Endpoint+" "+i.Outcome)
		}
	})
	s.kit.SetLive(never, never, never)
	no := s.buy("native", "u1").OutTradeNo
	s.cashier(no, "u1")
	s.listen(no, "u1").order()
	eventually(t, "the hook", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(told, ", ") == "prepay ok, cashier ok, live ok"
	})
}
