package wxsim

// billColumn is one column of a trade bill.
type billColumn struct {
	name  string
	only  string // the one kind of bill that has it
	not   string // the one kind of bill that does not
	value func(billRow) string
}

// billColumns lists the 27 columns of ALL in their order, and the two that only
// REFUND has; where those stand is not confirmed, nor is what SUCCESS leaves
// out (wire facts §8.4).
func billColumns() []billColumn {
	always := func(v string) func(billRow) string { return func(billRow) string { return v } }
	return []billColumn{
		{name: "交易时间", value: func(row billRow) string { return billTime(row.at) }},
		{name: "公众账号ID", value: func(row billRow) string { return row.o.AppID }},
		{name: "商户号", value: func(row billRow) string { return row.o.MchID }},
		{name: "特约商户号", value: always("0")},
		{name: "设备号", value: func(row billRow) string { return billText(row.o.deviceID) }},
		{name: "微信订单号", value: func(row billRow) string { return row.o.TransactionID }},
		{name: "商户订单号", value: func(row billRow) string { return row.o.OutTradeNo }},
		{name: "用户标识", value: func(row billRow) string { return row.o.OpenID }},
		{name: "交易类型", value: func(row billRow) string { return row.o.tradeType() }},
		{name: "交易状态", value: ofRefund("SUCCESS", func(billRow) string { return "REFUND" })},
		{name: "付款银行", value: always("OTHERS")},
		{name: "货币种类", value: always("CNY")},
		{name: "应结订单金额", value: func(row billRow) string { return yuan(row.paid) }},
		{name: "代金券金额", value: always("0.00")},
		{name: "退款申请时间", only: billRefund, value: func(row billRow) string { return billTime(row.at) }},
		{name: "退款成功时间", only: billRefund, value: func(row billRow) string { return row.doneAt }},
		{name: "微信退款单号", not: billSuccess, value: ofRefund("0", func(row billRow) string { return row.r.RefundID })},
		{name: "商户退款单号", not: billSuccess, value: ofRefund("0", func(row billRow) string { return row.r.OutRefundNo })},
		{name: "退款金额", not: billSuccess, value: func(row billRow) string { return yuan(row.returns) }},
		{name: "充值券退款金额", not: billSuccess, value: always("0.00")},
		{name: "退款类型", not: billSuccess, value: ofRefund("", func(row billRow) string { return row.then.channel })},
		{name: "退款状态", not: billSuccess, value: ofRefund("", func(row billRow) string { return billStatus[row.then.status] })},
		{name: "商品名称", value: func(row billRow) string { return billText(row.o.Description) }},
		{name: "商户数据包", value: func(row billRow) string { return billText(row.o.Attach) }},
		{name: "手续费", value: func(row billRow) string { return feeText(row.fee) }},
		{name: "费率", value: always("0.60%")},
		{name: orderAmount, value: func(row billRow) string { return yuan(row.paid) }},
		{name: "申请退款金额", not: billSuccess, value: func(row billRow) string { return yuan(row.returns) }},
		{name: "费率备注", value: always("")},
	}
}

// orderAmount is the column that bills are reconciled by; the fault
// missing_column takes it away.
const orderAmount = "订单金额"

// ofRefund is a value that only a refund's line has.
func ofRefund(otherwise string, value func(billRow) string) func(billRow) string {
	return func(row billRow) string {
		if row.r == nil {
			return otherwise
		}
		return value(row)
	}
}

// billStatus is what bills call the states of a refund.
var billStatus = map[string]string{
	refundProcessing: "PROCESSING",
	refundSuccess:    "SUCCESS",
	refundAbnormal:   "CHANGE",
	refundClosed:     "FAIL",
}
