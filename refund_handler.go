package wxpay

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
)

// refundRequest is the body of POST /orders/{out_trade_no}/refunds.
type refundRequest struct {
	Refund      *orderstore.Fen `json:"refund"`
	Reason      string          `json:"reason"`
	OutRefundNo string          `json:"out_refund_no"`
}

// refundAnswer is a refund as front ends see it.
type refundAnswer struct {
	OutTradeNo  string                  `json:"out_trade_no"`
	OutRefundNo string                  `json:"out_refund_no"`
	RefundID    string                  `json:"refund_id"`
	Refund      orderstore.Fen          `json:"refund"`
	Amount      string                  `json:"amount"`
	Total       orderstore.Fen          `json:"total"`
	Reason      string                  `json:"reason"`
	Status      orderstore.RefundStatus `json:"status"`
	StatusDes   string                  `json:"status_des"`
	Problem     string                  `json:"problem,omitempty"` // WeChat's code: why it is not accepted
	RefundTime  string                  `json:"refund_time"`       // YYYY-MM-DD HH:mm:ss, Beijing; empty until the money is back
}

func showRefund(o *Order, r Refund) refundAnswer {
	a := refundAnswer{
		OutTradeNo: o.OutTradeNo, OutRefundNo: r.OutRefundNo, RefundID: r.RefundID,
		Refund: r.Amount, Amount: r.Amount.String(), Total: o.Total, Reason: r.Reason,
		Status: r.Status, StatusDes: r.Status.String(), Problem: r.Problem,
	}
	if !r.RefundedAt.IsZero() {
		a.RefundTime = beijing(r.RefundedAt).Format(time.DateTime)
	}
	return a
}

// CreateRefund refunds an order, in whole or in part: POST
// /orders/{out_trade_no}/refunds, for those whom Options.AuthorizeRefund
// admits. The refund is stored before WeChat hears of it and then goes its way
// by itself; one out_refund_no is one refund, however often it is posted.
// Without out_refund_no the number follows from the Idempotency-Key, if there
// is one, or is the order's next.
func (k *Kit) CreateRefund() http.Handler {
	return k.endpoint("refund", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		userID, err := k.poster(r)
		if err != nil {
			return answer{}, err
		}
		o, err := k.orderToRefund(r, userID)
		if err != nil {
			return answer{}, err
		}
		var req refundRequest
		if err := readJSON(w, r, &req); err != nil {
			return answer{}, err
		}
		if err := req.check(); err != nil {
			return answer{}, err
		}
		refunded, refund, err := k.till.Refund(r.Context(), o.OutTradeNo, till.RefundWish{
			OutRefundNo: req.number(o, userID, r.Header.Get("Idempotency-Key")),
			Amount:      *req.Refund, Reason: req.Reason, AskedBy: userID,
		})
		switch {
		case err != nil:
			return answer{}, err
		case refund.Status == orderstore.RefundRefused:
			f := problemRefused.because(nil)
			f.data = showRefund(&refunded, refund)
			return answer{}, f
		}
		return done(refunded.OutTradeNo, showRefund(&refunded, refund), text{"退款申请已提交", "refund requested"}), nil
	})
}

// check reports the first parameter that is missing or wrong. Whether the
// order has so much left is a rule of the order.
func (req refundRequest) check() error {
	switch {
	case req.Refund == nil:
		return missing("refund").because(nil)
	case *req.Refund < 1:
		return malformed("refund").because(nil)
	case req.OutRefundNo != "" && !orderstore.ValidRefundNumber(req.OutRefundNo):
		return malformed("out_refund_no").because(nil)
	case len(req.Reason) > maxText*2 || strings.ContainsFunc(req.Reason, unicode.IsControl):
		return malformed("reason").because(nil)
	}
	return nil
}

// number names the refund. Two clicks at the same time see the same order, and
// so are one refund even without a key.
func (req refundRequest) number(o *Order, userID, key string) string {
	switch {
	case req.OutRefundNo != "":
		return req.OutRefundNo
	case key != "":
		return till.Number("refund by key", o.OutTradeNo, userID, key)
	}
	return till.Number("refund", o.OutTradeNo, strconv.Itoa(len(o.Refunds)))
}

// RefundStatus says how far a refund is: GET
// /orders/{out_trade_no}/refunds/{out_refund_no}, for the owner of the order
// and those whom Options.AuthorizeRefund admits. WeChat is asked about one that
// is under way.
func (k *Kit) RefundStatus() http.Handler {
	return k.endpoint("refund", func(_ http.ResponseWriter, r *http.Request) (answer, error) {
		userID, err := k.user(r)
		if err != nil {
			return answer{}, err
		}
		o, err := k.readableOrder(r, userID, pathValue(r, "out_trade_no"))
		if err != nil {
			return answer{}, err
		}
		number := pathValue(r, "out_refund_no")
		if _, ok := o.Refund(number); !ok {
			return answer{}, problemNoRefund.because(nil)
		}
		o = k.refreshRefund(r.Context(), o, number)
		refund, _ := o.Refund(number)
		return done(o.OutTradeNo, showRefund(o, refund), success), nil
	})
}

// refreshRefund asks WeChat about a refund that is under way, if nobody has
// just done so. If it cannot be asked, what is known is the answer.
func (k *Kit) refreshRefund(ctx context.Context, o *Order, outRefundNo string) *Order {
	refund, _ := o.Refund(outRefundNo)
	if refund.Status.Final() || refund.Status == orderstore.RefundApplying {
		return o
	}
	f, _, err := k.refreshing.Do(ctx, "refund "+outRefundNo, func(ctx context.Context) (fresh, error) {
		if k.asks.Take(outRefundNo, k.opt.Now()) != flight.Go {
			return k.reread(ctx, o, true), nil
		}
		if _, err := k.till.AskRefund(ctx, *o, outRefundNo); err != nil {
			k.asks.Fail(outRefundNo)
		}
		return k.reread(ctx, o, true), nil
	})
	if err != nil {
		return o
	}
	return f.Order
}
