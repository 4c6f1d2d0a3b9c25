package wxprom

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type (
	counters   = *prometheus.CounterVec
	gauges     = *prometheus.GaugeVec
	histograms = *prometheus.HistogramVec
)

// metrics is everything that New registers.
type metrics struct {
	requests        counters
	requestDuration histograms

	notifications        counters
	notificationDuration histograms
	paymentDelay         histograms
	recovered            counters

	calls, callErrors, retries, backups counters
	callDuration                        histograms
	skew                                prometheus.Gauge

	placed, settled, fen, anomalies counters

	handOvers                            counters
	handOverDuration, handOverWait, late histograms

	refunds, needPerson counters

	bills, differences counters
	compared           prometheus.Gauge

	looked, overdue, owed, expired prometheus.Gauge
	looks                          counters

	expiry, verifyKeys, build gauges
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := new(metrics)
	m.forRequests(reg)
	m.forWeChat(reg)
	m.forMoney(reg)
	m.forTheKit(reg)
	return m
}

func (m *metrics) forRequests(reg prometheus.Registerer) {
	m.requests = counter(reg, "wxpay_requests_total",
		"Requests of front ends, by endpoint and how they ended: ok, or the name of the problem.", "endpoint", "outcome")
	m.requestDuration = histogram(reg, "wxpay_request_duration_seconds",
		"How long requests of front ends took.", answers, "endpoint", "outcome")
	m.notifications = counter(reg, "wxpay_notifications_total",
		"Notifications, by outcome (ok, ignored, passed_on, or the check that failed), kind of the key that signed it (public_key, certificate, apiv2, none) and what it was about (payment, refund, other; none: it was not verified).", "outcome", "key", "event")
	m.notificationDuration = histogram(reg, "wxpay_notification_duration_seconds",
		"How long notifications took.", answers, "outcome", "key")
}

func (m *metrics) forWeChat(reg prometheus.Registerer) {
	m.calls = counter(reg, "wxpay_wechat_calls_total",
		"Tries of calls to WeChat Pay, by operation and outcome: ok, no_answer, not_verified (the signature), refused (4xx), failed (5xx).", "operation", "outcome")
	m.callDuration = histogram(reg, "wxpay_wechat_call_duration_seconds",
		"How long tries of calls to WeChat Pay took.", answers, "operation", "outcome")
	m.callErrors = counter(reg, "wxpay_wechat_errors_total",
		"Tries that WeChat Pay refused or failed, by its error code; other is one that is not in this package's list, none an answer without a code.", "operation", "code")
	m.retries = counter(reg, "wxpay_wechat_retries_total",
		"Second and third tries of a call.", "operation")
	m.backups = counter(reg, "wxpay_wechat_backup_calls_total",
		"Tries that went to the backup host.", "operation")
	m.skew = gauge(reg, "wxpay_wechat_clock_skew_seconds",
		"How far the clock here was ahead of WeChat Pay's at the last answer, true to half a second. WeChat refuses signatures that are 300 s off.")
}

func (m *metrics) forMoney(reg prometheus.Registerer) {
	m.placed = counter(reg, "wxpay_orders_placed_total", "New orders, by product.", "product")
	m.settled = counter(reg, "wxpay_orders_settled_total",
		"What WeChat's word did to orders, by product, source and outcome.", "product", "source", "outcome")
	m.fen = counter(reg, "wxpay_order_fen_total",
		"Money, in fen, by product and what became of it: placed, paid, closed, given_back (paid, and not handed over), refunded (back with the customer).", "product", "state")
	m.recovered = counter(reg, "wxpay_payments_recovered_total",
		"Payments that were first heard of from another source than their notification. A page that asks may be quicker than the notification by a second; compare with wxpay_notifications_total{outcome=\"ok\",event=\"payment\"}.", "source")
	m.paymentDelay = histogram(reg, "wxpay_payment_delay_seconds",
		"From WeChat's success_time, which has whole seconds, until the payment was stored, by who told of it.", waits, "source")
	m.anomalies = counter(reg, "wxpay_anomalies_total",
		"Money that is not where the order says: somebody must look.", "kind")
	m.handOvers = counter(reg, "wxpay_hand_overs_total",
		"Calls of OnPaid and OnRefunded, by what was handed over (order, refund) and outcome (ok, error).", "what", "outcome")
	m.handOverDuration = histogram(reg, "wxpay_hand_over_duration_seconds",
		"How long calls of OnPaid and OnRefunded took.", answers, "what", "outcome")
	m.handOverWait = histogram(reg, "wxpay_hand_over_wait_seconds",
		"From the commit of a payment, or of the end of a refund, to the first call of OnPaid or OnRefunded.", waits, "what")
	m.late = histogram(reg, "wxpay_handed_over_delay_seconds",
		"From WeChat's success_time until OnPaid or OnRefunded had taken it, all tries together.", waits, "what")
	m.refunds = counter(reg, "wxpay_refunds_total", "What became of refunds, by source and outcome.", "source", "outcome")
	m.needPerson = counter(reg, "wxpay_refunds_need_person_total",
		"Refunds that do not reach the customer by themselves.", "outcome")
	m.bills = counter(reg, "wxpay_bills_compared_total",
		"Days compared with WeChat Pay's bill, by outcome (ok, not_ready, error).", "outcome")
	m.differences = counter(reg, "wxpay_bill_differences_total",
		"Differences between store and bill, by kind and whether they were repaired (yes, no). What was not needs a person.", "kind", "repaired")
	m.compared = gauge(reg, "wxpay_bill_compared_timestamp_seconds",
		"When this process last compared a day with WeChat Pay's bill, to its end; 0 before the first time.")
}

func (m *metrics) forTheKit(reg prometheus.Registerer) {
	m.looked = gauge(reg, "wxpay_backlog_timestamp_seconds",
		"When kit.Run last looked at what waits; 0 where nobody runs it.")
	m.looks = counter(reg, "wxpay_backlog_looks_total", "How often kit.Run looked at what waits, by outcome (ok, error of the store).", "outcome")
	m.overdue = gauge(reg, "wxpay_overdue_seconds",
		"How long the order that is due longest has been due. NaN when the store cannot be asked.")
	m.owed = gauge(reg, "wxpay_oldest_not_handed_over_seconds",
		"How long ago the oldest order was paid that the application has not taken over: the largest of all processes counts. NaN when the store cannot be asked.")
	m.expired = gauge(reg, "wxpay_oldest_unpaid_seconds",
		"For how long the time to pay has been over, of the oldest order that is neither paid nor closed: the largest of all processes counts. NaN when the store cannot be asked.")
	m.expiry = register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "wxpay_certificate_expiry_timestamp_seconds",
		Help: "When the certificate ends: the merchant's own, if Merchant.Certificate is given, and of WeChat's platform certificates the one that ends last.",
	}, []string{"kind"}))
	m.verifyKeys = register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "wxpay_verify_keys", Help: "Keys of WeChat Pay that are held, by kind (public_key, platform).",
	}, []string{"kind"}))
	m.build = register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "wxpay_build_info", Help: "1, with the version of the kit and of Go.",
	}, []string{"version", "go_version"}))
}

// Classic buckets: of what somebody waits for, and of what may come a day
// later.
var (
	answers = []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 15}
	waits   = []float64{.01, .1, .5, 1, 2, 5, 15, 60, 300, 1800, 7200, 86400}
)

func histogram(reg prometheus.Registerer, name, help string, buckets []float64, labels ...string) histograms {
	return register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, labels))
}

func counter(reg prometheus.Registerer, name, help string, labels ...string) counters {
	return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

func gauge(reg prometheus.Registerer, name, help string) prometheus.Gauge {
	return register(reg, prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help}))
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
