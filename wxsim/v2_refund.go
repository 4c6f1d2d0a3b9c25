package wxsim

import (
	"fmt"
	"net/http"
	"strconv"
)

// The values of refund_account.
const (
	v2Unsettled = "REFUND_SOURCE_UNSETTLED_FUNDS"
	v2Recharge  = "REFUND_SOURCE_RECHARGE_FUNDS"
)

// v2RefundStatus names the states of a refund in API v2.
var v2RefundStatus = map[string]string{
	refundProcessing: "PROCESSING",
	refundSuccess:    "SUCCESS",
	refundClosed:     "REFUNDCLOSE",
	refundAbnormal:   "CHANGE",
}

// refundV2 is POST /secapi/pay/refund.
func (s *Sim) refundV2(_ *http.Request, in v2Message) (v2Message, *v2Refusal) {
	req, refused := readRefundV2(in)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.TransactionID != "" && s.paid[req.TransactionID] == "" {
		return nil, &v2Transaction
	}
	o, exists := s.orderOfV2(in)
	if !exists {
		return nil, &v2NoOrder
	}
	r, no := s.refundAgainOrNew(req)
	if no != nil {
		return nil, asV2(no)
	}
	out := v2Message{"transaction_id": o.TransactionID, "cash_refund_fee": strconv.FormatInt(r.Refund.Refund, 10)}
	r.describe(out, "")
	return out, nil
}

// readRefundV2 checks the parameters and reads them. API v2 knows PARAM_ERROR
// here and answers it in its business layer (wire facts §9.6).
func readRefundV2(in v2Message) (refundRequest, *v2Refusal) {
	var req refundRequest
	if refused := checkV2(in, v2RefundFields()); refused != nil {
		return req, v2RefundParam.about(refused.message)
	}
	if in["transaction_id"] == "" && in["out_trade_no"] == "" {
		return req, v2RefundParam.about("缺少参数transaction_id或out_trade_no")
	}
	req = refundRequest{
		TransactionID: in["transaction_id"], OutTradeNo: in["out_trade_no"], OutRefundNo: in["out_refund_no"],
		Reason: in["refund_desc"], NotifyURL: in["notify_url"], FundsAccount: "UNSETTLED",
		params: in.params(), api: apiV2,
	}
	if in["refund_account"] == v2Recharge {
		req.FundsAccount = "AVAILABLE"
	}
	req.Amount.Refund, req.Amount.Total = fen(in["refund_fee"]), fen(in["total_fee"])
	return req, nil
}

// describe adds a refund to an answer; suffix is the _$n of a list.
func (r *refund) describe(out v2Message, suffix string) {
	amount := strconv.FormatInt(r.Refund.Refund, 10)
	total := strconv.FormatInt(r.Total, 10)
	out["out_trade_no"], out["total_fee"], out["cash_fee"], out["fee_type"] = r.OutTradeNo, total, total, "CNY"
	out["out_refund_no"+suffix] = r.OutRefundNo
	out["refund_id"+suffix] = r.RefundID
	out["refund_fee"+suffix] = amount
	out["settlement_refund_fee"+suffix] = amount
}

// maxListed is how many refunds one query lists.
const maxListed = 20

// refundQuery is POST /pay/refundquery. By a number of the order it lists all
// its refunds from offset on. Refunds made by API v3 are found, too.
func (s *Sim) refundQuery(_ *http.Request, in v2Message) (v2Message, *v2Refusal) {
	offset, err := strconv.Atoi("0" + in["offset"])
	if err != nil {
		return nil, v2RefundParam.about("offset不正确")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, refused := s.refundsOf(in)
	if refused != nil {
		return nil, refused
	}
	if offset >= len(found) {
		return nil, &v2NoRefund
	}
	listed := found[offset:min(offset+maxListed, len(found))]
	out := v2Message{"transaction_id": listed[0].TransactionID, "refund_count": strconv.Itoa(len(listed))}
	if in["offset"] != "" {
		out["total_refund_count"] = strconv.Itoa(len(found))
	}
	for i, r := range listed {
		r.list(out, fmt.Sprint("_", i))
	}
	return out, nil
}

// refundsOf finds what a query asks for; the narrowest number counts. The
// caller holds mu.
func (s *Sim) refundsOf(in v2Message) ([]*refund, *v2Refusal) {
	no := in["out_refund_no"]
	if in["refund_id"] != "" {
		no = s.refundIDs[in["refund_id"]]
	}
	switch r, exists := s.refunds[no]; {
	case exists:
		return []*refund{r}, nil
	case in["refund_id"] != "" || in["out_refund_no"] != "":
		return nil, &v2NoRefund
	case in["transaction_id"] == "" && in["out_trade_no"] == "":
		return nil, v2RefundParam.about("缺少参数out_refund_no、refund_id、out_trade_no或transaction_id")
	case in["transaction_id"] != "" && s.paid[in["transaction_id"]] == "":
		return nil, &v2Transaction
	}
	o, exists := s.orderOfV2(in)
	if !exists {
		return nil, &v2NoRefund
	}
	return o.refunds, nil
}

// list adds a refund and how far it is to the answer of a query.
func (r *refund) list(out v2Message, suffix string) {
	r.describe(out, suffix)
	out["refund_channel"+suffix] = r.Channel
	out["refund_status"+suffix] = v2RefundStatus[r.Status]
	out["refund_account"+suffix] = r.v2Account()
	out["refund_recv_accout"+suffix] = r.receiver // WeChat's own spelling
	if r.Status == refundSuccess {
		out["refund_success_time"+suffix] = billTime(r.SuccessAt)
	}
}

// v2Account names what a refund is taken from.
func (r *refund) v2Account() string {
	if r.funds == "AVAILABLE" {
		return v2Recharge
	}
	return v2Unsettled
}
