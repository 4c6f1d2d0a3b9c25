package wxsim

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// v2Time is the form of every time API v2 reads, and of most it prints.
const v2Time = "20060102150405"

// v2OrderFields describes the parameters of an order (wire facts §9.4). What
// else is sent is covered by the signature and otherwise left alone.
func v2OrderFields(tradeType string) []field {
	return []field{
		{name: "device_info", max: 32},
		{name: "body", max: 127, required: true},
		{name: "detail", max: 6000},
		{name: "attach", max: 127},
		{name: "out_trade_no", max: 32, required: true, check: checkOutTradeNo},
		{name: "fee_type", max: 16, check: oneOf("CNY")},
		{name: "total_fee", kind: integer, required: true},
		{name: "spbill_create_ip", max: 64, required: true, check: checkIP},
		{name: "time_start", max: 14, check: checkV2Time},
		{name: "time_expire", max: 14, check: checkV2Time},
		{name: "goods_tag", max: 32},
		{name: "notify_url", max: 256, required: true, check: checkNotifyURL},
		{name: "product_id", max: 32, required: tradeType == "NATIVE"},
		{name: "limit_pay", max: 32, check: oneOf("no_credit")},
		{name: "openid", max: 128},
		{name: "receipt", max: 8, check: oneOf("Y")},
		{name: "scene_info", max: 256, required: tradeType == "MWEB", check: checkScene},
		{name: "profit_sharing", max: 1, check: oneOf("Y", "N")},
	}
}

// v2RefundFields describes the parameters of a refund (wire facts §9.5).
func v2RefundFields() []field {
	return []field{
		{name: "transaction_id", max: 32},
		{name: "out_trade_no", max: 32, check: checkOutTradeNo},
		{name: "out_refund_no", max: 64, required: true, check: checkOutRefundNo},
		{name: "total_fee", kind: integer, required: true},
		{name: "refund_fee", kind: integer, required: true},
		{name: "refund_fee_type", max: 8, check: oneOf("CNY")},
		{name: "refund_desc", max: 80},
		{name: "refund_account", max: 30, check: oneOf(v2Unsettled, v2Recharge)},
		{name: "notify_url", max: 256, check: checkNotifyURL},
	}
}

// checkV2 holds a message against its description. An empty element counts as
// missing, as it does in the signature.
func checkV2(in v2Message, fields []field) *v2Refusal {
	for _, f := range fields {
		value := in[f.name]
		if value == "" {
			if f.required {
				return v2LackParams.about("缺少参数" + f.name)
			}
			continue
		}
		if f.kind == integer {
			if !feeForm.MatchString(value) {
				return v2Parameter.about("invalid " + f.name)
			}
			continue
		}
		if refused := f.checkText(f.name, value); refused != nil {
			return v2Parameter.about(refused.detail.Issue)
		}
	}
	return nil
}

// feeForm is an amount in fen that fits an int64.
var feeForm = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

func checkV2Time(v string) string {
	if _, err := time.ParseInLocation(v2Time, v, beijing); err != nil {
		return "时间格式应为yyyyMMddHHmmss"
	}
	return ""
}

// checkScene wants the JSON that says where an H5 payment begins.
func checkScene(v string) string {
	var scene struct {
		H5Info map[string]any `json:"h5_info"`
	}
	if err := json.Unmarshal([]byte(v), &scene); err != nil || scene.H5Info == nil {
		return "scene_info应为含h5_info的JSON"
	}
	return ""
}

// clean drops what XML cannot hold from values that may come from API v3, so
// that what is signed is what the receiver reads.
func (m v2Message) clean() {
	for name, value := range m {
		m[name] = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' || r == '\uFFFE' || r == '\uFFFF' {
				return -1
			}
			return r
		}, value)
	}
}
