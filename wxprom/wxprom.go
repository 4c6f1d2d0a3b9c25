// Package wxprom turns the hooks of package wxpay into Prometheus metrics:
//
//	pay, err := wxpay.Mount(mux, wxpay.Options{
//		…
//		Hooks: wxprom.New(prometheus.DefaultRegisterer),
//	})
//
// Labels have closed sets of values; no label carries an order, a user or a
// text from outside. All times are seconds, all money is fen. Counters that an
// alert watches exist from the start, at zero: the first increase is seen.
// Histograms are native ones, with classic buckets for a Prometheus that does
// not take them.
//
// Beside this file lie alerts.yml, rules for Prometheus, and dashboard.json for
// Grafana. What each alert means for money, and what to do, is in
// docs/runbook.md.
package wxprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
)

// New registers the metrics with reg and returns hooks that fill them. Two
// kits may share one registry: the second New returns hooks to the same
// metrics, and of a gauge the last word counts. To tell merchants apart, give
// each kit a prometheus.WrapRegistererWith of its own. New panics, as
// Prometheus' own MustRegister does, if a metric of another kind has one of
// the names.
func New(reg prometheus.Registerer) wxpay.Hooks {
	m := newMetrics(reg)
	m.begin()
	return wxpay.Hooks{
		Request:      m.request,
		Notification: m.notification,
		WeChatCall:   m.call,
		Placed:       m.place,
		Settled:      m.settle,
		Refund:       m.refund,
		Reconciled:   m.reconciled,
		HandOver:     m.handOver,
		Backlog:      m.backlog,
		Keys:         m.keys,
	}
}
