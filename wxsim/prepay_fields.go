package wxsim

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// prepayFields describes the body of one prepay endpoint (wire facts §3.2).
func prepayFields(product string) []field {
	fields := []field{
		{name: "appid", max: 32, required: true},
		{name: "mchid", max: 32, required: true},
		{name: "description", max: 127, required: true},
		{name: "out_trade_no", min: 6, max: 32, required: true, check: checkOutTradeNo},
		{name: "time_expire", max: 64, check: checkTime},
		{name: "attach", max: 128},
		{name: "notify_url", max: 255, required: true, check: checkNotifyURL},
		{name: "goods_tag", max: 32},
		{name: "support_fapiao", kind: boolean},
		{name: "limit_pay", kind: list, texts: oneOf("no_balance", "no_credit", "no_debit", "balance_only")},
		{name: "amount", kind: object, required: true, fields: []field{
			{name: "total", kind: integer, min: 1, required: true},
			{name: "currency", max: 16, check: oneOf("CNY")},
		}},
		{name: "detail", kind: object, fields: detailFields()},
		{name: "scene_info", kind: object, required: product == "h5", fields: sceneFields(product)},
		{name: "settle_info", kind: object, fields: []field{{name: "profit_sharing", kind: boolean}}},
	}
	if product == "jsapi" {
		fields = append(fields, field{name: "payer", kind: object, fields: []field{
			{name: "openid", max: 128, required: true},
			{name: "identity", kind: object, fields: []field{
				{name: "type", max: 32, required: true}, {name: "number", max: 512}, {name: "name", max: 512},
			}},
		}})
	}
	if product == "jsapi" || product == "app" {
		fields = append(fields, field{name: "subsidy_info", kind: object, fields: subsidyFields()})
	}
	return fields
}

func detailFields() []field {
	return []field{
		{name: "cost_price", kind: integer},
		{name: "invoice_id", max: 32},
		{name: "goods_detail", kind: list, fields: []field{
			{name: "merchant_goods_id", max: 32, required: true, check: checkGoodsID},
			{name: "wechatpay_goods_id", max: 32},
			{name: "goods_name", max: 256},
			{name: "quantity", kind: integer, min: 1, required: true},
			{name: "unit_price", kind: integer, required: true},
		}},
	}
}

func sceneFields(product string) []field {
	fields := []field{
		{name: "payer_client_ip", max: 45, required: true, check: checkIP},
		{name: "device_id", max: 32},
		{name: "store_info", kind: object, fields: []field{
			{name: "id", max: 32, required: true}, {name: "name", max: 256},
			{name: "area_code", max: 32}, {name: "address", max: 512},
		}},
	}
	if product == "h5" {
		fields = append(fields, field{name: "h5_info", kind: object, required: true, fields: []field{
			{name: "type", max: 32, required: true, check: oneOf("Wap", "iOS", "Android")},
			{name: "app_name", max: 64}, {name: "app_url", max: 128},
			{name: "bundle_id", max: 128}, {name: "package_name", max: 128},
		}})
	}
	return fields
}

func subsidyFields() []field {
	return []field{{name: "subsidy_detail", kind: list, required: true, fields: []field{
		{name: "subsidy_period_type", max: 32, required: true, check: oneOf("DAILY", "PERIOD")},
		{name: "subsidy_plan", kind: list, required: true, fields: []field{
			{name: "subsidy_installment_num", kind: integer, required: true},
			{name: "subsidy_percent", kind: integer, required: true},
		}},
	}}}
}

// oneOf accepts only the values given.
func oneOf(values ...string) func(string) string {
	return func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return fmt.Sprintf("取值应为%s之一", strings.Join(values, "、"))
	}
}

var (
	outTradeNoForm = regexp.MustCompile(`^[0-9A-Za-z_\-|*]+$`)
	timeForm       = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
	goodsIDForm    = regexp.MustCompile(`^[0-9A-Za-z_\-]+$`)
)

func checkOutTradeNo(v string) string {
	if outTradeNoForm.MatchString(v) {
		return ""
	}
	return "out_trade_no只能是数字、大小写字母和_-|*"
}

func checkGoodsID(v string) string {
	if goodsIDForm.MatchString(v) {
		return ""
	}
	return "merchant_goods_id只能是数字、大小写字母和_-"
}

func checkIP(v string) string {
	if _, err := netip.ParseAddr(v); err != nil {
		return "payer_client_ip不是IP地址"
	}
	return ""
}

// checkTime wants RFC 3339 with an offset and whole seconds. time.Parse alone
// also takes fractions and one-digit hours, which WeChat does not promise to.
func checkTime(v string) string {
	if _, err := time.Parse(time.RFC3339, v); err != nil || !timeForm.MatchString(v) {
		return "time_expire应为yyyy-MM-DDTHH:mm:ss+TIMEZONE格式"
	}
	return ""
}

// checkNotifyURL wants https with a path and without query or fragment, and no
// IP address (wire facts §7.6). Loopback hosts, over http too, are this
// simulator's one exception: there is no WeChat on a developer's machine.
func checkNotifyURL(v string) string {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || strings.ContainsAny(v, " \t") {
		return "notify_url不是合法的URL"
	}
	if strings.ContainsAny(v, "?#") {
		return "notify_url不能携带参数"
	}
	if loopback(u.Hostname()) {
		return oneOf("http", "https")(u.Scheme)
	}
	_, err = netip.ParseAddr(u.Hostname())
	switch {
	case u.Scheme != "https":
		return "notify_url必须以https://开头"
	case err == nil:
		return "notify_url不能使用IP地址"
	case u.Path == "":
		return "notify_url必须是完整路径"
	}
	return ""
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
