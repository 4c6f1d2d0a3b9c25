package wxapi

import (
	"io"
	"time"
)

// Bill is a bill in memory.
type Bill struct {
	Rows    []BillRow
	Summary BillSummary
}

// BillRow is a payment or a refund of a bill, in fen and UTC. Columns are found
// by their name; a field whose column the bill does not have is zero.
// Source: 交易账单详细说明.
type BillRow struct {
	TradeTime       time.Time // 交易时间: of the payment, or when the refund was accepted
	AppID           string    // 公众账号ID
	MchID           string    // 商户号
	SubMchID        string    // 特约商户号, empty for a merchant of one's own
	DeviceID        string    // 设备号
	TransactionID   string    // 微信订单号
	OutTradeNo      string    // 商户订单号
	OpenID          string    // 用户标识
	TradeType       string    // 交易类型: JSAPI, NATIVE, APP, MWEB, …
	TradeState      string    // 交易状态: StateSuccess, StateRefund, or REVOKED in code pay
	BankType        string    // 付款银行
	Currency        string    // 货币种类
	OrderTotal      int64     // 订单金额: what to hold against the price; 0 in refunds. Bills of an old form have SettlementTotal only, and here too
	SettlementTotal int64     // 应结订单金额: without coupons that WeChat Pay does not settle; 0 in refunds
	CouponTotal     int64     // 代金券金额
	RefundID        string    // 微信退款单号, empty in payments
	OutRefundNo     string    // 商户退款单号, empty in payments
	RefundApplied   int64     // 申请退款金额: what to hold against a refund. Bills of an old form have Refund only, and here too
	Refund          int64     // 退款金额: without coupons that WeChat Pay does not settle
	CouponRefund    int64     // 充值券退款金额
	RefundType      string    // 退款类型: ORIGINAL, BALANCE, …
	RefundStatus    string    // 退款状态 when the bill was made, and of other values than [Refund].Status: SUCCESS, PROCESSING, FAIL, CHANGE
	RefundAppliedAt time.Time // 退款申请时间, in bills of refunds only
	RefundedAt      time.Time // 退款成功时间, in bills of refunds only
	Description     string    // 商品名称, with commas and line breaks escaped
	Attach          string    // 商户数据包, likewise
	Fee             string    // 手续费 in yuan, as it stands there: up to five decimals, negative in refunds
	Rate            string    // 费率, such as 0.60%
}

// BillSummary is the sums over all rows of the fields of the same names, in fen.
// They are those of the last line of the bill, as far as it has them.
type BillSummary struct {
	Count           int64
	OrderTotal      int64
	SettlementTotal int64
	RefundApplied   int64
	Refund          int64
	CouponRefund    int64
	Fee             string // 手续费总金额 in yuan, as it stands there
}

// ParseTradeBill reads a bill (交易账单, of any type and age) that somebody
// downloaded and unpacked. The caller limits r. There is a bill or an error:
// [ErrBillDamaged] for a line that cannot be read, for a column or the summary
// missing, and for rows whose number or sums are not the summary's; otherwise
// the error of r. An error names line and column, and no value.
func ParseTradeBill(r io.Reader) (Bill, error) {
	reader := newBillReader(r)
	var rows []BillRow
	for row, err := range reader.rows() {
		if err != nil {
			return Bill{}, err
		}
		rows = append(rows, row)
	}
	return Bill{Rows: rows, Summary: reader.summary}, nil
}
