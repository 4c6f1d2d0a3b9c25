// Package wxprom turns the hooks of package wxpay into Prometheus metrics:
//
//	pay, err := wxpay.Mount(mux, wxpay.Options{
//		…
//		Hooks: wxprom.New(prometheus.DefaultRegisterer),
//	})
//
// Labels have closed sets of values; no label carries an order, a user or a
// text from outside. All times are seconds, all money is fen.
package wxprom

import (
	"context"
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// New registers the metrics with reg and returns hooks that fill them. Two
// kits may share one registry: the second New returns hooks to the same
// metrics. It panics, as Prometheus' own MustRegister does, if a metric of
// another kind has one of the names.
func New(reg prometheus.Registerer) wxpay.Hooks {
	m := metrics{
		requests: histogram(reg, "wxpay_request_duration_seconds",
			"Requests of front ends, by endpoint and how they ended.", "endpoint", "outcome"),
		notifications: histogram(reg, "wxpay_notification_duration_seconds",
			"Notifications received, by outcome (ok, ignored, or the check that failed) and kind of key (public_key, certificate, apiv2, none).", "outcome", "key"),
		calls: histogram(reg, "wxpay_wechat_call_duration_seconds",
			"Tries of calls to WeChat Pay, by operation and outcome.", "operation", "outcome"),
		settled: counter(reg, "wxpay_orders_settled_total",
			"What WeChat's word did to orders, by product, source and outcome. A payment with source query is one whose notification had not come.", "product", "source", "outcome"),
		paid: counter(reg, "wxpay_paid_fen_total",
			"Money received, in fen, by product.", "product"),
		anomalies: counter(reg, "wxpay_anomalies_total",
			"Money that is not where the order says: somebody must look.", "kind"),
		handOvers: histogram(reg, "wxpay_hand_over_duration_seconds",
			"Calls of OnPaid and OnRefunded, by what was handed over (order, refund) and outcome (ok, error).", "what", "outcome"),
		refunds: counter(reg, "wxpay_refunds_total",
			"What became of refunds, by source and outcome. Abnormal, closed, refused and mismatch need a person.", "source", "outcome"),
		bills: counter(reg, "wxpay_bills_compared_total",
			"Days compared with WeChat Pay's bill, by outcome (ok, not_ready, error).", "outcome"),
		differences: counter(reg, "wxpay_bill_differences_total",
			"Differences between store and bill, by kind and whether they were repaired (yes, no). What was not needs a person.", "kind", "repaired"),
		refunded: counter(reg, "wxpay_refunded_fen_total",
			"Money that is back with customers, in fen, by product.", "product"),
	}
	return wxpay.Hooks{
		Request:      m.request,
		Notification: m.notification,
		WeChatCall:   m.call,
		Settled:      m.settle,
		Refund:       m.refund,
		Reconciled:   m.reconciled,
		HandOver:     m.handOver,
	}
}

type metrics struct {
	requests, notifications, calls, handOvers *prometheus.HistogramVec
	settled, paid, anomalies                  *prometheus.CounterVec
	refunds, refunded, bills, differences     *prometheus.CounterVec
}

func (m metrics) request(_ context.Context, i wxpay.RequestInfo) {
	m.requests.WithLabelValues(i.Endpoint, i.Outcome).Observe(i.Took.Seconds())
}

func (m metrics) notification(_ context.Context, i wxpay.NotificationInfo) {
	key := "certificate"
	switch {
	case i.Serial == "":
		key = "none"
	case strings.HasPrefix(i.Serial, "PUB_KEY_ID_"):
		key = "public_key"
	case i.Serial == "APIv2":
		key = "apiv2"
	}
	m.notifications.WithLabelValues(i.Outcome, key).Observe(i.Took.Seconds())
}

func (m metrics) call(c wxapi.Call) {
	outcome := "ok"
	switch {
	case c.Err == nil:
	case c.Status == 0:
		outcome = "no_answer"
	case c.Status < 300:
		outcome = "not_verified"
	case c.Status < 500:
		outcome = "refused"
	default:
		outcome = "failed"
	}
	m.calls.WithLabelValues(string(c.Op), outcome).Observe(c.Duration.Seconds())
}

func (m metrics) settle(_ context.Context, s wxpay.SettledInfo) {
	product := string(s.Order.Product)
	m.settled.WithLabelValues(product, string(s.Source), string(s.Outcome)).Inc()
	switch s.Outcome {
	case orderstore.BecamePaid, orderstore.BecamePaidLate, orderstore.BecamePaidAgain:
		m.paid.WithLabelValues(product).Add(float64(s.Order.Total))
	}
	if s.Anomaly() {
		m.anomalies.WithLabelValues(string(s.Outcome)).Inc()
	}
}

func (m metrics) refund(_ context.Context, r wxpay.RefundInfo) {
	m.refunds.WithLabelValues(string(r.Source), string(r.Outcome)).Inc()
	switch r.Outcome {
	case orderstore.RefundSucceeded:
		m.refunded.WithLabelValues(string(r.Order.Product)).Add(float64(r.Refund.Amount))
	case orderstore.RefundMismatched:
		m.anomalies.WithLabelValues("refund_mismatch").Inc()
	}
}

func (m metrics) reconciled(_ context.Context, r wxpay.ReconciledInfo) {
	outcome := "ok"
	switch {
	case errors.Is(r.Err, wxapi.ErrBillNotReady):
		outcome = "not_ready"
	case r.Err != nil:
		outcome = "error"
	}
	m.bills.WithLabelValues(outcome).Inc()
	for kind, n := range r.Counts {
		m.differences.WithLabelValues(string(kind), "yes").Add(float64(n.Repaired))
		m.differences.WithLabelValues(string(kind), "no").Add(float64(n.Found - n.Repaired))
	}
}

func (m metrics) handOver(_ context.Context, h wxpay.HandOverInfo) {
	outcome := "ok"
	if h.Err != nil {
		outcome = "error"
	}
	what := "order"
	if h.Refund != nil {
		what = "refund"
	}
	m.handOvers.WithLabelValues(what, outcome).Observe(h.Took.Seconds())
}

func histogram(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.HistogramVec {
	return register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                     []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 15},
		NativeHistogramBucketFactor: 1.1,
	}, labels))
}

func counter(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

// register returns the collector that reg has under the name, which is c if it
// is new.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	var are prometheus.AlreadyRegisteredError
	if errors.As(err, &are) {
		if have, ok := are.ExistingCollector.(C); ok {
			return have
		}
	}
	if err != nil {
		panic(err)
	}
	return c
}
