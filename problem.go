package wxpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// text is a message for people, in the two languages the kit speaks.
type text struct{ zh, en string }

// problem is an answer that is no success. The tutorials' codes are 301, 404
// and 500; beyond them the code is the HTTP status.
type problem struct {
	name   string // outcome in metrics and log
	code   int    // in the envelope
	status int    // HTTP
	text
}

var (
	problemParameter    = problem{"bad_parameter", 301, http.StatusBadRequest, text{"参数错误", "bad parameter"}}
	problemNotJSON      = problem{"bad_parameter", 301, http.StatusBadRequest, text{"请求体不是有效的JSON", "the body is not valid JSON"}}
	problemIdentity     = problem{"not_identified", 401, http.StatusUnauthorized, text{"请先登录", "please sign in"}}
	problemForeign      = problem{"not_yours", 403, http.StatusForbidden, text{"无权操作该订单", "this order is not yours"}}
	problemUser         = problem{"not_yours", 403, http.StatusForbidden, text{"user_id与登录用户不一致", "user_id is not the signed-in user"}}
	problemLink         = problem{"bad_link", 403, http.StatusForbidden, text{"支付链接无效", "this payment link is not valid"}}
	problemLinkExpired  = problem{"link_expired", 403, http.StatusForbidden, text{"支付链接已过期", "this payment link has expired"}}
	problemOrigin       = problem{"bad_origin", 403, http.StatusForbidden, text{"请求来源不被允许", "requests from this origin are not allowed"}}
	problemClientIP     = problem{"no_client_ip", 403, http.StatusForbidden, text{"无法识别用户IP地址", "your address cannot be told to WeChat Pay"}}
	problemOpenID       = problem{"not_yours", 403, http.StatusForbidden, text{"openid与登录用户不一致", "openid is not the signed-in user's"}}
	problemCode         = problem{"bad_code", 301, http.StatusBadRequest, text{"code无效或已使用，请重新登录", "the code is invalid or used already, please sign in again"}}
	problemRisky        = problem{"risky_user", 403, http.StatusForbidden, text{"微信认为该账号存在风险，暂时无法登录", "WeChat takes this account for a risk and does not let it sign in"}}
	problemLoginState   = problem{"bad_state", 403, http.StatusForbidden, text{"登录已过期，请回到商家页面重新打开", "this login is over, please go back and open the page again"}}
	problemLoginDenied  = problem{"login_denied", 403, http.StatusForbidden, text{"未获得微信授权，请重新打开页面并同意授权", "WeChat was not allowed to tell who you are"}}
	problemSnapshot     = problem{"snapshot_user", 403, http.StatusForbidden, text{"当前是微信的网页快照，不能登录和支付，请使用完整服务打开页面后再试", "this is a snapshot of the page, which cannot sign in or pay: please open the full page and try again"}}
	problemNoEndpoint   = problem{"no_endpoint", 404, http.StatusNotFound, text{"接口不存在", "no such endpoint"}}
	problemNoGoods      = problem{"no_goods", 404, http.StatusNotFound, text{"商品信息不存在", "no such goods"}}
	problemNoOrder      = problem{"no_order", 404, http.StatusNotFound, text{"订单不存在", "no such order"}}
	problemMethod       = problem{"bad_method", 405, http.StatusMethodNotAllowed, text{"请求方法不被允许", "method not allowed"}}
	problemPaid         = problem{"paid", 409, http.StatusConflict, text{"订单已支付", "the order is paid already"}}
	problemClosed       = problem{"closed", 409, http.StatusConflict, text{"订单已关闭，请重新下单", "the order is closed, please order again"}}
	problemExpired      = problem{"expired", 409, http.StatusConflict, text{"订单已过期，请重新下单", "the time to pay is over, please order again"}}
	problemOtherProduct = problem{"other_product", 409, http.StatusConflict, text{"该订单使用了其他支付方式，请重新下单", "the order was placed for another way to pay, please order again"}}
	problemKeyReused    = problem{"key_reused", 409, http.StatusConflict, text{"Idempotency-Key已用于其他请求", "this Idempotency-Key was used for another request"}}
	problemNothingSign  = problem{"nothing_to_sign", 409, http.StatusConflict, text{"该支付方式无需签名", "this way to pay needs no signature"}}
	problemNoRefund     = problem{"no_refund", 404, http.StatusNotFound, text{"退款单不存在", "no such refund"}}
	problemNotPaid      = problem{"not_paid", 409, http.StatusConflict, text{"订单未支付，无法退款", "the order is not paid"}}
	problemTooMuch      = problem{"refund_too_much", 409, http.StatusConflict, text{"退款金额超过可退金额", "that is more than is left to refund"}}
	problemTooMany      = problem{"too_many_refunds", 409, http.StatusConflict, text{"订单退款次数已达上限（50次）", "the order has 50 refunds already"}}
	problemTooLate      = problem{"refund_too_late", 409, http.StatusConflict, text{"订单支付已超过一年，无法退款", "the payment is more than a year old"}}
	problemRefundReused = problem{"refund_reused", 409, http.StatusConflict, text{"退款单号已用于其他退款", "this refund number was used for another refund"}}
	problemRefused      = problem{"refund_refused", 502, http.StatusBadGateway, text{"微信支付拒绝了退款", "WeChat Pay refused the refund"}}
	problemTooLarge     = problem{"too_large", 413, http.StatusRequestEntityTooLarge, text{"请求体过大", "the body is too large"}}
	problemContentType  = problem{"not_json", 415, http.StatusUnsupportedMediaType, text{"请求体须为application/json", "the body must be application/json"}}
	problemGone         = problem{"gone", 499, 499, text{"客户端已断开", "the client went away"}}
	problemSlowDown     = problem{"slow_down", 429, http.StatusTooManyRequests, text{"操作过于频繁，请稍后再试", "too many requests, please try again later"}}
	problemQuote        = problem{"quote", 500, http.StatusInternalServerError, text{"查询商品信息失败", "the goods could not be priced"}}
	problemInternal     = problem{"internal", 500, http.StatusInternalServerError, text{"系统异常，请稍后重试", "internal error, please try again later"}}
	problemWeChat       = problem{"wechat", 502, http.StatusBadGateway, text{"微信支付暂时不可用，请稍后重试", "WeChat Pay cannot be used right now, please try again later"}}
	problemLogin        = problem{"wechat_login", 502, http.StatusBadGateway, text{"微信登录暂时不可用，请稍后重试", "WeChat cannot sign anybody in right now, please try again later"}}
	problemNoStream     = problem{"no_stream", 501, http.StatusNotImplemented, text{"无法实时推送，请轮询订单状态", "events do not get through, please poll the order"}}
	problemStore        = problem{"store", 503, http.StatusServiceUnavailable, text{"订单服务暂时不可用，请稍后重试", "orders cannot be stored right now, please try again later"}}
)

func missing(param string) problem {
	p := problemParameter
	p.text = text{"缺少参数" + param, "missing parameter " + param}
	return p
}

func malformed(param string) problem {
	p := problemParameter
	p.text = text{"参数" + param + "格式错误", "malformed parameter " + param}
	return p
}

// failure is a problem with its cause: the peer gets the problem, the log gets
// the cause.
type failure struct {
	problem
	cause error
	data  any // for the peer, beside the problem
}

func (p problem) because(cause error) *failure { return &failure{problem: p, cause: cause} }

// Error is for the log.
func (f *failure) Error() string {
	if f.cause == nil {
		return f.name
	}
	return fmt.Sprintf("%s: %v", f.name, f.cause)
}

func (f *failure) Unwrap() error { return f.cause }

// failed finds the problem to show for an error of the engine.
func failed(err error) *failure {
	var f *failure
	var refused *wxapi.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled): // nobody reads the answer; the work goes on for the others
		return problemGone.because(err)
	case errors.Is(err, till.ErrForeign):
		return problemForeign.because(err)
	case errors.Is(err, orderstore.ErrPaid):
		return problemPaid.because(err)
	case errors.Is(err, orderstore.ErrClosed):
		return problemClosed.because(err)
	case errors.Is(err, orderstore.ErrExpired):
		return problemExpired.because(err)
	case errors.Is(err, orderstore.ErrNotPaid):
		return problemNotPaid.because(err)
	case errors.Is(err, orderstore.ErrRefundAmount):
		return malformed("refund").because(err)
	case errors.Is(err, orderstore.ErrRefundNumber):
		return malformed("out_refund_no").because(err)
	case errors.Is(err, orderstore.ErrRefundTooMuch):
		return problemTooMuch.because(err)
	case errors.Is(err, orderstore.ErrTooManyRefunds):
		return problemTooMany.because(err)
	case errors.Is(err, orderstore.ErrRefundTooLate):
		return problemTooLate.because(err)
	case errors.Is(err, orderstore.ErrRefundReused):
		return problemRefundReused.because(err)
	case errors.Is(err, till.ErrStore):
		return problemStore.because(err)
	case errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests:
		return problemSlowDown.because(err)
	case errors.Is(err, till.ErrWeChat), errors.Is(err, till.ErrNotAtWeChat), errors.Is(err, orderstore.ErrMismatch):
		return problemWeChat.because(err)
	}
	return problemInternal.because(err)
}
