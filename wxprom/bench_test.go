package wxprom_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxprom"
	"github.com/wxpaykit/wxpay/wxsim"
)

// BenchmarkNotification is the cheapest notification that is taken: one heard
// before, with a store that costs nothing. So the share of the metrics is the
// largest it can be.
//
//	go test -run '^$' -bench Notification -count 10 ./wxprom
func BenchmarkNotification(b *testing.B) {
	for _, bench := range []struct {
		name  string
		hooks wxpay.Hooks
	}{
		{"without metrics", wxpay.Hooks{}},
		{"with metrics", wxprom.New(prometheus.NewRegistry())},
	} {
		b.Run(bench.name, func(b *testing.B) {
			header, body, kit := notified(b, bench.hooks)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/pay/notify", bytes.NewReader(body))
				r.Header = header
				w := httptest.NewRecorder()
				kit.ServeHTTP(w, r)
				if w.Code != http.StatusNoContent {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkHooks is what the metrics alone cost: of a notification, and of a
// payment, which is a notification, an order settled and a hand-over.
func BenchmarkHooks(b *testing.B) {
	h := wxprom.New(prometheus.NewRegistry())
	n := wxpay.NotificationInfo{Outcome: "ok", Serial: "PUB_KEY_ID_1", EventType: "TRANSACTION.SUCCESS"}
	order := wxpay.Order{Product: "native", Total: 100}
	b.Run("notification", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Notification(b.Context(), n)
		}
	})
	b.Run("payment", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Notification(b.Context(), n)
			h.Settled(b.Context(), wxpay.SettledInfo{Order: order, Source: "notification", Outcome: "paid"})
			h.HandOver(b.Context(), wxpay.HandOverInfo{Order: order, Try: 1})
		}
	})
}

// notified is a kit and a notification that it has taken.
func notified(b *testing.B, hooks wxpay.Hooks) (http.Header, []byte, *wxpay.Kit) {
	b.Helper()
	sim := wxsim.Start(b)
	mux := http.NewServeMux()
	kit, err := wxpay.Mount(mux, optionsOf(sim, memory.New(), hooks, func(o *wxpay.Options) { o.NotifyURL = "http://127.0.0.1:1/pay/notify" }))
	if err != nil {
		b.Fatal(err)
	}
	s := &shop{t: b, mux: mux}
	no := s.buy()
	if err := sim.PayQuietly(no); err != nil {
		b.Fatal(err)
	}
	r, err := sim.Notification(no)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.Fatal(err)
	}
	return r.Header, body, kit
}
