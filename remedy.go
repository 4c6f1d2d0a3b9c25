package wxpay

import "log/slog"

// requestRemedies say what the operator does about a request that ended so. What
// is the front end's own affair has no row. docs/errors.md explains them all.
var requestRemedies = map[string]string{
	"bad_origin":     "if the page is the app's own, name its origin in Options.Origins",
	"no_client_ip":   "behind proxies set Options.ClientIP: wxpay.TrustedProxies(…)",
	"quote":          "Options.Quote failed, or its price, description or attach is not one that WeChat takes: the cause says which",
	"wechat":         "do what WeChat's code in the cause asks for; without a code look at DNS, firewall and proxy, or run wxpay-check",
	"wechat_login":   "see whether api.weixin.qq.com can be reached from here",
	"refund_refused": "mend what WeChat's code in problem says and post the same out_refund_no again",
	"no_stream":      "let the middleware's ResponseWriter have Flush or Unwrap; pages poll meanwhile",
	"store":          storeRemedy,
	"internal":       internalRemedy,
}

// notificationRemedies say the same of a notification that was not taken. What
// is a stranger's own affair has no row.
var notificationRemedies = map[string]string{
	// Nobody has proven these to be WeChat's.
	"drained":        "let no middleware read the body in front of the notify URL, or put the same bytes back",
	"unknown_key":    "if payments are missed, the key held is not the account's: set WXPAY_PUBLIC_KEY_ID and its file anew",
	"bad_timestamp":  "if payments are missed, the clock is off: keep it on NTP",
	"signature_type": "the kit takes RSA from API v3, and MD5 or HMAC-SHA256 from API v2: set the account to it",
	"api_v2":         "set Merchant.APIv2Key (WXPAY_APIV2_KEY), or take this address out of the refund settings of the merchant platform",

	// WeChat Pay signed these, and sends each again.
	"undecryptable": "set the account's present key: WXPAY_APIV3_KEY, or WXPAY_APIV2_KEY for API v2",
	"unknown_order": "find the system that placed the order: its notify URL leads here, or the wrong database is open",
	"mismatch":      "compare the order with the merchant platform; refund there what is not the order's",
	"not_paid":      "nothing; it settles itself once WeChat can be asked",
	"unconfirmed":   "WeChat's own query does not say the same yet: it settles itself, or somebody forges",
	"not_success":   "keep the line and report it: WeChat Pay does not notify of anything else",
	"malformed":     "keep the line and report it, if WeChat Pay signed the notification",
	"store":         storeRemedy,
	"internal":      internalRemedy,
}

const (
	storeRemedy    = "look at the database; nothing needs to be repaired when it is back"
	internalRemedy = "the cause names the setting or the app's function to mend; if it names neither, report it"
)

// withRemedy adds to a line of the log what is to be done, where it is somebody's
// to do.
func withRemedy(attrs []slog.Attr, remedies map[string]string, ending string) []slog.Attr {
	if remedy, ok := remedies[ending]; ok {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	return attrs
}
