package wxprom

import (
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// The values of labels that are this package's own.
const (
	callOK, callNoAnswer, callNotVerified, callRefused, callFailed = "ok", "no_answer", "not_verified", "refused", "failed"

	statePlaced, statePaid, stateClosed, stateGivenBack, stateRefunded = "placed", "paid", "closed", "given_back", "refunded"

	whatOrder, whatRefund             = "order", "refund"
	billOK, billNotReady, billError   = "ok", "not_ready", "error"
	forPayment, forRefund, forAnother = "payment", "refund", "other"

	keyPublic, keyCertificate, keyV2, noKey = "public_key", "certificate", "apiv2", "none"

	refundMismatch = "refund_mismatch"
)

func outcomeOf(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

// keyOf tells by its serial which kind of key signed a notification.
func keyOf(serial string) string {
	switch {
	case serial == "":
		return noKey
	case strings.HasPrefix(serial, "PUB_KEY_ID_"):
		return keyPublic
	case serial == "APIv2":
		return keyV2
	}
	return keyCertificate
}

// eventOf says what a verified notification was about.
func eventOf(i wxpay.NotificationInfo) string {
	switch {
	case i.Serial == "":
		return "none"
	case strings.HasPrefix(i.EventType, "TRANSACTION."):
		return forPayment
	case strings.HasPrefix(i.EventType, "REFUND."):
		return forRefund
	}
	return forAnother
}

func callOutcome(c wxapi.Call) string {
	switch {
	case c.Err == nil:
		return callOK
	case c.Status == 0:
		return callNoAnswer
	case c.Status < 300:
		return callNotVerified
	case c.Status < 500:
		return callRefused
	}
	return callFailed
}

// codeOf keeps foreign text out of the labels.
func codeOf(code string) string {
	switch _, known := slices.BinarySearch(codes, code); {
	case code == "":
		return "none"
	case known:
		return code
	}
	return "other"
}

// codes are the error codes of WeChat Pay that are documented for the calls of
// package wxapi, and those of API v2. Sorted.
// Sources: 通用规则, 错误码; 下单, 查单, 关单, 申请退款, 账单, 错误码.
var codes = []string{
	"ACCOUNTERROR", "ACCOUNT_ERROR", "APPID_MCHID_NOT_MATCH", "APPID_NOT_EXIST", "BANK_ERROR", "BIZERR_NEED_RETRY", "ERROR",
	"FREQUENCY_LIMITED", "INVALID_REQUEST", "INVALID_REQ_TOO_MUCH", "INVALID_TRANSACTIONID", "LACK_PARAMS", "MCHID_NOT_EXIST",
	"MCH_NOT_EXISTS", "NOAUTH", "NOTENOUGH", "NOT_ENOUGH", "NO_AUTH", "NO_STATEMENT_EXIST", "OPENID_MISMATCH", "ORDERCLOSED",
	"ORDERNOTEXIST", "ORDERPAID", "ORDER_CLOSED", "ORDER_NOT_EXIST", "ORDER_PAID", "OUT_TRADE_NO_USED", "PARAM_ERROR",
	"POST_DATA_EMPTY", "RATELIMIT_EXCEEDED", "RATE_LIMITED", "REFUNDNOTEXIST", "REFUND_FEE_MISMATCH", "REQUIRE_POST_METHOD",
	"RESOURCE_NOT_EXISTS", "RULELIMIT", "RULE_LIMIT", "SERVICE_UNAVAILABLE", "SIGNERROR", "SIGN_ERROR", "STATEMENT_CREATING",
	"SYSTEMERROR", "SYSTEM_ERROR", "TRADE_ERROR", "TRADE_OVERDUE", "TRADE_STATE_ERROR", "USERPAYING", "USER_ACCOUNT_ABNORMAL",
	"USER_PAYING", "XML_FORMAT_ERROR",
}

// What exists from the start, because an alert or a sum watches it.
var (
	endpoints  = []string{"prepay", "paysign", "order", "live", "cashier", "close", "refund", "login"}
	problems   = []string{"ok", "wechat", "store", "internal", "quote"}
	operations = []string{
		wxapi.OpPrepay, wxapi.OpQuery, wxapi.OpClose, wxapi.OpRefund, wxapi.OpRefundQuery,
		wxapi.OpAbnormalRefund, wxapi.OpBill, wxapi.OpBillDownload, wxapi.OpCertificates,
	}
	callOutcomes = []string{callOK, callNoAnswer, callNotVerified, callRefused, callFailed}
	unverified   = []string{"unsigned", "signature_type", "bad_timestamp", "unknown_key", "bad_signature", "drained", "too_large", "unreadable", "api_v2"}
	verified     = []string{"ok", "malformed", "undecryptable", "unknown_order", "mismatch", "not_paid", "not_success", "unconfirmed", "store", "internal"}
	watchedCodes = []string{"SIGN_ERROR", "NO_AUTH", "MCH_NOT_EXISTS", "APPID_MCHID_NOT_MATCH", "ACCOUNT_ERROR", "RULE_LIMIT", "NOT_ENOUGH"}
	states       = []string{statePlaced, statePaid, stateClosed, stateGivenBack, stateRefunded}
	recoveries   = []orderstore.Source{orderstore.FromQuery, orderstore.FromBill}
	anomalies    = []orderstore.Outcome{orderstore.Mismatched, orderstore.SecondPayment, orderstore.BecamePaidLate, orderstore.BecamePaidAgain, refundMismatch}
	forPersons   = []orderstore.RefundOutcome{
		orderstore.RefundNeedsAction, orderstore.RefundBecameClosed, orderstore.RefundWasRefused, orderstore.RefundMismatched, orderstore.RefundNotBegun,
	}
)

// begin makes the closed sets exist, at zero.
func (m *metrics) begin() {
	m.build.WithLabelValues(version(), runtime.Version()).Set(1)
	zero(m.requests, endpoints, problems)
	zero(m.calls, operations, callOutcomes)
	zero(m.retries, operations)
	zero(m.backups, operations)
	zero(m.notifications, unverified, []string{noKey}, []string{"none"})
	zero(m.notifications, verified, []string{keyPublic, keyCertificate, keyV2}, []string{forPayment, forRefund})
	zero(m.callErrors, []string{wxapi.OpPrepay, wxapi.OpQuery, wxapi.OpRefund}, watchedCodes)
	zero(m.recovered, texts(recoveries))
	zero(m.anomalies, texts(anomalies))
	zero(m.placed, texts(orderstore.Products()))
	zero(m.fen, texts(orderstore.Products()), states)
	zero(m.settled, texts(orderstore.Products()), []string{"notification", "query"}, []string{string(orderstore.BecamePaid)})
	zero(m.handOvers, []string{whatOrder, whatRefund}, []string{"ok", "error"})
	zero(m.needPerson, texts(forPersons))
	zero(m.bills, []string{billOK, billNotReady, billError})
	zero(m.differences, texts(ledger.Kinds()), []string{"yes", "no"})
	zero(m.looks, []string{"ok", "error"})
}

// zero makes every combination of the values exist.
func zero(c counters, labels ...[]string) {
	values := [][]string{nil}
	for _, of := range labels {
		var longer [][]string
		for _, begun := range values {
			for _, v := range of {
				longer = append(longer, append(slices.Clone(begun), v))
			}
		}
		values = longer
	}
	for _, v := range values {
		c.WithLabelValues(v...)
	}
}

func texts[S ~string](values []S) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// version is the kit's, as the program was built with it.
func version() string {
	const path = "github.com/wxpaykit/wxpay"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path && m.Version != "" {
			return m.Version
		}
	}
	return "unknown"
}
