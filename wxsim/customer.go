package wxsim

import (
	"context"
	"time"
)

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

// PayDuringClose makes the customer pay in the moment before the merchant's
// next close of the order arrives, which is then refused with ORDER_PAID. The
// first notification is sent meanwhile. Errors: ErrNoOrder, ErrPaid, ErrClosed,
// ErrExpired.
func (s *Sim) PayDuringClose(outTradeNo string) error {
	return s.touch(outTradeNo, func(o *order, now time.Time) error {
		err := o.payable(now)
		o.payFirst = err == nil
		return err
	})
}

// payBefore is the customer paying just before the call that is being
// answered; an order that cannot be paid stays as it is. The caller holds mu.
func (s *Sim) payBefore(o *order) {
	o.payFirst = false
	if s.markPaid(o.OutTradeNo, "") == nil {
		s.inBackground(s.newDelivery(o))
	}
}

// Begin is the customer starting to enter the password: until they pay, cancel
// or fail, or their time is over, the order still reads NOTPAY and closing it
// is 429 FREQUENCY_LIMITED. Errors: ErrNoOrder, ErrPaid, ErrClosed, ErrExpired.
func (s *Sim) Begin(outTradeNo string) error {
	return s.touch(outTradeNo, (*order).begin)
}

// Cancel is the customer closing the payment sheet; the order stays NOTPAY.
func (s *Sim) Cancel(outTradeNo string) error { return s.try(outTradeNo, "cancelled") }

// Fail is the bank refusing; the order stays NOTPAY and may be paid later.
func (s *Sim) Fail(outTradeNo string) error { return s.try(outTradeNo, "failed") }

func (s *Sim) try(outTradeNo, what string) error {
	return s.touch(outTradeNo, func(o *order, now time.Time) error { return o.try(now, what) })
}

// touch does something to one order, as of now.
func (s *Sim) touch(outTradeNo string, do func(*order, time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.find(outTradeNo)
	if !ok {
		return ErrNoOrder
	}
	return do(o, s.clock.now())
}
