package wxpay_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestCloseOvertakenByAPrepay: an order that never reached WeChat is given up.
// While WeChat's word that it does not know the order is on its way, the
// customer tries again and gets a credential. The order must not be closed
// here and open there.
func TestCloseOvertakenByAPrepay(t *testing.T) {
	t.Parallel()
	way := &heldAnswer{answered: make(chan struct{}), release: make(chan struct{})}
	s := open(t, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: way} })
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
	r := s.do("POST", "/pay/prepay/app", "u1", body("app", "vip-month"))
	var o order
	if err := json.Unmarshal(r.Data, &o); err != nil || r.status != 502 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	s.clock.advance(2 * time.Minute)

	closed := make(chan reply)
	go func() { closed <- s.do("POST", "/pay/orders/"+o.OutTradeNo+"/close", "u1", "") }()
	<-way.answered
	signed := s.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+o.OutTradeNo+`"}`)
	close(way.release)
	r = <-closed
	at, _ := s.sim.Order(o.OutTradeNo)
	if here := s.stored(o.OutTradeNo); here.PayStatus == orderstore.Closed && at.TradeState != "CLOSED" {
		t.Errorf("paysign is answered %d with %q, close %d: the order is closed here, at WeChat it is %s until %v",
			signed.status, here.PrepayID, r.status, at.TradeState, at.TimeExpire)
	}
}

// heldAnswer keeps the first answer to a query back.
type heldAnswer struct {
	once              sync.Once
	answered, release chan struct{}
}

func (h *heldAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := wire.RoundTrip(r)
	if r.Method == http.MethodGet {
		h.once.Do(func() { close(h.answered); <-h.release })
	}
	return resp, err
}
