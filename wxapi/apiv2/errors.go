package apiv2

import (
	"net/http"

	"github.com/wxpaykit/wxpay/wxapi"
)

// statusRefused is the status of a refusal that has none of its own.
const statusRefused = http.StatusBadRequest

// refusals are the codes whose status is another than that, or whose name in
// API v3 differs by more than underscores. Source: wire facts §9.6 beside §3.5,
// §5.6 and §6.7.
var refusals = map[string]wxapi.Error{
	"SYSTEMERROR":           {Status: http.StatusInternalServerError, Code: "SYSTEM_ERROR"},
	"FREQUENCY_LIMITED":     {Status: http.StatusTooManyRequests, Code: "FREQUENCY_LIMITED"},
	"SIGNERROR":             {Status: http.StatusUnauthorized, Code: "SIGN_ERROR"},
	"NOAUTH":                {Status: http.StatusForbidden, Code: "NO_AUTH"},
	"NOTENOUGH":             {Status: http.StatusForbidden, Code: "NOT_ENOUGH"},
	"USER_ACCOUNT_ABNORMAL": {Status: http.StatusForbidden, Code: "USER_ACCOUNT_ABNORMAL"},
	"ORDERNOTEXIST":         {Status: http.StatusNotFound, Code: "ORDER_NOT_EXIST"},
	"REFUNDNOTEXIST":        {Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS"},
	"MCHID_NOT_EXIST":       {Status: http.StatusNotFound, Code: "MCH_NOT_EXISTS"},
	"INVALID_TRANSACTIONID": {Status: http.StatusBadRequest, Code: "INVALID_REQUEST"},
	"ORDERPAID":             {Status: http.StatusBadRequest, Code: "ORDER_PAID"},
	"ORDERCLOSED":           {Status: http.StatusBadRequest, Code: "ORDER_CLOSED"},
}

// refusal makes an Error of a verified answer whose result_code is not SUCCESS.
func refusal(op, code, message string) *wxapi.Error {
	e, known := refusals[code]
	if !known {
		e = wxapi.Error{Status: statusRefused, Code: code}
	}
	if op == wxapi.OpRefund && code == "ORDERNOTEXIST" {
		e.Code = "RESOURCE_NOT_EXISTS" // API v3's word for a refund of an order it does not know
	}
	e.Message = message
	return &e
}
