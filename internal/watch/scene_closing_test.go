//go:build prometheus

package watch

import (
	"net/http"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// playClosing: WeChat Pay does not close an order whose time is over; and it
// takes money for one that it said not to know when the shop gave it up.
func playClosing(t *testing.T, seen *record) {
	var c clock
	s := newStall(t, &c, c.now)
	s.open(asItIs)
	m := watch(t, s.addr, seen)
	m.clear()

	m.fires(func() {
		s.sim.Fault(wxsim.Fault{Target: "close", Fault: "status_500"})
		s.buy()
		c.jump(time.Hour)
	}, "WxpayExpiredNotClosed")
	s.sim.ClearFaults()
	c.jump(15 * time.Minute) // past the next try
	m.clear()

	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "late", Delay: 5 * time.Minute})
	s.buy() // in vain, for now
	late := s.lastOrder()
	c.jump(time.Minute) // the prepay is given up
	if status, _ := post(t.Context(), s.url("/orders/"+late+"/close"), "xiaoming", ""); status != http.StatusOK {
		t.Fatalf("closing is answered with %d", status)
	}
	s.sim.ClearFaults()
	s.sim.Advance(5 * time.Minute)
	m.fires(func() {
		if err := s.sim.Pay(late); err != nil {
			t.Fatal(err)
		}
	}, "WxpayPaidLateOrTwice")
	m.clear()
}
