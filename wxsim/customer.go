package wxsim

import "context"

// Pay is the customer paying. The first notification has been attempted when
// it returns; whether the merchant accepted it is in [Sim.Notifications].
// Errors: ErrNoOrder, ErrPaid, ErrClosed, ErrExpired.
func (s *Sim) Pay(outTradeNo string) error { return s.PayAs(outTradeNo, "") }

// PayAs is Pay by a given customer. For jsapi orders any openid but the one of
// the prepay is ErrWrongPayer.
func (s *Sim) PayAs(outTradeNo, openid string) error {
	return s.pay(context.Background(), outTradeNo, openid)
}

// pay settles the payment and sends its first notification.
func (s *Sim) pay(ctx context.Context, outTradeNo, openid string) error {
	s.mu.Lock()
	err := s.markPaid(outTradeNo, openid)
	var d *delivery
	if err == nil {
		d = s.newDelivery(s.orders[outTradeNo])
		s.takeOff(d, d.due)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.deliver(ctx, d)
	return nil
}

// PayQuietly is the customer paying while WeChat's notification is lost for
// good: nothing is sent now or later. Only a query can find out.
func (s *Sim) PayQuietly(outTradeNo string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.markPaid(outTradeNo, "")
}

// markPaid moves the order to SUCCESS. The caller holds mu.
func (s *Sim) markPaid(outTradeNo, openid string) error {
	o, ok := s.find(outTradeNo)
	if !ok {
		return ErrNoOrder
	}
	now := s.clock.now()
	if openid == "" && o.OpenID == "" {
		openid = s.customer(o.AppID)
	}
	id := s.newTransactionID(outTradeNo, now)
	if err := o.pay(now, openid, id); err != nil {
		return err
	}
	s.paid[id] = outTradeNo
	return nil
}

// Cancel is the customer closing the payment sheet; the order stays NOTPAY.
func (s *Sim) Cancel(outTradeNo string) error { return s.try(outTradeNo, "cancelled") }

// Fail is the bank refusing; the order stays NOTPAY and may be paid later.
func (s *Sim) Fail(outTradeNo string) error { return s.try(outTradeNo, "failed") }

func (s *Sim) try(outTradeNo, what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.find(outTradeNo)
	if !ok {
		return ErrNoOrder
	}
	return o.try(s.clock.now(), what)
}
