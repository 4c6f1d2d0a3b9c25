package wxsim

import (
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

// ErrOrderExists refuses a stray payment under a number that is taken.
var ErrOrderExists = errors.New("wxsim: order exists already")

// AddStrayPayment makes a payment that the merchant's own system never saw:
// paid at a given business time (zero: now), in the bill of that day, found by
// a query, and notified to nobody.
func (s *Sim) AddStrayPayment(outTradeNo string, total int64, paidAt time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	if paidAt.IsZero() {
		paidAt = now
	}
	_, exists := s.orders[outTradeNo]
	switch n := utf8.RuneCountInString(outTradeNo); {
	case exists:
		return ErrOrderExists
	case n < 6 || n > 32 || checkOutTradeNo(outTradeNo) != "":
		return fmt.Errorf("wxsim: out_trade_no %q is not one of WeChat Pay", outTradeNo)
	case total < 1:
		return fmt.Errorf("wxsim: total %d is not an amount", total)
	case paidAt.After(now):
		return fmt.Errorf("wxsim: %s has not come yet", stamp(paidAt))
	}
	s.addStray(outTradeNo, total, paidAt.In(beijing))
	return nil
}

// addStray enters the order. The caller holds mu.
func (s *Sim) addStray(outTradeNo string, total int64, at time.Time) {
	a := s.keys.account
	o := &order{Order: Order{
		OutTradeNo:    outTradeNo,
		TradeState:    stateSuccess,
		Total:         total,
		TransactionID: s.newTransactionID(outTradeNo, at),
		TimeExpire:    expiry("", at),
		Description:   "来历不明的收款",
		AppID:         a.AppID,
		MchID:         a.MchID,
		API:           apiV3,
		Product:       "native",
		OpenID:        s.customer(a.AppID),
		CreatedAt:     at,
		PlacedAt:      at,
		PaidAt:        at,
	}}
	s.orders[outTradeNo] = o
	s.placed = append(s.placed, outTradeNo)
	s.paid[o.TransactionID] = outTradeNo
}

// controlStray is POST /_sim/bill/stray; it answers with the order.
func (s *Sim) controlStray(w http.ResponseWriter, r *http.Request) {
	var body struct {
		OutTradeNo string    `json:"out_trade_no"`
		Total      int64     `json:"total"`
		PaidAt     time.Time `json:"paid_at"`
	}
	if !readControl(w, r, &body) {
		return
	}
	switch err := s.AddStrayPayment(body.OutTradeNo, body.Total, body.PaidAt); {
	case errors.Is(err, ErrOrderExists):
		refuse(w, http.StatusConflict, err)
	case err != nil:
		refuse(w, http.StatusBadRequest, err)
	default:
		o, _ := s.Order(body.OutTradeNo)
		reply(w, http.StatusOK, o)
	}
}
