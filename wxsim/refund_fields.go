package wxsim

import "regexp"

// refundRequest is what the simulator uses of a checked application.
type refundRequest struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	OutRefundNo   string `json:"out_refund_no"`
	Reason        string `json:"reason"`
	NotifyURL     string `json:"notify_url"`
	FundsAccount  string `json:"funds_account"`
	Amount        struct {
		Refund int64        `json:"refund"`
		Total  int64        `json:"total"`
		From   []refundFrom `json:"from"`
	} `json:"amount"`
	params string // canonical form, to recognise the same request again
	api    string // what it came by
}

// refundFrom is one account a refund is taken from.
type refundFrom struct {
	Account string `json:"account"`
	Amount  int64  `json:"amount"`
}

// refundFields describes the body of an application (wire facts §6.1). There
// is no mchid in it.
func refundFields() []field {
	return []field{
		{name: "transaction_id", max: 32},
		{name: "out_trade_no", min: 6, max: 32, check: checkOutTradeNo},
		{name: "out_refund_no", max: 64, required: true, check: checkOutRefundNo},
		{name: "reason", max: 80},
		{name: "notify_url", min: 8, max: 256, check: checkNotifyURL},
		{name: "funds_account", max: 32, check: oneOf("AVAILABLE", "UNSETTLED")},
		{name: "amount", kind: object, required: true, fields: []field{
			{name: "refund", kind: integer, min: 1, required: true},
			{name: "total", kind: integer, min: 1, required: true},
			{name: "currency", max: 16, required: true, check: oneOf("CNY")},
			{name: "from", kind: list, fields: []field{
				{name: "account", max: 32, required: true, check: oneOf("AVAILABLE", "UNAVAILABLE")},
				{name: "amount", kind: integer, min: 1, required: true},
			}},
		}},
		{name: "goods_detail", kind: list, fields: []field{
			{name: "merchant_goods_id", max: 32, required: true, check: checkGoodsID},
			{name: "wechatpay_goods_id", max: 32},
			{name: "goods_name", max: 256},
			{name: "unit_price", kind: integer, required: true},
			{name: "refund_amount", kind: integer, required: true},
			{name: "refund_quantity", kind: integer, min: 1, required: true},
		}},
	}
}

// abnormalFields describes the body of an application after ABNORMAL (wire
// facts §6.6).
func abnormalFields() []field {
	return []field{
		{name: "out_refund_no", max: 64, required: true, check: checkOutRefundNo},
		{name: "type", max: 32, required: true, check: oneOf(userCard, merchantCard)},
		{name: "bank_type", max: 32, check: oneOf(
			"CMB_DEBIT", "COMM_DEBIT", "ABC_DEBIT", "CCB_DEBIT", "ICBC_DEBIT", "BOC_DEBIT", "PAB_DEBIT", "SPDB_DEBIT",
			"CITIC_DEBIT", "CEB_DEBIT", "CMBC_DEBIT", "CIB_DEBIT", "GDB_DEBIT", "PSBC_DEBIT", "NBCB_DEBIT")},
		{name: "bank_account", max: 1024},
		{name: "real_name", max: 1024},
	}
}

// Where an abnormal refund may go.
const (
	userCard     = "USER_BANK_CARD"
	merchantCard = "MERCHANT_BANK_CARD"
)

var outRefundNoForm = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]+$`)

func checkOutRefundNo(v string) string {
	if outRefundNoForm.MatchString(v) {
		return ""
	}
	return "out_refund_no只能是数字、大小写字母和_-|*@"
}
