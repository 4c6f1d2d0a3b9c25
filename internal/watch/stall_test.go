//go:build prometheus

package watch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxprom"
	"github.com/wxpaykit/wxpay/wxsim"
)

// clock is the time of day, or some time after it.
type clock struct{ ahead atomic.Int64 } // nanoseconds

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) jump(d time.Duration) { c.ahead.Add(int64(d)) }

// stall is a small shop in the test's own process, where its clock, its account
// at WeChat Pay and its kit.Run are at hand.
type stall struct {
	t      *testing.T
	sim    *wxsim.Sim
	addr   string
	orders atomic.Int64 // how many were placed

	options wxpay.Options
	kit     *wxpay.Kit
	handler atomic.Value // http.Handler: of the kit and its metrics
	stop    func()       // kit.Run
}

// newStall is a stall that goes by the clock, with a simulator that goes by now.
// It has no kit yet.
func newStall(t *testing.T, c *clock, now func() time.Time) *stall {
	t.Helper()
	s := &stall{t: t, sim: wxsim.Start(t, wxsim.Config{Now: now}), stop: func() {}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.Load().(http.Handler).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.addr = strings.TrimPrefix(server.URL, "http://")
	s.options = wxpay.Options{
		Merchant:  merchantOf(s.sim),
		NotifyURL: server.URL + "/pay/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "xiaoming", nil },
		Quote: func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
			return wxpay.Quote{Total: 100, Description: "1个月会员"}, nil
		},
		OrderNumber: func(string, time.Time) string { return fmt.Sprintf("stall-%d", s.orders.Add(1)) },
		RunInterval: 100 * time.Millisecond,
		Logger:      slog.New(slog.DiscardHandler),
		Now:         c.now,
	}
	return s
}

// merchantOf is the simulator's account.
func merchantOf(sim *wxsim.Sim) wxpay.Merchant {
	a := sim.Account()
	return wxpay.Merchant{
		MchID: a.MchID, CertSerial: a.SerialNo, PrivateKey: a.PrivateKeyPEM, APIv3Key: a.APIv3Key,
		PublicKeyID: a.PublicKeyID, PublicKey: a.PublicKeyPEM, AppID: a.AppID, APIBase: sim.URL(),
	}
}

// build puts a kit with metrics of its own in place of the one before, as a
// program that was stopped and started again. Nobody runs it yet.
func (s *stall) build(change func(*wxpay.Options)) {
	s.t.Helper()
	s.stop()
	metrics := prometheus.NewRegistry()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	o := s.options
	o.Hooks = wxprom.New(metrics)
	change(&o)
	kit, err := wxpay.Mount(mux, o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.kit = kit
	s.handler.Store(mux)
}

// run runs the kit.
func (s *stall) run() {
	kit := s.kit
	s.stop = beside(s.t, func(ctx context.Context) { _ = kit.Run(ctx) }) // nil, as it promises
}

// open builds a kit and runs it.
func (s *stall) open(change func(*wxpay.Options)) {
	s.t.Helper()
	s.build(change)
	s.run()
}

// asItIs changes nothing.
func asItIs(*wxpay.Options) {}

func (s *stall) url(path string) string { return "http://" + s.addr + "/pay" + path }

// lastOrder is the number of the order that was placed last.
func (s *stall) lastOrder() string { return fmt.Sprintf("stall-%d", s.orders.Load()) }

// buy places an order; empty when that fails, as it shall at times.
func (s *stall) buy() (outTradeNo string) {
	_, data := post(s.t.Context(), s.url("/prepay/native"), "xiaoming", `{"goods_id":"vip-month"}`)
	outTradeNo, _ = data["out_trade_no"].(string)
	return outTradeNo
}

// trade buys and pays until ctx ends, as if nothing could go wrong.
func (s *stall) trade(ctx context.Context) {
	trade(ctx, s.buy, func(outTradeNo string) { _ = s.sim.Pay(outTradeNo) })
}

// trade buys and pays until ctx ends, about twice a second.
func trade(ctx context.Context, buy func() string, pay func(string)) {
	for ctx.Err() == nil {
		if no := buy(); no != "" {
			pay(no)
		}
		select {
		case <-ctx.Done():
		case <-time.After(400 * time.Millisecond):
		}
	}
}
