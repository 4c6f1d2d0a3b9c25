package wxapi

import (
	"encoding/json"
	"errors"
	"fmt"
)

// lenientText takes a string, and "" for whatever else stands there: a field
// that decides nothing must not make a refund unreadable.
type lenientText string

func (s *lenientText) UnmarshalJSON(raw []byte) error {
	*s = lenientText(text(raw))
	return nil
}

type refundWire struct {
	MchID               string           `json:"mchid"`
	RefundID            lenientText      `json:"refund_id"`
	OutRefundNo         string           `json:"out_refund_no"`
	TransactionID       lenientText      `json:"transaction_id"`
	OutTradeNo          string           `json:"out_trade_no"`
	Channel             lenientText      `json:"channel"`
	UserReceivedAccount lenientText      `json:"user_received_account"`
	Status              string           `json:"status"`
	RefundStatus        string           `json:"refund_status"`
	CreateTime          lenientText      `json:"create_time"`
	SuccessTime         lenientText      `json:"success_time"`
	Amount              refundAmountWire `json:"amount"`
}

type refundAmountWire struct {
	Total            int64       `json:"total"`
	Refund           int64       `json:"refund"`
	PayerTotal       int64       `json:"payer_total"`
	PayerRefund      int64       `json:"payer_refund"`
	SettlementTotal  int64       `json:"settlement_total"`
	SettlementRefund int64       `json:"settlement_refund"`
	DiscountRefund   int64       `json:"discount_refund"`
	Currency         lenientText `json:"currency"`
}

// ParseRefundNotification reads the plaintext of a REFUND.* notification, which
// was verified before. It refuses what is not one JSON object, lacks mchid,
// out_refund_no, out_trade_no or refund_status, or has an amount that is not a
// whole number of fen from 0 up. Unknown fields and values, and fields that
// decide nothing, are never a reason to refuse. Source: 退款结果通知.
func ParseRefundNotification(plaintext []byte) (Refund, error) {
	return readRefund(plaintext, func(w *refundWire) []namedText {
		w.Status = w.RefundStatus
		return []namedText{{"mchid", w.MchID}, {"refund_status", w.RefundStatus}}
	})
}

// parseRefund reads the body of an application or a query; it differs from a
// notification in the name of the status, and in having no mchid.
func parseRefund(body []byte) (Refund, error) {
	return readRefund(body, func(w *refundWire) []namedText {
		w.MchID = ""
		return []namedText{{"status", w.Status}}
	})
}

type namedText struct{ name, value string }

func readRefund(body []byte, required func(*refundWire) []namedText) (Refund, error) {
	var wire *refundWire
	if err := json.Unmarshal(body, &wire); err != nil {
		return Refund{}, fmt.Errorf("refund: %w", err)
	}
	if wire == nil {
		return Refund{}, errors.New("refund: it is null")
	}
	always := []namedText{{"out_refund_no", wire.OutRefundNo}, {"out_trade_no", wire.OutTradeNo}}
	for _, field := range append(required(wire), always...) {
		if field.value == "" {
			return Refund{}, fmt.Errorf("refund: %s is missing", field.name)
		}
	}
	amount, err := wire.Amount.read()
	if err != nil {
		return Refund{}, fmt.Errorf("refund: %w", err)
	}
	refund := wire.refund()
	refund.Amount = amount
	return refund, nil
}

func (w *refundWire) refund() Refund {
	r := Refund{
		MchID: w.MchID, RefundID: string(w.RefundID), OutRefundNo: w.OutRefundNo,
		TransactionID: string(w.TransactionID), OutTradeNo: w.OutTradeNo, Channel: string(w.Channel),
		UserReceivedAccount: string(w.UserReceivedAccount), Status: w.Status,
		CreateTime: timeOrZero(string(w.CreateTime)), SuccessTime: timeOrZero(string(w.SuccessTime)),
	}
	if r.Status == "CLOSE" { // as some of the documentation spells it
		r.Status = RefundClosed
	}
	return r
}

func (w refundAmountWire) read() (RefundAmount, error) {
	if min(w.Total, w.Refund, w.PayerTotal, w.PayerRefund, w.SettlementTotal, w.SettlementRefund, w.DiscountRefund) < 0 {
		return RefundAmount{}, errors.New("amount is negative")
	}
	return RefundAmount{
		Total: w.Total, Refund: w.Refund, PayerTotal: w.PayerTotal, PayerRefund: w.PayerRefund,
		SettlementTotal: w.SettlementTotal, SettlementRefund: w.SettlementRefund,
		DiscountRefund: w.DiscountRefund, Currency: string(w.Currency),
	}, nil
}
