package wxsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// products are the prepay endpoints.
var products = [...]string{"jsapi", "app", "h5", "native"}

// prepayRequest is what the simulator uses of a checked prepay body.
type prepayRequest struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	TimeExpire  string `json:"time_expire"`
	Attach      string `json:"attach"`
	NotifyURL   string `json:"notify_url"`
	Amount      struct {
		Total int64 `json:"total"`
	} `json:"amount"`
	Payer struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
	SceneInfo struct {
		DeviceID string `json:"device_id"`
	} `json:"scene_info"`
	params string // canonical form, to recognise the same request again
	api    string // what it came by
}

// prepay is POST /v3/pay/transactions/{product}.
func (s *Sim) prepay(product string) endpoint {
	fields := prepayFields(product)
	return func(r *http.Request, body []byte) (answer, *refusal) {
		req, refused := s.readPrepay(product, fields, body)
		if refused != nil {
			return answer{}, refused
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		now := s.clock.now()
		o, exists := s.find(req.OutTradeNo)
		if exists {
			if refused := o.placeAgain(product, req, now); refused != nil {
				return answer{}, refused
			}
		} else {
			o = s.newOrder(product, req, now)
		}
		return ok(s.place(o, now, s.base(r))), nil
	}
}

// maxDetail is how long the compact detail object may be.
const maxDetail = 6144

// readPrepay checks the body and reads it.
func (s *Sim) readPrepay(product string, fields []field, body []byte) (prepayRequest, *refusal) {
	var req prepayRequest
	parsed, refused := parseBody(body)
	if refused != nil {
		return req, refused
	}
	if product == "jsapi" && !hasOpenID(parsed) {
		return req, refusedNoOpenID.at("body", "/payer/openid", nil, "")
	}
	if refused := checkFields("", parsed, fields); refused != nil {
		return req, refused
	}
	if d, present := parsed["detail"]; present && len(compact(d)) > maxDetail {
		return req, parameter("/detail", nil, "detail过长")
	}
	canonical := compact(parsed)
	if err := json.Unmarshal(canonical, &req); err != nil {
		return req, parameter("", nil, "请求体不符合要求")
	}
	req.params, req.api = string(canonical), apiV3
	if req.MchID != s.keys.account.MchID {
		return req, refusedMchMismatch.at("body", "/mchid", req.MchID, "")
	}
	if !s.sells(product, req.AppID) {
		return req, refusedAppID.at("body", "/appid", req.AppID, "")
	}
	return req, nil
}

// hasOpenID reports whether payer.openid was sent at all; its form is checked
// with the other fields.
func hasOpenID(parsed map[string]any) bool {
	payer, ok := parsed["payer"].(map[string]any)
	if !ok {
		return parsed["payer"] != nil
	}
	_, ok = payer["openid"]
	return ok
}

// sells reports whether an appid is the account's and of the product's kind
// (wire facts §3.1): mini-program and service account share /jsapi, a mobile
// app's pays in the app only, H5 and Native take any.
func (s *Sim) sells(product, appid string) bool {
	a := s.keys.account
	switch appid {
	case a.AppIDApp:
		return product != "jsapi"
	case a.AppID, a.AppIDJSAPI:
		return product != "app"
	}
	return false
}

// newOrder creates an unpaid order. The caller holds mu.
func (s *Sim) newOrder(product string, req prepayRequest, now time.Time) *order {
	o := &order{
		Order: Order{
			OutTradeNo:  req.OutTradeNo,
			TradeState:  stateNotPay,
			Total:       req.Amount.Total,
			NotifyURL:   req.NotifyURL,
			TimeExpire:  expiry(req.TimeExpire, now),
			Description: req.Description,
			AppID:       req.AppID,
			MchID:       req.MchID,
			API:         req.api,
			Product:     product,
			OpenID:      req.Payer.OpenID,
			Attach:      req.Attach,
			CreatedAt:   now.In(beijing),
		},
		params:   req.params,
		deviceID: req.SceneInfo.DeviceID,
	}
	s.orders[o.OutTradeNo] = o
	s.placed = append(s.placed, o.OutTradeNo)
	return o
}

// expiry is time_expire as WeChat takes it: silently raised to a minute from
// now, silently lowered to seven days.
func expiry(asked string, now time.Time) time.Time {
	now = now.Truncate(time.Second)
	earliest, latest := now.Add(shortestLife), now.Add(orderLife)
	t, err := time.Parse(time.RFC3339, asked)
	switch {
	case err != nil || t.After(latest):
		t = latest
	case t.Before(earliest):
		t = earliest
	}
	return t.In(beijing)
}

// placeAgain decides about a number that is already known (wire facts §3.4).
func (o *order) placeAgain(product string, req prepayRequest, now time.Time) *refusal {
	switch err := o.payable(now); {
	case errors.Is(err, ErrPaid):
		return &refusedPaidAgain
	case err != nil && product == "native":
		return &refusedClosedOrder
	case err != nil:
		return &refusedInvalidOrder
	case product != o.Product || req.params != o.params:
		return &refusedReentry
	}
	return nil
}

// place makes fresh credentials, kills the earlier code of a Native order, and
// returns the prepay answer. The caller holds mu.
func (s *Sim) place(o *order, now time.Time, base string) map[string]string {
	o.Prepays++
	o.PlacedAt = now.In(beijing)
	o.PrepayID = s.newPrepayID(o.OutTradeNo, o.Prepays, now)
	s.codes[o.PrepayID] = o.OutTradeNo
	switch o.Product {
	case "native":
		delete(s.codes, o.CodeURL)
		o.CodeURL = s.newCodeURL(o.OutTradeNo, o.Prepays)
		s.codes[o.CodeURL] = o.OutTradeNo
		return map[string]string{"code_url": o.CodeURL}
	case "h5":
		o.H5URL = base + "/h5?prepay_id=" + o.PrepayID + "&package=" + s.keys.letters("package "+o.PrepayID, digits, 10)
		return map[string]string{"h5_url": o.H5URL}
	}
	return map[string]string{"prepay_id": o.PrepayID}
}
