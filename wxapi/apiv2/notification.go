package apiv2

import (
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// ErrNotSuccess says that a signed notification reports no payment.
var ErrNotSuccess = errors.New("apiv2: not the notification of a success")

// Notification is what API v2 posts to a notify URL. Payment or Refund is set.
type Notification struct {
	AppID, MchID string

	// Payment is signed by WeChat Pay. Its sign holds for ever.
	Payment *wxapi.Transaction
	// Refund is signed by nobody, and its encryption has no integrity: a hint
	// to ask [Client.QueryRefund], never a fact.
	Refund *wxapi.Refund
}

// OpenNotification reads a notification of a payment (支付结果通知), whose sign is
// verified before anything in it is looked at, or of a refund (退款结果通知), which
// is decrypted. The error is [ErrMalformed], [ErrNotSuccess],
// [wxcrypto.ErrUnsigned], [wxcrypto.ErrSignType], [wxcrypto.ErrSignature],
// [wxcrypto.ErrReqInfo] or [wxcrypto.ErrReqInfoKey]. That it is about one's own
// merchant, order and amount is the caller's to check.
func OpenNotification(key wxcrypto.APIv2Key, body []byte) (Notification, error) {
	f, err := parse("xml", body)
	if err != nil {
		return Notification{}, err
	}
	n := Notification{AppID: f["appid"], MchID: f["mch_id"]}
	if f["req_info"] != "" {
		n.Refund, err = openRefund(key, f)
		return n, err
	}
	if err := key.Verify(f); err != nil {
		return Notification{}, err
	}
	if f["return_code"] != "SUCCESS" || f["result_code"] != "SUCCESS" {
		return n, ErrNotSuccess
	}
	t, err := transaction(f, wxapi.StateSuccess)
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	n.Payment = &t
	return n, nil
}

func openRefund(key wxcrypto.APIv2Key, f fields) (*wxapi.Refund, error) {
	plaintext, err := key.OpenReqInfo(f["req_info"])
	if err != nil {
		return nil, err
	}
	inner, err := parse("root", plaintext)
	if err != nil { // a wrong key opens to garbage whose padding may fit by chance
		return nil, fmt.Errorf("%w: %w", wxcrypto.ErrReqInfoKey, err)
	}
	r, err := refund(inner, inner["refund_status"], "")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	r.MchID = f["mch_id"]
	r.SuccessTime = timeOf(readableTime, inner["success_time"])
	return &r, nil
}
