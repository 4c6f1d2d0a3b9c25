package wxapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/internal/lean"
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

// ParseTransaction reads the body of a query or the plaintext of a payment
// notification, either of them verified before. It refuses what is not one JSON
// object, has a field twice, lacks out_trade_no, mchid or trade_state, or has an
// amount that is not a whole number of fen from 0 up. Names of fields are
// compared by case. Unknown fields and values, and fields that decide nothing,
// are never a reason to refuse.
func ParseTransaction(body []byte) (Transaction, error) {
	t, err := readTransaction(lean.New(string(body)))
	if err != nil {
		return Transaction{}, fmt.Errorf("transaction: %w", err)
	}
	for _, field := range []struct{ name, value string }{
		{"out_trade_no", t.OutTradeNo}, {"mchid", t.MchID}, {"trade_state", t.TradeState},
	} {
		if field.value == "" {
			return Transaction{}, fmt.Errorf("transaction: %s is missing", field.name)
		}
	}
	return t, nil
}

// readTransaction reads texts that decide strictly, and those that do not by
// TextOrSkip: they must not make a payment unreadable.
func readTransaction(r *lean.Reader) (t Transaction, err error) {
	if r.Null() {
		return t, errors.New("it is null")
	}
	for field := range r.Object() {
		switch field {
		case "appid":
			t.AppID = r.TextOrSkip()
		case "mchid":
			t.MchID = r.Text()
		case "out_trade_no":
			t.OutTradeNo = r.Text()
		case "transaction_id":
			t.TransactionID = r.Text()
		case "trade_type":
			t.TradeType = r.TextOrSkip()
		case "trade_state":
			t.TradeState = r.Text()
		case "trade_state_desc":
			t.TradeStateDesc = r.TextOrSkip()
		case "bank_type":
			t.BankType = r.TextOrSkip()
		case "attach":
			t.Attach = r.TextOrSkip()
		case "success_time":
			t.SuccessTime = timeOrZero(r.TextOrSkip())
		case "payer":
			t.OpenID = readMember(r, "openid")
		case "scene_info":
			t.DeviceID = readMember(r, "device_id")
		case "amount":
			t.Amount = readAmount(r)
		case "promotion_detail":
			if !r.Null() {
				t.PromotionDetail = json.RawMessage(r.Raw())
			}
		}
	}
	return t, r.Close()
}

func readAmount(r *lean.Reader) (a TransactionAmount) {
	for field := range r.Object() {
		switch field {
		case "total":
			a.Total = r.Whole()
		case "payer_total":
			a.PayerTotal = r.Whole()
		case "currency":
			a.Currency = r.TextOrSkip()
		case "payer_currency":
			a.PayerCurrency = r.TextOrSkip()
		}
	}
	if a.Total < 0 || a.PayerTotal < 0 {
		r.Fail(errors.New("amount is negative"))
	}
	return a
}

// readMember is a text inside an optional object, "" if there is none.
func readMember(r *lean.Reader, name string) (text string) {
	if !r.Is('{') {
		r.Skip()
		return ""
	}
	for field := range r.Object() {
		if field == name {
			text = r.TextOrSkip()
		}
	}
	return text
}

// timeOrZero is a time of WeChat Pay's in UTC, zero if text is none. Fractions of
// a second are taken.
func timeOrZero(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
