package wxsim

// refusal is one way the API says no: HTTP status, code and message of the
// body, and the internal number that ends the Request-ID (wire facts §3.9).
type refusal struct {
	status  int
	code    string
	message string
	number  int
	detail  detail
}

// detail points at the parameter that was refused.
type detail struct {
	Field    string `json:"field,omitempty"` // JSON pointer in a body, name elsewhere
	Value    any    `json:"value,omitempty"`
	Issue    string `json:"issue,omitempty"`
	Location string `json:"location,omitempty"` // body, url, query, header
}

// Everything the API can refuse, side by side.
var (
	refusedAuthSyntax    = refusal{status: 401, code: "SIGN_ERROR", message: "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", number: 268443699}
	refusedScheme        = refusal{status: 401, code: "SIGN_ERROR", message: "签名信息错误，验签失败", number: 268443699}
	refusedTimestamp     = refusal{status: 401, code: "SIGN_ERROR", message: "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", number: 268443699}
	refusedMerchant      = refusal{status: 401, code: "SIGN_ERROR", message: "商户号有误，没有对应的商户API证书", number: 268443699}
	refusedSerial        = refusal{status: 401, code: "SIGN_ERROR", message: "商户证书序列号有误。请使用签名私钥匹配的证书序列号", number: 268443699}
	refusedSignature     = refusal{status: 401, code: "SIGN_ERROR", message: "签名错误，请检查后再试", number: 268443699}
	refusedUserAgent     = refusal{status: 400, code: "INVALID_REQUEST", message: "Http头缺少Accept或User-Agent", number: 268435461}
	refusedParameter     = refusal{status: 400, code: "PARAM_ERROR", message: "参数错误", number: 268435461}
	refusedUnknownField  = refusal{status: 400, code: "PARAM_ERROR", message: "参数错误：含有未定义的参数", number: 270924358}
	refusedMchMismatch   = refusal{status: 400, code: "PARAM_ERROR", message: "Http头Authorization中的mchid与参数中的mchid不一致", number: 268435461}
	refusedNoOpenID      = refusal{status: 400, code: "PARAM_ERROR", message: "JSAPI支付必须传openid", number: 268501013}
	refusedAppID         = refusal{status: 400, code: "APPID_MCHID_NOT_MATCH", message: "appid和mch_id不匹配，请检查后再试", number: 268445527}
	refusedReentry       = refusal{status: 403, code: "OUT_TRADE_NO_USED", message: "商户订单号重复：重入参数与首次下单不一致", number: 268498688}
	refusedPaidAgain     = refusal{status: 400, code: "INVALID_REQUEST", message: "该订单已支付", number: 268498689}
	refusedInvalidOrder  = refusal{status: 400, code: "INVALID_REQUEST", message: "订单已失效，请更换商户订单号重新下单", number: 268447914}
	refusedClosedOrder   = refusal{status: 400, code: "ORDER_CLOSED", message: "订单已关闭", number: 268447914}
	refusedClosePaid     = refusal{status: 400, code: "ORDER_PAID", message: "该订单已支付，不能关闭", number: 268449538}
	refusedPaying        = refusal{status: 429, code: "FREQUENCY_LIMITED", message: "用户正在支付，请稍后查单", number: 268447840}
	refusedUserPaying    = refusal{status: 202, code: "USERPAYING", message: "用户支付中，请稍后查单"} // from an old list (wire facts §5.6)
	refusedNoOrder       = refusal{status: 404, code: "ORDER_NOT_EXIST", message: "订单不存在", number: 268512771}
	refusedRefundNoOrder = refusal{status: 404, code: "RESOURCE_NOT_EXISTS", message: "订单不存在或未支付"}
	refusedRefundReentry = refusal{status: 400, code: "INVALID_REQUEST", message: "退款单号重复：参数与首次请求不一致"}
	refusedRefundTotal   = refusal{status: 400, code: "INVALID_REQUEST", message: "原订单金额与支付时的不一致"}
	refusedRefundSum     = refusal{status: 400, code: "INVALID_REQUEST", message: "申请退款金额大于可退金额"}
	refusedRefundCount   = refusal{status: 400, code: "INVALID_REQUEST", message: "该订单的退款次数已达上限"}
	refusedRefundSoon    = refusal{status: 429, code: "FREQUENCY_LIMITED", message: "同一订单的两次退款应至少间隔1分钟"}
	refusedOverdue       = refusal{status: 400, code: "TRADE_OVERDUE", message: "订单已超过退款期限"} // the status is not confirmed (wire facts §6.7)
	refusedNotEnough     = refusal{status: 403, code: "NOT_ENOUGH", message: "商户账户余额不足，请充值后用原单号重试"}
	refusedUserAccount   = refusal{status: 403, code: "USER_ACCOUNT_ABNORMAL", message: "用户账户异常或已注销，请线下退款"}
	refusedNoRefund      = refusal{status: 404, code: "RESOURCE_NOT_EXISTS", message: "退款单不存在"}
	refusedRefundNumbers = refusal{status: 400, code: "INVALID_REQUEST", message: "refund_id与out_refund_no不是同一笔退款"}
	refusedNotAbnormal   = refusal{status: 400, code: "INVALID_REQUEST", message: "只有退款异常的退款单可以发起异常退款"}
	refusedBillDate      = refusal{status: 400, code: "INVALID_REQUEST", message: "账单日期不正确"}
	refusedBillToken     = refusal{status: 400, code: "INVALID_REQUEST", message: "下载地址无效或已过期，请重新申请账单"}
	refusedCreating      = refusal{status: 400, code: "STATEMENT_CREATING", message: "账单生成中，请在十点以后再试"}
	refusedNoStatement   = refusal{status: 400, code: "NO_STATEMENT_EXIST", message: "当天没有交易，账单不存在"}
	refusedNoCert        = refusal{status: 404, code: "RESOURCE_NOT_EXISTS", message: "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥", number: 268435461}
	refusedTooOften      = refusal{status: 429, code: "FREQUENCY_LIMITED", message: "频率超限", number: 268447840}
	refusedSystem        = refusal{status: 500, code: "SYSTEM_ERROR", message: "系统异常，请用相同参数重试", number: 268435457}
)

// parameter refuses one parameter of the body, named by JSON pointer.
func parameter(pointer string, value any, issue string) *refusal {
	return refusedParameter.at("body", pointer, value, issue)
}

// at returns a copy that points at a parameter and says what is wrong with it.
func (r refusal) at(location, field string, value any, issue string) *refusal {
	r.detail = detail{Field: field, Value: value, Issue: issue, Location: location}
	if issue != "" {
		r.message += "：" + issue
	}
	return &r
}

// answer turns the refusal into what goes on the wire.
func (r refusal) answer() answer {
	return answer{
		status: r.status,
		number: r.number,
		body: compact(struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Detail  detail `json:"detail"`
		}{r.code, r.message, r.detail}),
	}
}
