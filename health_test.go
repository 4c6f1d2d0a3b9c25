package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// moody is a store that can be down or hang, and counts who asks.
type moody struct {
	orderstore.Store
	mood atomic.Value // "", "down", "hangs", "ghost" or "panics"
	gets atomic.Int64

	release chan struct{} // ends the hanging
}

func newMoody(t *testing.T) *moody {
	t.Helper()
	m := &moody{release: make(chan struct{})}
	m.mood.Store("")
	t.Cleanup(func() { close(m.release) })
	return m
}

func (m *moody) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	m.gets.Add(1)
	switch m.mood.Load() {
	case "down":
		return orderstore.Order{}, errors.New("connection refused at secret-host")
	case "hangs":
		<-m.release // and heeds no ctx
	case "ghost":
		return orderstore.Order{}, nil
	case "panics":
		panic("no map")
	}
	return m.Store.Get(ctx, outTradeNo)
}

// probe asks a handler as an orchestrator does.
func probe(t testing.TB, h http.Handler) (int, map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return w.Code, body
}

func TestReady(t *testing.T) {
	t.Parallel()
	ready := func(status, store, keys, run string) map[string]string {
		return map[string]string{"status": status, "store": store, "keys": keys, "run": run}
	}
	tests := []struct {
		name   string
		mood   string
		conf   wxsim.Config
		change func(*wxpay.Options)
		idle   bool
		v2     bool
		fault  string
		code   int
		want   map[string]string
	}{
		{name: "in order", code: 200, want: ready("ready", "ok", "ok", "ok")},
		{name: "store is down", mood: "down", code: 503, want: ready("not_ready", "failed", "ok", "ok")},
		{name: "store hangs", mood: "hangs", code: 503, want: ready("not_ready", "failed", "ok", "ok")},
		{name: "store finds what is not there", mood: "ghost", code: 503, want: ready("not_ready", "failed", "ok", "ok")},
		{name: "store panics", mood: "panics", code: 503, want: ready("not_ready", "failed", "ok", "ok")},
		{name: "Run does not run", idle: true, code: 503, want: ready("not_ready", "ok", "ok", "stopped")},
		{name: "certificates can be fetched", change: withoutPublicKey, code: 200, want: ready("ready", "ok", "ok", "ok")},
		{name: "certificates cannot be fetched", change: withoutPublicKey, fault: "garbage", code: 503, want: ready("not_ready", "ok", "missing", "ok")},
		{name: "API v2 only", v2: true, code: 200, want: ready("ready", "ok", "ok", "ok")},
		{name: "no key at all", conf: wxsim.Config{PublicKeyOnly: true}, change: withoutPublicKey, code: 503, want: ready("not_ready", "ok", "missing", "ok")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := newMoody(t)
			in := openInbox(t, test.conf, func(o *wxpay.Options) {
				store.Store, o.Store = o.Store, store
				if test.change != nil {
					test.change(o)
				}
			})
			if test.v2 {
				o := in.options()
				o.API, o.AuthorizeRefund, o.Prefix, o.Store = wxpay.APIv2, nil, "/app/pay", store
				o.Merchant = onlyV2(in.shop, o.Merchant)
				in.kit = newKit(t, o)
			}
			if !test.idle {
				in.run()
				eventually(t, "Run runs", in.kit.Running)
			}
			if test.fault != "" {
				in.sim.Fault(wxsim.Fault{Target: "certificates", Fault: test.fault})
			}
			store.mood.Store(test.mood)
			code, body := probe(t, in.kit.Ready())
			if code != test.code || !maps.Equal(body, test.want) {
				t.Errorf("answered %d %v, want %d %v", code, body, test.code, test.want)
			}
			if code, body := probe(t, in.kit.Live()); code != 200 || body["status"] != "live" {
				t.Errorf("live answered %d %v, whatever befell", code, body)
			}
		})
	}
}

func withoutPublicKey(o *wxpay.Options) { o.Merchant.PublicKey, o.Merchant.PublicKeyID = "", "" }

// TestReadyIsCheap: what was found is good for a second, and the log hears of
// changes alone.
func TestReadyIsCheap(t *testing.T) {
	t.Parallel()
	store := newMoody(t)
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	in := openInbox(t, wxsim.Config{}, func(o *wxpay.Options) {
		store.Store, o.Store = o.Store, store
		o.Now = func() time.Time { return time.Unix(0, now.Load()) }
	})
	in.run()
	eventually(t, "Run runs", in.kit.Running)
	before := store.gets.Load()
	steps := []struct {
		mood string
		code int
		gets int64
	}{{"", 200, 1}, {"down", 503, 2}, {"down", 503, 3}, {"", 200, 4}}
	for i, step := range steps {
		store.mood.Store(step.mood)
		now.Add(int64(time.Second))
		for range 20 {
			if code, _ := probe(t, in.kit.Ready()); code != step.code {
				t.Errorf("step %d: answered %d, want %d", i, code, step.code)
			}
			now.Add(int64(time.Millisecond))
		}
		if got := store.gets.Load() - before; got != step.gets {
			t.Errorf("step %d: the store was asked %d times, want %d", i, got, step.gets)
		}
	}
	lost, again := in.logLines("not ready to take payments"), in.logLines("ready to take payments again")
	if len(lost) != 1 || len(again) != 1 || lost[0]["level"] != "ERROR" || lost[0]["store"] != "failed" {
		t.Errorf("log says %v and %v, want one line each", lost, again)
	}
	if !strings.Contains(in.logs.String(), "secret-host") {
		t.Error("the cause is not in the log")
	}
}
