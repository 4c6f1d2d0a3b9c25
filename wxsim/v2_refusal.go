package wxsim

// v2Refusal is one way API v2 says no. HTTP is 200 all the same.
type v2Refusal struct {
	code    string // err_code
	message string // err_code_des; return_msg when unheard

	// unheard is a call that fails before its business is looked at: the
	// answer is return_code FAIL with return_msg alone, and is not signed
	// (wire facts §9.4). Its code goes to the log only.
	unheard bool
}

// What API v2 can refuse on its own.
var (
	v2NotPost     = v2Refusal{"REQUIRE_POST_METHOD", "请使用post方法", true}
	v2Empty       = v2Refusal{"POST_DATA_EMPTY", "post数据为空", true}
	v2NotUTF8     = v2Refusal{"NOT_UTF8", "编码格式错误，请使用UTF-8", true}
	v2NoXML       = v2Refusal{"XML_FORMAT_ERROR", "XML格式错误", true}
	v2TooLarge    = v2Refusal{"XML_FORMAT_ERROR", "XML过大", true}
	v2LackParams  = v2Refusal{"LACK_PARAMS", "缺少参数", true}
	v2Parameter   = v2Refusal{"PARAM_ERROR", "参数错误", true}
	v2NoMerchant  = v2Refusal{"MCHID_NOT_EXIST", "商户号mch_id不存在", true}
	v2BadSign     = v2Refusal{"SIGNERROR", "签名错误", true}
	v2AppID       = v2Refusal{"APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", true}
	v2Certificate = v2Refusal{"NOAUTH", "证书验证失败", true}
	v2NoOpenID    = v2Refusal{"LACK_PARAMS", "JSAPI支付必须传openid", true}
	v2Closed      = v2Refusal{code: "ORDERCLOSED", message: "订单已关闭"}
	v2TooEarly    = v2Refusal{code: "TRADE_STATE_ERROR", message: "下单后5分钟内不能关闭订单"}
	v2NoOrder     = v2Refusal{code: "ORDERNOTEXIST", message: "此交易订单号不存在"}
	v2Transaction = v2Refusal{code: "INVALID_TRANSACTIONID", message: "无效transaction_id"}
	v2RefundParam = v2Refusal{code: "PARAM_ERROR", message: "参数错误"}
	v2NoRefund    = v2Refusal{code: "REFUNDNOTEXIST", message: "退款订单查询失败"}
	v2System      = v2Refusal{code: "SYSTEMERROR", message: "系统错误，请用相同参数重试"}
	v2TooOften    = v2Refusal{code: "FREQUENCY_LIMITED", message: "频率限制"}
)

// v2Codes names in API v2 what both versions refuse for the same reason.
var v2Codes = map[*refusal]string{
	&refusedPaidAgain:     "ORDERPAID",
	&refusedInvalidOrder:  "ORDERCLOSED",
	&refusedClosedOrder:   "ORDERCLOSED",
	&refusedReentry:       "OUT_TRADE_NO_USED",
	&refusedClosePaid:     "ORDERPAID",
	&refusedPaying:        "TRADE_STATE_ERROR",
	&refusedUserPaying:    "TRADE_STATE_ERROR",
	&refusedRefundNoOrder: "ORDERNOTEXIST",
	&refusedRefundReentry: "ERROR",
	&refusedRefundTotal:   "ERROR",
	&refusedRefundSum:     "ERROR",
	&refusedRefundCount:   "ERROR",
	&refusedRefundSoon:    "FREQUENCY_LIMITED",
	&refusedOverdue:       "TRADE_OVERDUE",
	&refusedNotEnough:     "NOTENOUGH",
	&refusedUserAccount:   "USER_ACCOUNT_ABNORMAL",
}

// asV2 translates a refusal of the rules that both versions share.
func asV2(refused *refusal) *v2Refusal {
	code, known := v2Codes[refused]
	if !known {
		return &v2System
	}
	return &v2Refusal{code: code, message: refused.message}
}

// about returns a copy that says what is wrong.
func (r v2Refusal) about(issue string) *v2Refusal {
	r.message = issue
	return &r
}

// fields is what the refusal says on the wire, before it is signed.
func (r v2Refusal) fields() v2Message {
	if r.unheard {
		return v2Message{"return_code": "FAIL", "return_msg": r.message}
	}
	return v2Message{"result_code": "FAIL", "err_code": r.code, "err_code_des": r.message}
}
