package wxsim

import (
	"errors"
	"time"
)

// The states of WeChat's refund status.
const (
	refundProcessing = "PROCESSING"
	refundSuccess    = "SUCCESS"
	refundClosed     = "CLOSED"
	refundAbnormal   = "ABNORMAL"
)

// Why a refund could not be steered as asked; compare with errors.Is.
var (
	ErrNoRefund     = errors.New("wxsim: no such refund")
	ErrRefundEnded  = errors.New("wxsim: refund is not PROCESSING any more")
	ErrNoSuchEnding = errors.New("wxsim: a refund ends as SUCCESS, ABNORMAL or CLOSED, or stays PROCESSING")
	ErrNotPaid      = errors.New("wxsim: order is not paid")
)

// Limits of refunds (wire facts §6.4).
const (
	refundAge   = 365 * 24 * time.Hour // after payment
	refundPause = time.Minute          // between two refunds of one order
	maxRefunds  = 50                   // of one order, whatever became of them
)

// Refund is what WeChat Pay holds about one out_refund_no. GET /_sim/refunds
// prints it with the JSON names below; times are business times.
type Refund struct {
	OutRefundNo   string    `json:"out_refund_no"`
	RefundID      string    `json:"refund_id"`
	OutTradeNo    string    `json:"out_trade_no"`
	TransactionID string    `json:"transaction_id"`
	Refund        int64     `json:"refund"` // fen
	Total         int64     `json:"total"`  // fen, of the order
	Status        string    `json:"status"` // PROCESSING, SUCCESS, CLOSED, ABNORMAL
	Channel       string    `json:"channel"`
	Reason        string    `json:"reason"`
	NotifyURL     string    `json:"notify_url"` // empty: see SetRefundCallback
	API           string    `json:"api"`        // v3, or v2: how it was applied for
	CreatedAt     time.Time `json:"created_at"` // when it was accepted
	SuccessAt     time.Time `json:"success_at,omitzero"`
}

// refund is a Refund with what only the simulator needs.
type refund struct {
	Refund
	params   string       // canonical parameters of the call that was accepted
	funds    string       // funds_account
	from     []refundFrom // amount.from as it was asked
	receiver string       // user_received_account
	fate     string       // what it is going to become
	ripe     bool         // its time has come, only its fate keeps it PROCESSING
	history  []refundStep
}

// refundStep is one state a refund has entered.
type refundStep struct {
	at      time.Time
	status  string
	channel string
}

// become enters a state.
func (r *refund) become(status string, at time.Time) {
	r.Status = status
	r.history = append(r.history, refundStep{at, status, r.Channel})
	if status == refundSuccess {
		r.SuccessAt = at.In(beijing)
	}
}

// refundable says why an order cannot give back an amount now, or nil. The
// order of the checks is this simulator's own.
func (o *order) refundable(req refundRequest, now time.Time) *refusal {
	left := o.Total
	for _, r := range o.refunds {
		if r.Status != refundClosed {
			left -= r.Refund.Refund
		}
	}
	switch {
	case req.Amount.Total != o.Total:
		return &refusedRefundTotal
	case o.payerGone:
		return &refusedUserAccount
	case now.After(o.PaidAt.Add(refundAge)):
		return &refusedOverdue
	case req.Amount.Refund > left:
		return &refusedRefundSum
	case len(o.refunds) >= maxRefunds:
		return &refusedRefundCount
	case len(o.refunds) > 0 && now.Before(o.refunds[len(o.refunds)-1].CreatedAt.Add(refundPause)):
		return &refusedRefundSoon
	}
	return nil
}

// resource is the answer of wire facts §6.2: to the application, to a query
// and to an application after ABNORMAL. There are no coupons here.
func (r *refund) resource() map[string]any {
	from := r.from
	if from == nil {
		from = []refundFrom{}
	}
	out := map[string]any{
		"refund_id":             r.RefundID,
		"out_refund_no":         r.OutRefundNo,
		"transaction_id":        r.TransactionID,
		"out_trade_no":          r.OutTradeNo,
		"channel":               r.Channel,
		"user_received_account": r.receiver,
		"create_time":           stamp(r.CreatedAt),
		"status":                r.Status,
		"funds_account":         r.funds,
		"amount": map[string]any{
			"total": r.Total, "refund": r.Refund.Refund, "from": from,
			"payer_total": r.Total, "payer_refund": r.Refund.Refund,
			"settlement_total": r.Total, "settlement_refund": r.Refund.Refund,
			"discount_refund": int64(0), "currency": "CNY",
		},
	}
	if r.Status == refundSuccess {
		out["success_time"] = stamp(r.SuccessAt)
	}
	return out
}

// notice is the plaintext of a notification (wire facts §7.3). Unlike the
// resource it says refund_status and has neither currency nor channel.
func (r *refund) notice(mchid string) map[string]any {
	out := map[string]any{
		"mchid":                 mchid,
		"out_trade_no":          r.OutTradeNo,
		"transaction_id":        r.TransactionID,
		"out_refund_no":         r.OutRefundNo,
		"refund_id":             r.RefundID,
		"refund_status":         r.Status,
		"user_received_account": r.receiver,
		"amount": map[string]any{
			"total": r.Total, "refund": r.Refund.Refund, "payer_total": r.Total, "payer_refund": r.Refund.Refund,
		},
	}
	if r.Status == refundSuccess {
		out["success_time"] = stamp(r.SuccessAt)
	}
	return out
}
