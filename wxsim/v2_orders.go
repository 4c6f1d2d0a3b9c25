package wxsim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The versions an order or a refund can be placed by.
const (
	apiV2 = "v2"
	apiV3 = "v3"
)

// v2Products are the prepay endpoints of API v3 by their trade_type.
var v2Products = map[string]string{"JSAPI": "jsapi", "APP": "app", "MWEB": "h5", "NATIVE": "native"}

// unifiedOrder is POST /pay/unifiedorder.
func (s *Sim) unifiedOrder(r *http.Request, in v2Message) (v2Message, *v2Refusal) {
	req, refused := s.readUnified(in)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, product := s.clock.now(), v2Products[in["trade_type"]]
	o, exists := s.find(req.OutTradeNo)
	if exists {
		if refused := o.placeAgain(product, req, now); refused != nil {
			return nil, asV2(refused)
		}
	} else {
		o = s.newOrder(product, req, now)
	}
	o.signType = in.signType()
	s.place(o, now, s.base(r))
	out := v2Message{"trade_type": in["trade_type"], "prepay_id": o.PrepayID}
	if in["device_info"] != "" {
		out["device_info"] = in["device_info"]
	}
	switch product {
	case "native":
		out["code_url"] = o.CodeURL
	case "h5":
		out["mweb_url"] = o.H5URL
	}
	return out, nil
}

// readUnified checks the parameters and reads them as the order they ask for.
func (s *Sim) readUnified(in v2Message) (prepayRequest, *v2Refusal) {
	var req prepayRequest
	product, known := v2Products[in["trade_type"]]
	switch {
	case in["trade_type"] == "":
		return req, v2LackParams.about("缺少参数trade_type")
	case !known:
		return req, v2Parameter.about("trade_type不正确")
	case product == "jsapi" && in["openid"] == "":
		return req, &v2NoOpenID
	}
	if refused := checkV2(in, v2OrderFields(in["trade_type"])); refused != nil {
		return req, refused
	}
	if !s.sells(product, in["appid"]) {
		return req, &v2AppID
	}
	req = prepayRequest{
		AppID: in["appid"], MchID: in["mch_id"], Description: in["body"], OutTradeNo: in["out_trade_no"],
		Attach: in["attach"], NotifyURL: in["notify_url"],
		params: in.params(), api: apiV2,
	}
	req.Amount.Total = fen(in["total_fee"])
	req.SceneInfo.DeviceID = in["device_info"]
	if product == "jsapi" {
		req.Payer.OpenID = in["openid"]
	}
	if in["time_expire"] != "" {
		t, _ := time.ParseInLocation(v2Time, in["time_expire"], beijing) // checked above
		req.TimeExpire = t.Format(time.RFC3339)
	}
	return req, nil
}

// fen reads a checked amount.
func fen(v string) int64 {
	n, _ := strconv.ParseInt(v, 10, 64) // feeForm leaves nothing to fail
	return n
}

// params is the canonical form of a call's business parameters, to recognise
// the same call again.
func (m v2Message) params() string {
	business := maps.Clone(m)
	maps.DeleteFunc(business, func(name, value string) bool {
		return value == "" || slices.Contains([]string{"nonce_str", "sign", "sign_type"}, name)
	})
	return string(business.write(apiV2))
}

// orderQuery is POST /pay/orderquery. An order placed by API v3 is found, too.
func (s *Sim) orderQuery(_ *http.Request, in v2Message) (v2Message, *v2Refusal) {
	if in["transaction_id"] == "" && in["out_trade_no"] == "" {
		return nil, v2LackParams.about("缺少参数transaction_id或out_trade_no")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.orderOfV2(in)
	if !exists {
		return nil, &v2NoOrder
	}
	return o.v2Query(), nil
}

// orderOfV2 finds the one order that all numbers of a call name. The caller
// holds mu.
func (s *Sim) orderOfV2(in v2Message) (*order, bool) {
	id, no := in["transaction_id"], in["out_trade_no"]
	if id == "" {
		return s.find(no)
	}
	o, exists := s.find(s.paid[id])
	return o, exists && (no == "" || no == o.OutTradeNo)
}

// closeOrderV2 is POST /pay/closeorder. Unlike API v3 it refuses to close an
// order twice.
func (s *Sim) closeOrderV2(r *http.Request, in v2Message) (v2Message, *v2Refusal) {
	if in["out_trade_no"] == "" {
		return nil, v2LackParams.about("缺少参数out_trade_no")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.find(in["out_trade_no"])
	switch {
	case !exists:
		return nil, &v2NoOrder
	case o.TradeState == stateClosed:
		return nil, &v2Closed
	case struck(r) == "too_early" && s.clock.now().Before(o.CreatedAt.Add(v2CloseAge)):
		return nil, &v2TooEarly
	}
	if refused := s.closeFound(o, struck(r)); refused != nil {
		return nil, asV2(refused)
	}
	return v2Message{}, nil
}

// v2CloseAge is how old the documents want an order to be before it is closed
// (wire facts §5.4).
const v2CloseAge = 5 * time.Minute

// v2Query is what a query says about an order: most of it only once it is paid.
func (o *order) v2Query() v2Message {
	out := v2Message{
		"out_trade_no": o.OutTradeNo, "trade_state": o.TradeState, "trade_state_desc": stateText(o.TradeState),
	}
	if o.deviceID != "" {
		out["device_info"] = o.deviceID
	}
	if o.paid() {
		maps.Copy(out, o.v2Payment())
	}
	return out
}

// v2Payment is what queries and notifications say about a payment. There are
// no coupons here.
func (o *order) v2Payment() v2Message {
	total := strconv.FormatInt(o.Total, 10)
	out := v2Message{
		"out_trade_no": o.OutTradeNo, "transaction_id": o.TransactionID, "trade_type": o.tradeType(),
		"openid": o.OpenID, "is_subscribe": "N", "bank_type": "OTHERS",
		"total_fee": total, "cash_fee": total, "fee_type": "CNY", "cash_fee_type": "CNY",
		"time_end": o.PaidAt.In(beijing).Format(v2Time),
	}
	if o.Attach != "" {
		out["attach"] = o.Attach
	}
	if o.deviceID != "" {
		out["device_info"] = o.deviceID
	}
	return out
}
