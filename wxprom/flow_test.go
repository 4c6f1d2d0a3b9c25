package wxprom_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxprom"
	"github.com/wxpaykit/wxpay/wxsim"
)

// shop is the kit with metrics, a simulator and a store.
type shop struct {
	t    testing.TB
	sim  *wxsim.Sim
	kit  *wxpay.Kit
	mux  *http.ServeMux
	reg  *prometheus.Registry
	down atomic.Bool // the application
}

func openShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{t: t, mux: http.NewServeMux(), reg: prometheus.NewRegistry()}
	store, err := sqlite.OpenWith(filepath.Join(t.TempDir(), "pay.db"), sqlite.Options{Committed: wxprom.SQLite(s.reg)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.sim = wxsim.Start(t)
	s.kit, err = wxpay.Mount(s.mux, optionsOf(s.sim, store, wxprom.New(s.reg), func(o *wxpay.Options) {
		o.NotifyURL = server.URL + "/pay/notify"
		o.OnPaid = func(context.Context, wxpay.Order) error {
			if s.down.Load() {
				return errors.New("the membership service is down")
			}
			return nil
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = s.kit.Run(ctx) })
	t.Cleanup(func() { cancel(); run.Wait() })
	return s
}

// optionsOf are those of a shop with that WeChat Pay and store.
func optionsOf(sim *wxsim.Sim, store wxpay.OrderStore, hooks wxpay.Hooks, change func(*wxpay.Options)) wxpay.Options {
	a := sim.Account()
	o := wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: a.MchID, CertSerial: a.SerialNo, PrivateKey: a.PrivateKeyPEM, APIv3Key: a.APIv3Key,
			PublicKeyID: a.PublicKeyID, PublicKey: a.PublicKeyPEM, Certificates: []string{a.PlatformCertPEM},
			AppID: a.AppID, AppIDApp: a.AppIDApp, AppIDJSAPI: a.AppIDJSAPI, APIBase: sim.URL(),
		},
		Store:           store,
		Identify:        func(*http.Request) (string, error) { return "u1", nil },
		AuthorizeRefund: func(*http.Request, string, wxpay.Order) error { return nil },
		Quote: func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
			return wxpay.Quote{Total: 100, Description: "1个月会员"}, nil
		},
		RunInterval: 20 * time.Millisecond,
		Hooks:       hooks,
		Logger:      slog.New(slog.DiscardHandler),
	}
	change(&o)
	return o
}

// do asks the kit, which must answer with the status.
func (s *shop) do(method, path, body string, want int) string {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if w.Code != want {
		s.t.Fatalf("%s %s is answered with %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

func (s *shop) buy() (outTradeNo string) {
	s.t.Helper()
	_, rest, _ := strings.Cut(s.do("POST", "/pay/prepay/native", `{"goods_id":"vip-month"}`, http.StatusOK), `"out_trade_no":"`)
	outTradeNo, _, _ = strings.Cut(rest, `"`)
	return outTradeNo
}

func (s *shop) pay(outTradeNo string) {
	s.t.Helper()
	if err := s.sim.Pay(outTradeNo); err != nil {
		s.t.Fatal(err)
	}
}

// trade lets happen what fills every metric: good days and bad ones.
func (s *shop) trade() {
	s.t.Helper()
	first := s.buy()
	s.pay(first) // its notification has arrived
	s.do("GET", "/pay/orders/"+first, "", http.StatusOK)
	s.do("POST", "/pay/notify", `{}`, http.StatusUnauthorized)

	lost := s.buy()
	if err := s.sim.PayQuietly(lost); err != nil {
		s.t.Fatal(err)
	}
	s.do("GET", "/pay/orders/"+lost, "", http.StatusOK) // asks WeChat

	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 1})
	s.do("POST", "/pay/orders/"+s.buy()+"/close", "", http.StatusOK)
	s.down.Store(true)
	s.pay(s.buy())
	s.await("a hand-over has failed", "wxpay_hand_overs_total", 1, "error", "order")
	s.down.Store(false)

	s.do("POST", "/pay/orders/"+first+"/refunds", `{"refund":100,"out_refund_no":"refund-1"}`, http.StatusOK)
	s.sim.Advance(time.Minute) // it ends, and is notified
	s.await("the refund is handed over", "wxpay_hand_overs_total", 1, "ok", "refund")
	if _, err := s.kit.Reconcile(s.t.Context(), time.Now()); err == nil {
		s.t.Error("there is a bill of today")
	}
	s.await("two orders are handed over", "wxpay_hand_overs_total", 2, "ok", "order")
}

// await waits until the counter with those values of labels has that value.
func (s *shop) await(what, name string, want float64, values ...string) {
	s.t.Helper()
	for range 2000 {
		if counted(s.t, s.reg, name, values...) >= want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain: %s", what)
}

// counted is the counter whose labels have the values, which are sorted by the
// names of the labels.
func counted(t testing.TB, reg *prometheus.Registry, name string, values ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if f.GetName() == name && slices.Equal(have, values) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
