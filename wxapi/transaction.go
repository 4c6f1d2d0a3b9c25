package wxapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The values of [Transaction].TradeState that these calls meet; code pay adds
// USERPAYING, PAYERROR and REVOKED, and the list may grow.
// Source: 查询订单, trade_state.
const (
	StateSuccess = "SUCCESS" // paid
	StateRefund  = "REFUND"  // paid, and refunded in part or whole
	StateNotPay  = "NOTPAY"  // not paid yet, also past time_expire; not a failure
	StateClosed  = "CLOSED"  // closed by the merchant, or by itself after seven days
)

// Transaction is an order as WeChat Pay sees it: the answer of a query and the
// plaintext of a payment notification. Only OutTradeNo, MchID and TradeState
// are always there. Source: 查询订单, 支付通知.
type Transaction struct {
	AppID          string
	MchID          string
	OutTradeNo     string
	TransactionID  string // once paid
	TradeType      string // once paid: JSAPI (mini-programs too), NATIVE, APP, MWEB (H5), …
	TradeState     string
	TradeStateDesc string
	BankType       string    // once paid; an open set
	Attach         string    // once paid, if it was sent
	SuccessTime    time.Time // once paid, UTC; zero when absent or not a time
	OpenID         string    // once paid: payer.openid
	DeviceID       string    // scene_info.device_id, if it was sent

	// Amount is zero when WeChat Pay sent none, as it may for unpaid orders. A
	// price is 1 fen at least, so zero is nobody's payment.
	Amount TransactionAmount

	// PromotionDetail is the coupons used, as sent; nil for none.
	PromotionDetail json.RawMessage
}

// TransactionAmount is the money of a [Transaction], in fen.
type TransactionAmount struct {
	Total         int64  // the price: what to hold against the order
	PayerTotal    int64  // what the customer paid, coupons taken off; 0 when absent
	Currency      string // CNY; empty when absent
	PayerCurrency string // what PayerTotal is in
}

// Paid reports whether the customer's money has come in. A refunded order was
// paid too.
func (t Transaction) Paid() bool {
	return t.TradeState == StateSuccess || t.TradeState == StateRefund
}

// lenientText takes a string, and "" for whatever else stands there: a field
// that decides nothing must not make a payment unreadable.
type lenientText string

func (s *lenientText) UnmarshalJSON(raw []byte) error {
	*s = lenientText(text(raw))
	return nil
}

type transactionWire struct {
	AppID           lenientText     `json:"appid"`
	MchID           string          `json:"mchid"`
	OutTradeNo      string          `json:"out_trade_no"`
	TransactionID   string          `json:"transaction_id"`
	TradeType       lenientText     `json:"trade_type"`
	TradeState      string          `json:"trade_state"`
	TradeStateDesc  lenientText     `json:"trade_state_desc"`
	BankType        lenientText     `json:"bank_type"`
	Attach          lenientText     `json:"attach"`
	SuccessTime     lenientText     `json:"success_time"`
	Payer           json.RawMessage `json:"payer"`
	SceneInfo       json.RawMessage `json:"scene_info"`
	PromotionDetail json.RawMessage `json:"promotion_detail"`
	Amount          amountWire      `json:"amount"`
}

type amountWire struct {
	Total         int64       `json:"total"`
	PayerTotal    int64       `json:"payer_total"`
	Currency      lenientText `json:"currency"`
	PayerCurrency lenientText `json:"payer_currency"`
}

// ParseTransaction reads the body of a query or the plaintext of a payment
// notification, either of them verified before. It refuses what is not one JSON
// object, lacks out_trade_no, mchid or trade_state, or has an amount that is not
// a whole number of fen from 0 up. Unknown fields and values, and fields that
// decide nothing, are never a reason to refuse.
func ParseTransaction(body []byte) (Transaction, error) {
	var wire *transactionWire
	if err := json.Unmarshal(body, &wire); err != nil {
		return Transaction{}, fmt.Errorf("transaction: %w", err)
	}
	if wire == nil {
		return Transaction{}, errors.New("transaction: it is null")
	}
	for _, field := range []struct{ name, value string }{
		{"out_trade_no", wire.OutTradeNo}, {"mchid", wire.MchID}, {"trade_state", wire.TradeState},
	} {
		if field.value == "" {
			return Transaction{}, fmt.Errorf("transaction: %s is missing", field.name)
		}
	}
	amount, err := wire.Amount.read()
	if err != nil {
		return Transaction{}, fmt.Errorf("transaction: %w", err)
	}
	t := wire.transaction()
	t.Amount = amount
	return t, nil
}

func (w *transactionWire) transaction() Transaction {
	t := Transaction{
		AppID: string(w.AppID), MchID: w.MchID, OutTradeNo: w.OutTradeNo, TransactionID: w.TransactionID,
		TradeType: string(w.TradeType), TradeState: w.TradeState, TradeStateDesc: string(w.TradeStateDesc),
		BankType: string(w.BankType), Attach: string(w.Attach),
		OpenID: member(w.Payer, "openid"), DeviceID: member(w.SceneInfo, "device_id"),
	}
	if at, err := time.Parse(time.RFC3339, string(w.SuccessTime)); err == nil {
		t.SuccessTime = at.UTC()
	}
	if string(w.PromotionDetail) != "null" {
		t.PromotionDetail = w.PromotionDetail
	}
	return t
}

func (w amountWire) read() (TransactionAmount, error) {
	if w.Total < 0 || w.PayerTotal < 0 {
		return TransactionAmount{}, errors.New("amount is negative")
	}
	return TransactionAmount{
		Total: w.Total, PayerTotal: w.PayerTotal,
		Currency: string(w.Currency), PayerCurrency: string(w.PayerCurrency),
	}, nil
}

// member is a text inside an optional object, "" if there is none.
func member(object json.RawMessage, name string) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) != nil {
		return ""
	}
	return text(fields[name])
}
