package till

import (
	"context"
	"errors"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Settle applies what WeChat said to the order it speaks of and stores the
// result. It is the only way from a fact to an order, whoever told the fact.
// The error is orderstore.ErrNotFound, a *orderstore.MismatchError (the
// anomaly is stored then), or [ErrStore].
//
// Money that the application shall not have is given back in the same write:
// what came after closing, if the shop wants it so, and what came beside
// another attempt's for the same Ref.
func (t *Till) Settle(ctx context.Context, p orderstore.Payment) (orderstore.Order, error) {
	s := Settlement{Source: p.Source}
	var changed bool
	var winner, rival string // who pays for the Ref; whose Ref is in question
	for {
		var undecided error
		var err error
		s.Order, err = t.update(ctx, p.OutTradeNo, func(o orderstore.Order) (next orderstore.Order, _ bool) {
			next, s.Outcome, s.Err = o.Apply(p, t.cfg.Now())
			next, s.Outcome, undecided = t.decide(next, p, s.Outcome, winner)
			rival, changed = o.Ref, next.Changed(o)
			return next, changed && undecided == nil
		})
		switch {
		case err != nil:
			return orderstore.Order{}, storeError(err)
		case errors.Is(undecided, errWhoPays):
			if winner, err = t.claimRef(ctx, rival, p.OutTradeNo); err != nil {
				return orderstore.Order{}, err
			}
			continue
		case undecided != nil:
			return orderstore.Order{}, undecided
		}
		break
	}
	if changed && s.Outcome != orderstore.Noted { // a claim heard again is no news
		t.cfg.Settled(ctx, s)
		t.tellNotGivenBack(ctx, s)
		t.hurryRivals(ctx, s)
	}
	return s.Order, s.Err
}

// decide says what becomes of money that has just arrived: it stays, and the
// application gets the order, or it goes back. winner is the attempt that pays
// for the order's Ref, as far as the caller knows; errWhoPays asks for it.
func (t *Till) decide(o orderstore.Order, p orderstore.Payment, outcome orderstore.Outcome, winner string) (orderstore.Order, orderstore.Outcome, error) {
	late := outcome == orderstore.BecamePaidLate
	switch {
	case outcome != orderstore.BecamePaid && !late:
		return o, outcome, nil
	case late && t.cfg.RefundLate:
		next, err := t.giveBack(o, orderstore.GivenBackLate)
		return next, outcome, err
	case o.Ref == "":
		return o, outcome, nil
	case o.OutTradeNo == attemptNumber(o.Ref, 0):
		o, winner = o.ClaimRef(o.OutTradeNo, t.cfg.Now())
	case winner == "":
		return o, outcome, errWhoPays
	}
	if winner == o.OutTradeNo {
		return o, outcome, nil
	}
	next, err := t.giveBack(o.PaidAgain(p, winner, t.cfg.Now()), orderstore.GivenBackAgain)
	return next, orderstore.BecamePaidAgain, err
}

// reasons are what the customer is told of money that comes back.
var reasons = map[string]string{
	orderstore.GivenBackLate:  "订单已关闭，款项原路退回",
	orderstore.GivenBackAgain: "订单重复支付，款项原路退回",
}

// giveBack makes the whole payment a refund, with a number that follows from
// the order's: it is given back once.
func (t *Till) giveBack(o orderstore.Order, why string) (orderstore.Order, error) {
	r, err := t.freezeRefund(o, RefundWish{OutRefundNo: backNumber(o), Amount: o.Total, Reason: reasons[why]})
	if err != nil {
		return o, err
	}
	return o.GiveBack(r, why, t.cfg.Now())
}

// backNumber is the number of the refund that gives the whole payment back.
func backNumber(o orderstore.Order) string { return Number("back", o.OutTradeNo) }

// tellNotGivenBack tells of money that is to go back and for which there is no
// refund: nothing else would ever speak of it again.
func (t *Till) tellNotGivenBack(ctx context.Context, s Settlement) {
	if s.Outcome != orderstore.BecamePaidLate && s.Outcome != orderstore.BecamePaidAgain {
		return
	}
	if err := s.Order.NotGivenBack(backNumber(s.Order), t.cfg.Now()); err != nil {
		t.cfg.SettledRefund(ctx, RefundSettlement{
			Order: s.Order, Source: s.Source, Outcome: orderstore.RefundNotBegun, Err: err,
			Refund: orderstore.Refund{OutRefundNo: backNumber(s.Order), Amount: s.Order.Total},
		})
	}
}

// PaymentOf translates WeChat's transaction into the order's terms.
func PaymentOf(tx wxapi.Transaction, source orderstore.Source) orderstore.Payment {
	return orderstore.Payment{
		Source:        source,
		OutTradeNo:    tx.OutTradeNo,
		MchID:         tx.MchID,
		AppID:         tx.AppID,
		TradeState:    tx.TradeState,
		TransactionID: tx.TransactionID,
		PaidAt:        tx.SuccessTime,
		Total:         orderstore.Fen(tx.Amount.Total),
		PayerTotal:    orderstore.Fen(tx.Amount.PayerTotal),
		Currency:      tx.Amount.Currency,
	}
}
