package orderstore

// PayStatus is the column pay_status of the tutorials: whether the money is
// there. Refunds stand beside it, because a refunded order was paid.
type PayStatus int

// The payment states of an order.
const (
	Unpaid PayStatus = 0
	Paid   PayStatus = 1
	Closed PayStatus = 2 // closed, or failed for good; money can still arrive late
)

// String is the text of the column pay_status_des.
func (s PayStatus) String() string {
	switch s {
	case Unpaid:
		return "已下单,未支付"
	case Paid:
		return "支付成功"
	case Closed:
		return "订单已关闭"
	}
	return "未知状态"
}

// Product is the way a customer pays. WeChat Pay binds an order number to one
// product.
type Product string

// The five products.
const (
	App         Product = "app"
	JSAPI       Product = "jsapi"       // a page inside WeChat
	MiniProgram Product = "miniprogram" // WeChat's JSAPI endpoint under the mini-program's appid
	H5          Product = "h5"          // a phone browser outside WeChat
	Native      Product = "native"      // a QR code to scan
)

// Products returns all products.
func Products() []Product { return []Product{App, JSAPI, MiniProgram, H5, Native} }

// Valid reports whether p is one of the five.
func (p Product) Valid() bool {
	switch p {
	case App, JSAPI, MiniProgram, H5, Native:
		return true
	}
	return false
}

// The trade_state values of WeChat Pay that mean something here. Others are
// kept as text and change nothing.
const (
	TradeNotPay   = "NOTPAY"
	TradeSuccess  = "SUCCESS"
	TradeRefund   = "REFUND" // paid, and at least one refund accepted since
	TradeClosed   = "CLOSED"
	TradeRevoked  = "REVOKED"
	TradePayError = "PAYERROR"
)

// CNY is the only currency of this API.
const CNY = "CNY"
