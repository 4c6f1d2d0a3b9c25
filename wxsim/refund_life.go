package wxsim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

// process puts an accepted refund on its way to what it becomes. The caller
// holds mu.
func (s *Sim) process(r *refund, now time.Time) {
	r.ripe = false
	r.become(refundProcessing, now)
	if s.conf.RefundDelay < 0 {
		if d := s.ripen(r, now); d != nil {
			s.inBackground(d)
		}
		return
	}
	s.plan(now.Add(s.conf.RefundDelay), func(ctx context.Context, at time.Time) {
		s.mu.Lock()
		d := s.ripen(r, at)
		if d != nil {
			s.takeOff(d, at)
		}
		s.mu.Unlock()
		if d != nil {
			s.deliver(ctx, d)
		}
	})
}

// ripen lets a refund become what was decided, and returns the notification of
// it, if anybody is to be notified. The caller holds mu.
func (s *Sim) ripen(r *refund, at time.Time) *delivery {
	r.ripe = true
	if r.fate == refundProcessing {
		return nil
	}
	r.become(r.fate, at)
	if r.Status == refundSuccess {
		s.orders[r.OutTradeNo].Refunded += r.Refund.Refund
	}
	notifyURL := cmp.Or(r.NotifyURL, s.refundCallback)
	if notifyURL == "" {
		return nil
	}
	d := &delivery{
		id:          uuid(s.keys.letters(fmt.Sprint("notification ", len(r.history), " ", r.RefundID), lowerHex, 32)),
		eventType:   "REFUND." + r.Status,
		outTradeNo:  r.OutTradeNo,
		outRefundNo: r.OutRefundNo,
		notifyURL:   notifyURL,
		plaintext:   r.notice(s.keys.account.MchID),
		created:     at,
		due:         at,
		index:       -1,
	}
	if r.API == apiV2 || r.NotifyURL == "" { // the XML trap of wire facts §6.8
		d.v2 = s.refundNoticeV2(r)
	}
	return d
}

// nextFate is what the refund that is being accepted will become. The caller
// holds mu.
func (s *Sim) nextFate() string {
	if len(s.fates) == 0 {
		return refundSuccess
	}
	fate := s.fates[0]
	s.fates = s.fates[1:]
	return fate
}

// DecideRefund says what becomes of a refund that is PROCESSING once its time
// has come: SUCCESS (as without a decision), ABNORMAL or CLOSED. PROCESSING
// keeps it where it is until another decision, which then takes effect at once
// and has been notified when DecideRefund returns. With an empty number it
// decides about the next refund that is accepted; several such decisions queue
// up. Errors: ErrNoRefund, ErrRefundEnded, ErrNoSuchEnding.
func (s *Sim) DecideRefund(outRefundNo, status string) error {
	return s.decideRefund(context.Background(), outRefundNo, status)
}

func (s *Sim) decideRefund(ctx context.Context, outRefundNo, status string) error {
	switch status {
	case refundSuccess, refundAbnormal, refundClosed, refundProcessing:
	default:
		return ErrNoSuchEnding
	}
	d, err := s.decide(outRefundNo, status)
	if d != nil {
		s.deliver(ctx, d)
	}
	return err
}

// decide enters a decision, and returns the notification that flies with it.
func (s *Sim) decide(outRefundNo, status string) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if outRefundNo == "" {
		s.fates = append(s.fates, status)
		return nil, nil
	}
	r, exists := s.refunds[outRefundNo]
	switch {
	case !exists:
		return nil, ErrNoRefund
	case r.Status != refundProcessing:
		return nil, ErrRefundEnded
	}
	r.fate = status
	if !r.ripe {
		return nil, nil
	}
	d := s.ripen(r, s.clock.now())
	if d != nil {
		s.takeOff(d, d.due)
	}
	return d, nil
}

// RefundNotification builds the really encrypted and signed notification of a
// refund that has reached its end as a request to the refund's notify_url, and
// sends nothing; see [Sim.Notification].
func (s *Sim) RefundNotification(outRefundNo string, change ...func(*Notification)) (*http.Request, error) {
	s.mu.Lock()
	r, exists := s.refunds[outRefundNo]
	var copied refund
	if exists {
		copied = *r
	}
	s.mu.Unlock()
	switch {
	case !exists:
		return nil, ErrNoRefund
	case copied.Status == refundProcessing:
		return nil, fmt.Errorf("wxsim: refund %s is PROCESSING: only its end is notified", outRefundNo)
	}
	return s.SignNotification(copied.notice(s.keys.account.MchID), "REFUND."+copied.Status, copied.NotifyURL, change...)
}

// Refunds returns a copy of every refund, oldest first.
func (s *Sim) Refunds() []Refund {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Refund, 0, len(s.refunded))
	for _, no := range s.refunded {
		out = append(out, s.refunds[no].Refund)
	}
	return out
}

// Refund returns a copy of one refund.
func (s *Sim) Refund(outRefundNo string) (Refund, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, exists := s.refunds[outRefundNo]
	if !exists {
		return Refund{}, false
	}
	return r.Refund, true
}
