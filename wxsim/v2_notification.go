package wxsim

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// v2Accepted is the only answer that API v2 takes for a yes, to the byte
// (wire facts §9.7).
const v2Accepted = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"

// NotificationV2 is a notification of API v2 about to be signed, or encrypted.
// A test that wants to see one rejected changes one field of it; all others
// stay genuine.
type NotificationV2 struct {
	// Fields are the elements of the message. Those of a payment are signed;
	// those of a refund are not, and say hardly anything but who is meant.
	Fields map[string]string

	// ReqInfo are the elements of what a refund's notification carries
	// encrypted. It is nil for a payment.
	ReqInfo map[string]string

	Key      string // the APIv2 key that signs or encrypts
	SignType string // MD5 or HMAC-SHA256, of a payment; the message does not say which

	// AfterSigning may rewrite the XML behind the signature's back.
	AfterSigning func(body []byte) []byte
}

// NotificationV2 builds a really signed notification of a paid order in the
// form of API v2 as a request to the order's notify_url, and sends nothing; see
// [Sim.Notification]. It does so for orders placed by API v3, too.
func (s *Sim) NotificationV2(outTradeNo string, change ...func(*NotificationV2)) (*http.Request, error) {
	s.mu.Lock()
	o, exists := s.find(outTradeNo)
	var (
		n         *NotificationV2
		notifyURL string
		err       error
	)
	switch {
	case !exists:
		err = ErrNoOrder
	case !o.paid():
		err = fmt.Errorf("wxsim: order %s is %s: only paid orders are notified", outTradeNo, o.TradeState)
	default:
		n, notifyURL = s.paymentV2(o), o.NotifyURL
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return n.changed(change).request(notifyURL)
}

// RefundNotificationV2 builds the really encrypted notification in the form of
// API v2 of a refund that has reached its end, as a request to notifyURL, and
// sends nothing. It does so for refunds made by API v3, too.
func (s *Sim) RefundNotificationV2(outRefundNo, notifyURL string, change ...func(*NotificationV2)) (*http.Request, error) {
	s.mu.Lock()
	r, exists := s.refunds[outRefundNo]
	var (
		n   *NotificationV2
		err error
	)
	switch {
	case !exists:
		err = ErrNoRefund
	case r.Status == refundProcessing:
		err = fmt.Errorf("wxsim: refund %s is PROCESSING: only its end is notified", outRefundNo)
	default:
		n = s.refundNoticeV2(r)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return n.changed(change).request(notifyURL)
}

// paymentV2 fills in the notification of a paid order. The caller holds mu.
func (s *Sim) paymentV2(o *order) *NotificationV2 {
	fields := o.v2Payment()
	maps.Copy(fields, v2Message{
		"return_code": "SUCCESS", "result_code": "SUCCESS",
		"appid": o.AppID, "mch_id": o.MchID, "nonce_str": nonce(32),
	})
	fields.clean()
	return &NotificationV2{Fields: fields, Key: s.keys.account.APIv2Key, SignType: o.signType}
}

// refundNoticeV2 fills in the notification of a refund at its end. The caller
// holds mu.
func (s *Sim) refundNoticeV2(r *refund) *NotificationV2 {
	total, amount := strconv.FormatInt(r.Total, 10), strconv.FormatInt(r.Refund.Refund, 10)
	info := v2Message{
		"out_trade_no": r.OutTradeNo, "transaction_id": r.TransactionID,
		"out_refund_no": r.OutRefundNo, "refund_id": r.RefundID,
		"total_fee": total, "settlement_total_fee": total,
		"refund_fee": amount, "settlement_refund_fee": amount, "cash_refund_fee": amount,
		"refund_status": v2RefundStatus[r.Status], "refund_account": r.v2Account(),
		"refund_recv_accout": r.receiver, "refund_request_source": "API",
	}
	if r.Status == refundSuccess {
		info["success_time"] = billTime(r.SuccessAt)
	}
	return &NotificationV2{
		Fields: v2Message{
			"return_code": "SUCCESS", "appid": s.orders[r.OutTradeNo].AppID, "mch_id": s.keys.account.MchID, "nonce_str": nonce(32),
		},
		ReqInfo: info,
		Key:     s.keys.account.APIv2Key,
	}
}

// changed returns a copy with changes made to it.
func (n *NotificationV2) changed(changes []func(*NotificationV2)) *NotificationV2 {
	c := *n
	c.Fields, c.ReqInfo = maps.Clone(n.Fields), maps.Clone(n.ReqInfo)
	for _, change := range changes {
		change(&c)
	}
	return &c
}

// request signs or encrypts, and wraps.
func (n *NotificationV2) request(notifyURL string) (*http.Request, error) {
	m := v2Message(n.Fields)
	if n.ReqInfo != nil {
		sealed, err := sealReqInfo(n.Key, v2Message(n.ReqInfo).write("root"))
		if err != nil {
			return nil, fmt.Errorf("wxsim: notification: %w", err)
		}
		m["req_info"] = sealed
	} else {
		m["sign"] = m.sign(n.SignType, n.Key)
	}
	body := m.write("xml")
	if n.AfterSigning != nil {
		body = n.AfterSigning(body)
	}
	r, err := http.NewRequest(http.MethodPost, notifyURL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("wxsim: notification: %w", err)
	}
	r.Header.Set("Content-Type", "text/xml")
	r.Header.Set("User-Agent", "Mozilla/4.0")
	return r, nil
}
