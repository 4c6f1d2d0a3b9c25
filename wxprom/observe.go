package wxprom

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

func (m *metrics) request(_ context.Context, i wxpay.RequestInfo) {
	m.requests.WithLabelValues(i.Endpoint, i.Outcome).Inc()
	m.requestDuration.WithLabelValues(i.Endpoint, i.Outcome).Observe(i.Took.Seconds())
}

func (m *metrics) notification(_ context.Context, i wxpay.NotificationInfo) {
	key := keyOf(i.Serial)
	m.notifications.WithLabelValues(i.Outcome, key, eventOf(i)).Inc()
	m.notificationDuration.WithLabelValues(i.Outcome, key).Observe(i.Took.Seconds())
}

func (m *metrics) call(c wxapi.Call) {
	outcome := callOutcome(c)
	m.calls.WithLabelValues(c.Op, outcome).Inc()
	m.callDuration.WithLabelValues(c.Op, outcome).Observe(c.Duration.Seconds())
	if outcome == callRefused || outcome == callFailed {
		m.callErrors.WithLabelValues(c.Op, codeOf(c.Code)).Inc()
	}
	if c.Attempt > 1 {
		m.retries.WithLabelValues(c.Op).Inc()
	}
	if c.Backup {
		m.backups.WithLabelValues(c.Op).Inc()
	}
	if !c.Date.IsZero() {
		m.skew.Set(c.Skew.Seconds())
	}
}

func (m *metrics) place(_ context.Context, o wxpay.Order) {
	m.placed.WithLabelValues(string(o.Product)).Inc()
	m.addFen(o, statePlaced, o.Total)
}

func (m *metrics) settle(_ context.Context, s wxpay.SettledInfo) {
	m.settled.WithLabelValues(string(s.Order.Product), string(s.Source), string(s.Outcome)).Inc()
	if s.Anomaly() {
		m.anomalies.WithLabelValues(string(s.Outcome)).Inc()
	}
	switch s.Outcome {
	case orderstore.BecamePaid, orderstore.BecamePaidLate, orderstore.BecamePaidAgain:
		m.paid(s)
	case orderstore.BecameClosed:
		m.addFen(s.Order, stateClosed, s.Order.Total)
	}
}

// paid is an order whose money has just been heard of. The change was made at
// its UpdatedAt.
func (m *metrics) paid(s wxpay.SettledInfo) {
	m.addFen(s.Order, statePaid, s.Order.Total)
	if s.Order.GivenBack != "" {
		m.addFen(s.Order, stateGivenBack, s.Order.Total)
	}
	delay := s.Order.UpdatedAt.Sub(s.Order.PaidAt)
	m.paymentDelay.WithLabelValues(string(s.Source)).Observe(max(0, delay.Seconds()))
	if s.Source != orderstore.FromNotification {
		m.recovered.WithLabelValues(string(s.Source)).Inc()
	}
}

func (m *metrics) addFen(o wxpay.Order, state string, fen orderstore.Fen) {
	m.fen.WithLabelValues(string(o.Product), state).Add(float64(fen))
}

func (m *metrics) refund(_ context.Context, r wxpay.RefundInfo) {
	m.refunds.WithLabelValues(string(r.Source), string(r.Outcome)).Inc()
	if r.NeedsAction() {
		m.needPerson.WithLabelValues(string(r.Outcome)).Inc()
	}
	switch r.Outcome {
	case orderstore.RefundSucceeded:
		m.addFen(r.Order, stateRefunded, r.Refund.Amount)
	case orderstore.RefundMismatched:
		m.anomalies.WithLabelValues(refundMismatch).Inc()
	}
}

func (m *metrics) reconciled(_ context.Context, r wxpay.ReconciledInfo) {
	outcome := billOK
	switch {
	case errors.Is(r.Err, wxapi.ErrBillNotReady):
		outcome = billNotReady
	case r.Err != nil:
		outcome = billError
	default:
		m.compared.SetToCurrentTime()
	}
	m.bills.WithLabelValues(outcome).Inc()
	for kind, n := range r.Counts {
		m.differences.WithLabelValues(string(kind), "yes").Add(float64(n.Repaired))
		m.differences.WithLabelValues(string(kind), "no").Add(float64(n.Found - n.Repaired))
	}
}

// handOver counts from the claim of the call, which is the order's UpdatedAt.
func (m *metrics) handOver(_ context.Context, h wxpay.HandOverInfo) {
	what, success := whatOrder, h.Order.PaidAt
	if h.Refund != nil {
		what, success = whatRefund, h.Refund.RefundedAt
	}
	outcome := outcomeOf(h.Err)
	m.handOvers.WithLabelValues(what, outcome).Inc()
	m.handOverDuration.WithLabelValues(what, outcome).Observe(h.Took.Seconds())
	if h.Try == 1 {
		m.handOverWait.WithLabelValues(what).Observe(h.Waited.Seconds())
	}
	if h.Err == nil {
		taken := h.Order.UpdatedAt.Add(h.Took)
		m.late.WithLabelValues(what).Observe(max(0, taken.Sub(success).Seconds()))
	}
}

func (m *metrics) backlog(_ context.Context, b wxpay.BacklogInfo) {
	m.looked.Set(unix(b.At))
	m.looks.WithLabelValues(outcomeOf(b.Err)).Inc()
	if b.Err != nil {
		m.overdue.Set(math.NaN())
		m.owed.Set(math.NaN())
		m.expired.Set(math.NaN())
		return
	}
	m.overdue.Set(b.Overdue.Seconds())
	m.owed.Set(b.Owed.Seconds())
	m.expired.Set(b.Expired.Seconds())
}

// keys shows the end of the platform certificate that ends last: the next one
// lies beside the present one for some time before.
func (m *metrics) keys(_ context.Context, keys []wxpay.KeyInfo) {
	held := map[wxpay.KeyKind]int{wxpay.KeyPublic: 0, wxpay.KeyPlatform: 0}
	last := make(map[wxpay.KeyKind]time.Time)
	for _, k := range keys {
		if k.Kind != wxpay.KeyMerchant {
			held[k.Kind]++
		}
		if k.NotAfter.After(last[k.Kind]) {
			last[k.Kind] = k.NotAfter
		}
	}
	for kind, n := range held {
		m.verifyKeys.WithLabelValues(string(kind)).Set(float64(n))
	}
	for kind, at := range last {
		m.expiry.WithLabelValues(string(kind)).Set(unix(at))
	}
}

func unix(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }
