//go:build prometheus

package watch

import (
	"context"
	"sync"
	"testing"
	"time"
)

// playShop breaks the example shop in the ways that its simulator and its
// database allow.
func playShop(binary string) func(*testing.T, *record) {
	return func(t *testing.T, seen *record) {
		s := openShop(t, binary)
		m := watch(t, s.addr, seen)
		beside(t, s.trade)
		m.clear()

		moneyGoesAstray(s, m)
		weChatIsIll(s, m)
		diskIsSlow(s, m)
		storeIsGone(s, m)

		m.fires(s.stop, "WxpayAbsent")
		s.start()
		m.clear()
	}
}

// moneyGoesAstray: a payment and two refunds that do not fit or cannot be made,
// an application that fails, and forgers.
func moneyGoesAstray(s *shop, m *monitor) {
	refunded, poor := s.buy(), s.buy()
	s.pay(refunded)
	s.pay(poor)
	var calm func()
	m.fires(func() {
		s.sql(`ALTER TABLE grants RENAME TO grants_away`) // OnPaid fails
		s.fault(`{"target":"notify","fault":"wrong_amount","count":1}`)
		s.sim("refunds/decide", `{"out_refund_no":"","status":"ABNORMAL"}`)
		s.post(s.kit("/orders/"+refunded+"/refunds"), "admin", `{"refund":100,"out_refund_no":"refund-1"}`)
		s.sim("refunds/balance", `{"enough":false}`)
		s.post(s.kit("/orders/"+poor+"/refunds"), "admin", `{"refund":100,"out_refund_no":"refund-2"}`)
		s.sim("clock", `{"advance":"5s"}`)
		calm = beside(s.t, s.forge)
	}, "WxpayMoneyAnomaly", "WxpayNotificationsRefused", "WxpayRefundNeedsPerson", "WxpayForgedNotifications",
		"WxpayOnPaidFailing", "WxpayPaidNotHandedOver", "WxpayRefundAccountEmpty")
	calm()
	s.mend()
	s.sim("refunds/balance", `{"enough":true}`)
	s.sql(`ALTER TABLE grants_away RENAME TO grants`)
}

// forge sends what nobody has signed, until ctx ends.
func (s *shop) forge(ctx context.Context) {
	for ctx.Err() == nil {
		s.post(s.kit("/notify"), "", `{}`)
		time.Sleep(50 * time.Millisecond)
	}
}

// weChatIsIll: it is slow and loses notifications, and then mostly fails.
func weChatIsIll(s *shop, m *monitor) {
	m.fires(func() {
		s.fault(`{"target":"notify","fault":"drop"}`)
		s.fault(`{"target":"prepay","fault":"slow","delay":"3s"}`)
	}, "WxpayNotificationsLost", "WxpayWeChatSlow")
	s.mend()
	m.fires(func() {
		s.fault(`{"target":"prepay","fault":"status_500","rate":0.8}`)
		s.fault(`{"target":"prepay","fault":"unsigned"}`) // where the other does not strike
	}, "WxpayPrepayFailing", "WxpayWeChatNotVerified", "WxpayWeChatUnreachable")
	s.mend()
}

// diskIsSlow: somebody holds the file for seconds, over and over, as a backup
// may, and each time two customers pay.
func diskIsSlow(s *shop, m *monitor) {
	unpaid := make(chan string, 2*50)
	for range cap(unpaid) {
		unpaid <- s.buy()
	}
	var mend func()
	m.fires(func() {
		mend = beside(s.t, func(ctx context.Context) {
			var customers sync.WaitGroup
			defer customers.Wait()
			for ctx.Err() == nil {
				err := s.hold(ctx, func() {
					customers.Go(func() { s.pay(<-unpaid) })
					customers.Go(func() { s.pay(<-unpaid) })
					time.Sleep(3 * time.Second)
				})
				if err != nil && ctx.Err() == nil {
					s.t.Error(err)
				}
				time.Sleep(100 * time.Millisecond) // for those who wait
			}
		})
	}, "WxpayNotificationsSlow", "WxpayCommitsSlow")
	mend()
}

// storeIsGone: its table is, for a while.
func storeIsGone(s *shop, m *monitor) {
	m.fires(func() { s.sql(`ALTER TABLE pay_order_record RENAME TO away`) }, "WxpayStoreErrors")
	s.sql(`ALTER TABLE away RENAME TO pay_order_record`)
	m.clear()
}
