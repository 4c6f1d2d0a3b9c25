package till

import (
	"context"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// StepRefund takes the step that a claimed refund needs: it is applied for, or
// asked about. o is the order with the claim, stored. What is learnt is stored;
// the error says what went wrong on the way.
func (t *Till) StepRefund(ctx context.Context, o orderstore.Order, claim orderstore.Refund) (orderstore.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if claim.Status == orderstore.RefundApplying {
		return t.applyForRefund(ctx, o, claim)
	}
	asked, err := t.AskRefund(ctx, o, claim.OutRefundNo)
	if after, ok := asked.Refund(claim.OutRefundNo); err == nil && ok && after.Status != claim.Status {
		return asked, nil
	}
	saved, storeErr := t.noteRefund(ctx, o, func(o orderstore.Order) orderstore.Order {
		return o.RefundAskedInVain(claim, t.cfg.Now())
	})
	return saved, errors.Join(err, storeErr)
}

// applyForRefund sends the frozen application. After any answer but success
// WeChat is asked whether it has the refund all the same, and before any
// repetition too: only what it does not have may be sent again, and only the
// very same. Source: 申请退款, wire facts §6.7.
func (t *Till) applyForRefund(ctx context.Context, o orderstore.Order, claim orderstore.Refund) (orderstore.Order, error) {
	if claim.Tries > 1 {
		if asked, err := t.AskRefund(ctx, o, claim.OutRefundNo); !notAccepted(err) {
			if err != nil {
				return t.refundNotTaken(ctx, o, claim, fmt.Errorf("%w: %w", errNotAsked, err))
			}
			return asked, nil
		}
	}
	accepted, err := t.cfg.API.ApplyRefund(ctx, []byte(claim.Request))
	if err == nil {
		return t.SettleRefund(ctx, RefundResultOf(accepted, orderstore.FromRefund))
	}
	asked, askErr := t.AskRefund(ctx, o, claim.OutRefundNo)
	switch {
	case askErr == nil:
		return asked, nil
	case errors.Is(askErr, errNumberTaken):
		err = errNumberTaken
	}
	return t.refundNotTaken(ctx, o, claim, err)
}

// refundNotTaken writes down why WeChat did not take the refund.
func (t *Till) refundNotTaken(ctx context.Context, o orderstore.Order, claim orderstore.Refund, cause error) (orderstore.Order, error) {
	problem, verdict := judgeRefund(cause)
	s := RefundSettlement{Source: orderstore.FromRefund, Err: weChatError(cause)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storePatience) // all of the step's time may be gone
	defer cancel()
	news := false
	saved, err := t.noteRefund(ctx, o, func(o orderstore.Order) (next orderstore.Order) {
		next, s.Outcome = o.RefundNotTaken(claim, problem, verdict, t.cfg.Now())
		news = len(next.Events) > len(o.Events)
		return next
	})
	if err != nil {
		return o, errors.Join(s.Err, err)
	}
	if news {
		s.Order = saved
		s.Refund, _ = saved.Refund(claim.OutRefundNo)
		t.cfg.SettledRefund(ctx, s)
	}
	return saved, s.Err
}

func (t *Till) noteRefund(ctx context.Context, o orderstore.Order, note func(orderstore.Order) orderstore.Order) (orderstore.Order, error) {
	saved, err := t.update(ctx, o.OutTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		next := note(o)
		return next, next.Changed(o)
	})
	if err != nil {
		return o, storeError(err)
	}
	return saved, nil
}

// notAccepted reports whether WeChat said clearly that it has no such refund.
func notAccepted(err error) bool {
	return wxapi.IsCode(err, "RESOURCE_NOT_EXISTS") && !errors.Is(err, wxapi.ErrUnknown)
}

// errNotAsked is a repetition that was not sent, because WeChat could not be
// asked whether it is needed. Whatever it answered, it was no word on the refund.
var errNotAsked = errors.New("till: WeChat could not be asked about the refund")

// judgeRefund says what a failed application means for the next one. What the
// merchant can mend (money, rights, keys) is tried again; what no repetition
// of the same can change is not.
func judgeRefund(err error) (problem string, v orderstore.RefundVerdict) {
	var refusal *wxapi.Error
	problem = "NO_ANSWER"
	if errors.As(err, &refusal) && refusal.Code != "" {
		problem = refusal.Code
	}
	switch {
	case errors.Is(err, errNumberTaken):
		return "REFUND_NUMBER_TAKEN", orderstore.RefundNever
	case errors.Is(err, errNotAsked):
		return problem, orderstore.RefundLater
	case errors.Is(err, wxapi.ErrUnreachable):
		return "UNREACHABLE", orderstore.RefundLater
	case errors.Is(err, wxapi.ErrUnknown):
		return problem, orderstore.RefundUnclear
	case errors.Is(err, wxapi.ErrRequest),
		wxapi.IsCode(err, "INVALID_REQUEST", "PARAM_ERROR", "USER_ACCOUNT_ABNORMAL", "TRADE_OVERDUE", "REFUND_FEE_MISMATCH", "RESOURCE_NOT_EXISTS"):
		return problem, orderstore.RefundNever
	case refusal == nil:
		return problem, orderstore.RefundUnclear
	}
	return problem, orderstore.RefundLater
}
