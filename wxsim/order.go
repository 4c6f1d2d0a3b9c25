package wxsim

import (
	"errors"
	"time"
)

// The states of WeChat's trade_state that this simulator knows.
const (
	stateNotPay  = "NOTPAY"
	stateSuccess = "SUCCESS"
	stateRefund  = "REFUND"
	stateClosed  = "CLOSED"
)

// Why a customer could not do what was asked; compare with errors.Is.
var (
	ErrNoOrder    = errors.New("wxsim: no such order")
	ErrPaid       = errors.New("wxsim: order is paid already")
	ErrClosed     = errors.New("wxsim: order is closed")
	ErrExpired    = errors.New("wxsim: order is past its time_expire")
	ErrWrongPayer = errors.New("wxsim: order belongs to another openid")
)

// Limits of an order's life (wire facts §3.1, §3.3).
const (
	orderLife    = 7 * 24 * time.Hour // then it closes by itself
	shortestLife = time.Minute        // an earlier time_expire is raised to it
	codeLife     = 2 * time.Hour      // of a prepay_id and a code_url
	h5Life       = 5 * time.Minute    // of an h5_url
)

// Order is what WeChat Pay holds about one out_trade_no. GET /_sim/orders
// prints it with the JSON names below; times are business times.
type Order struct {
	OutTradeNo    string    `json:"out_trade_no"`
	TradeState    string    `json:"trade_state"` // NOTPAY, SUCCESS, REFUND, CLOSED
	Total         int64     `json:"total"`       // fen
	Refunded      int64     `json:"refunded"`    // fen; refunds that have reached SUCCESS
	TransactionID string    `json:"transaction_id"`
	NotifyURL     string    `json:"notify_url"`
	TimeExpire    time.Time `json:"time_expire"` // as raised or lowered by WeChat
	Description   string    `json:"description"`
	AppID         string    `json:"appid"`
	MchID         string    `json:"mchid"`
	API           string    `json:"api"`     // v3, or v2: how it was placed, and so how its payment is notified
	Product       string    `json:"product"` // the prepay endpoint: jsapi (mini-programs too), app, h5, native
	OpenID        string    `json:"openid"`  // known from prepay for jsapi, else from payment
	Attach        string    `json:"attach"`
	PrepayID      string    `json:"prepay_id"` // the latest; for native and h5 never shown to the merchant
	CodeURL       string    `json:"code_url"`  // native; the latest, earlier ones are dead
	H5URL         string    `json:"h5_url"`
	Prepays       int       `json:"prepays"`  // how often it was placed
	Paying        bool      `json:"paying"`   // the customer is entering the password
	LastTry       string    `json:"last_try"` // what the customer did short of paying: cancelled, failed
	CreatedAt     time.Time `json:"created_at"`
	PlacedAt      time.Time `json:"placed_at"` // of the latest prepay; credentials age from here
	PaidAt        time.Time `json:"paid_at,omitzero"`
	ClosedAt      time.Time `json:"closed_at,omitzero"`
}

// order is an Order with what only the simulator needs.
type order struct {
	Order
	params   string    // canonical business parameters of the first prepay
	deviceID string    // scene_info.device_id, device_info
	signType string    // sign_type of its latest prepay by API v2
	refunds  []*refund // in order of acceptance

	payerGone bool // refunds are refused with USER_ACCOUNT_ABNORMAL
	payFirst  bool // the next close finds it paid
}

// paid reports whether the customer paid, whatever was refunded since.
func (o *order) paid() bool { return o.TradeState == stateSuccess || o.TradeState == stateRefund }

// settle closes an order that has been left unpaid for seven days.
func (o *order) settle(now time.Time) {
	if end := o.CreatedAt.Add(orderLife); o.TradeState == stateNotPay && !now.Before(end) {
		o.TradeState, o.ClosedAt, o.Paying = stateClosed, end, false
	}
}

// payable says why the order cannot be paid now, or nil. An order past its
// time_expire cannot be paid although it still reads NOTPAY.
func (o *order) payable(now time.Time) error {
	switch {
	case o.paid():
		return ErrPaid
	case o.TradeState == stateClosed:
		return ErrClosed
	case !now.Before(o.TimeExpire):
		return ErrExpired
	}
	return nil
}

// pay is the customer paying. An empty openid means whoever may pay.
func (o *order) pay(now time.Time, openid, transactionID string) error {
	if err := o.payable(now); err != nil {
		return err
	}
	if o.OpenID != "" && openid != "" && openid != o.OpenID {
		return ErrWrongPayer
	}
	if o.OpenID == "" {
		o.OpenID = openid
	}
	o.TradeState, o.PaidAt, o.TransactionID, o.Paying = stateSuccess, now, transactionID, false
	return nil
}

// try is the customer giving up, or the bank refusing; the order stays NOTPAY.
func (o *order) try(now time.Time, what string) error {
	if err := o.payable(now); err != nil {
		return err
	}
	o.LastTry, o.Paying = what, false
	return nil
}

// begin is the customer starting to enter the password.
func (o *order) begin(now time.Time) error {
	if err := o.payable(now); err != nil {
		return err
	}
	o.Paying = true
	return nil
}

// errPaying stands for 429: wait, and query.
var errPaying = errors.New("customer is paying")

// close is the merchant closing; closing a closed order is fine. It is put off
// while the customer is paying (wire facts §5.4).
func (o *order) close(now time.Time) error {
	switch {
	case o.paid():
		return ErrPaid
	case o.Paying && o.payable(now) == nil:
		return errPaying
	case o.TradeState == stateNotPay:
		o.TradeState, o.ClosedAt, o.Paying = stateClosed, now, false
	}
	return nil
}

// tradeType is the product's name in a transaction.
func (o *order) tradeType() string {
	switch o.Product {
	case "h5":
		return "MWEB"
	case "native":
		return "NATIVE"
	case "app":
		return "APP"
	}
	return "JSAPI"
}

// stateText is trade_state_desc.
func stateText(state string) string {
	switch state {
	case stateSuccess:
		return "支付成功"
	case stateRefund:
		return "转入退款"
	case stateClosed:
		return "订单已关闭"
	}
	return "订单未支付"
}

// transaction is the resource a query answers with.
func (o *order) transaction() map[string]any { return o.transactionAs(o.TradeState) }

// transactionAs is the resource of wire facts §5.2, the same in a query's
// answer and in a notification, which says SUCCESS even when a refund has come
// in between. Most of it appears only once the order is paid.
func (o *order) transactionAs(state string) map[string]any {
	t := map[string]any{
		"appid":            o.AppID,
		"mchid":            o.MchID,
		"out_trade_no":     o.OutTradeNo,
		"trade_state":      state,
		"trade_state_desc": stateText(state),
	}
	if o.deviceID != "" {
		t["scene_info"] = map[string]any{"device_id": o.deviceID}
	}
	if !o.paid() {
		return t
	}
	t["transaction_id"] = o.TransactionID
	t["trade_type"] = o.tradeType()
	t["bank_type"] = "OTHERS"
	t["success_time"] = stamp(o.PaidAt)
	t["payer"] = map[string]any{"openid": o.OpenID}
	t["amount"] = map[string]any{
		"total": o.Total, "payer_total": o.Total, "currency": "CNY", "payer_currency": "CNY",
	}
	if o.Attach != "" {
		t["attach"] = o.Attach
	}
	return t
}
