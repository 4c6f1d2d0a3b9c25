package wxsim

import (
	"encoding/json"
	"net/http"
	"time"
)

// applyRefund is POST /v3/refund/domestic/refunds.
func (s *Sim) applyRefund() endpoint {
	fields := refundFields()
	return func(_ *http.Request, body []byte) (answer, *refusal) {
		req, refused := readRefund(fields, body)
		if refused != nil {
			return answer{}, refused
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		r, refused := s.refundAgainOrNew(req)
		if refused != nil {
			return answer{}, refused
		}
		return ok(r.resource()), nil
	}
}

// refundAgainOrNew finds the refund of an application that was made before, or
// accepts a new one. The caller holds mu.
func (s *Sim) refundAgainOrNew(req refundRequest) (*refund, *refusal) {
	r, known := s.refunds[req.OutRefundNo]
	switch {
	case known && r.params != req.params:
		return nil, &refusedRefundReentry
	case known:
		return r, nil
	}
	o, exists := s.orderOf(req)
	if !exists || !o.paid() {
		return nil, &refusedRefundNoOrder
	}
	now := s.clock.now()
	if refused := o.refundable(req, now); refused != nil {
		return nil, refused
	}
	if s.penniless {
		return nil, &refusedNotEnough
	}
	return s.acceptRefund(o, req, now), nil
}

// readRefund checks the body and reads it.
func readRefund(fields []field, body []byte) (refundRequest, *refusal) {
	var req refundRequest
	parsed, refused := parseBody(body)
	if refused != nil {
		return req, refused
	}
	if refused := checkFields("", parsed, fields); refused != nil {
		return req, refused
	}
	canonical := compact(parsed)
	if err := json.Unmarshal(canonical, &req); err != nil {
		return req, parameter("", nil, "请求体不符合要求")
	}
	req.params, req.api = string(canonical), apiV3
	if (req.TransactionID == "") == (req.OutTradeNo == "") {
		return req, parameter("/out_trade_no", nil, "transaction_id和out_trade_no必须且只能填一个")
	}
	if !addsUp(req.Amount.From, req.Amount.Refund) {
		return req, parameter("/amount/from", nil, "各账户的出资金额之和应等于退款金额")
	}
	return req, nil
}

// addsUp reports whether the accounts, if any are named, give the whole refund.
func addsUp(from []refundFrom, whole int64) bool {
	rest := whole
	for _, f := range from {
		if f.Amount > rest {
			return false
		}
		rest -= f.Amount
	}
	return from == nil || rest == 0
}

// orderOf finds the order an application names. The caller holds mu.
func (s *Sim) orderOf(req refundRequest) (*order, bool) {
	if req.TransactionID != "" {
		return s.find(s.paid[req.TransactionID])
	}
	return s.find(req.OutTradeNo)
}

// acceptRefund makes the refund: from now on the order reads REFUND. The
// caller holds mu.
func (s *Sim) acceptRefund(o *order, req refundRequest, now time.Time) *refund {
	r := &refund{
		Refund: Refund{
			OutRefundNo:   req.OutRefundNo,
			RefundID:      s.newRefundID(req.OutRefundNo, now),
			OutTradeNo:    o.OutTradeNo,
			TransactionID: o.TransactionID,
			Refund:        req.Amount.Refund,
			Total:         o.Total,
			Channel:       "ORIGINAL",
			Reason:        req.Reason,
			NotifyURL:     req.NotifyURL,
			API:           req.api,
			CreatedAt:     now.In(beijing),
		},
		params:   req.params,
		funds:    req.FundsAccount,
		from:     req.Amount.From,
		receiver: "支付用户零钱",
		fate:     s.nextFate(),
	}
	if r.funds == "" {
		r.funds = "AVAILABLE"
	}
	o.TradeState = stateRefund
	o.refunds = append(o.refunds, r)
	s.refunds[r.OutRefundNo] = r
	s.refunded = append(s.refunded, r.OutRefundNo)
	s.refundIDs[r.RefundID] = r.OutRefundNo
	s.process(r, now)
	return r
}

// queryRefund is GET /v3/refund/domestic/refunds/{out_refund_no}.
func (s *Sim) queryRefund(r *http.Request, _ []byte) (answer, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, exists := s.refunds[r.PathValue("no")]
	if !exists {
		return answer{}, &refusedNoRefund
	}
	return ok(known.resource()), nil
}
