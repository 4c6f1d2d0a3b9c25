package wxsim

import (
	"errors"
	"net/http"
	"net/url"
)

// queryByNumber is GET /v3/pay/transactions/out-trade-no/{out_trade_no}.
func (s *Sim) queryByNumber(r *http.Request, _ []byte) (answer, *refusal) {
	return s.query(r, func() string { return r.PathValue("no") })
}

// queryByID is GET /v3/pay/transactions/id/{transaction_id}. An unpaid order
// has no such id and cannot be found by it.
func (s *Sim) queryByID(r *http.Request, _ []byte) (answer, *refusal) {
	return s.query(r, func() string { return s.paid[r.PathValue("id")] })
}

// query answers with the transaction; number is called with mu held.
func (s *Sim) query(r *http.Request, number func() string) (answer, *refusal) {
	if refused := s.queryMchID(r); refused != nil {
		return answer{}, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.find(number())
	if !exists {
		return answer{}, &refusedNoOrder
	}
	return ok(o.transaction()), nil
}

// queryMchID checks the mchid a GET carries in its query.
func (s *Sim) queryMchID(r *http.Request) *refusal {
	q, err := url.ParseQuery(r.URL.RawQuery)
	switch mchid := q.Get("mchid"); {
	case err != nil || mchid == "":
		return refusedParameter.at("query", "mchid", nil, "缺少必填参数mchid")
	case mchid != s.keys.account.MchID:
		return refusedMchMismatch.at("query", "mchid", mchid, "")
	}
	return nil
}

// closeOrder is POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close.
func (s *Sim) closeOrder(r *http.Request, body []byte) (answer, *refusal) {
	parsed, refused := parseBody(body)
	if refused != nil {
		return answer{}, refused
	}
	if refused := checkFields("", parsed, []field{{name: "mchid", max: 32, required: true}}); refused != nil {
		return answer{}, refused
	}
	if parsed["mchid"] != s.keys.account.MchID {
		return answer{}, refusedMchMismatch.at("body", "/mchid", parsed["mchid"], "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.find(r.PathValue("no"))
	if !exists {
		return answer{}, &refusedNoOrder
	}
	if refused := s.closeFound(o, struck(r)); refused != nil {
		return answer{}, refused
	}
	return answer{status: http.StatusNoContent}, nil
}

// closeFound closes an order unless a fault or the customer is quicker. The
// caller holds mu.
func (s *Sim) closeFound(o *order, fault string) *refusal {
	if fault == "userpaying" {
		return &refusedUserPaying
	}
	if o.payFirst || fault == "paid_first" {
		s.payBefore(o)
	}
	switch err := o.close(s.clock.now()); {
	case errors.Is(err, errPaying):
		return &refusedPaying
	case err != nil:
		return &refusedClosePaid
	}
	return nil
}
