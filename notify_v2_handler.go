package wxpay

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// NotifyV2 takes the notifications of API v2: POST /notify/v2, which exists
// with Merchant.APIv2Key only. It answers SUCCESS when the payment or refund is
// durably stored, or was before, and FAIL to everything else, so that WeChat
// sends it again.
func (k *Kit) NotifyV2() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := k.opt.Now()
		r = traced(r)
		body, err := readNotification(w, r)
		if err != nil {
			k.answerWeChat(w, r, start, Notification{}, err, inXML)
			return
		}
		k.notifyV2(w, r, start, body)
	})
}

// serialV2 stands where the serial of WeChat's key does: API v2 has one key.
const serialV2 = "APIv2"

// notifyV2 verifies a notification of API v2 and settles it. There is no time in
// it, so a recorded one can be sent again for ever: it does no harm, because
// settling is idempotent and a payment holds for its own order only.
func (k *Kit) notifyV2(w http.ResponseWriter, r *http.Request, start time.Time, body []byte) {
	var n Notification
	answer := func(err error) { k.answerWeChat(w, r, start, n, err, inXML) }
	v2, err := apiv2.OpenNotification(k.acct.apiv2, body)
	if err != nil {
		answer(unopenedV2(err))
		return
	}
	if v2.Payment != nil {
		n.Serial, n.EventType, n.outTradeNo = serialV2, "TRANSACTION.SUCCESS", v2.Payment.OutTradeNo
		k.inTime(w, r, k.settlePayment("", serialV2, *v2.Payment), answer)
		return
	}
	n.outTradeNo = v2.Refund.OutTradeNo
	var end orderstore.RefundStatus
	settle := func(ctx context.Context) (err error) {
		end, err = k.settleRefundV2(ctx, v2)
		return err
	}
	k.inTime(w, r, settle, func(err error) {
		if err == nil {
			n.Serial, n.EventType = serialV2, "REFUND."+string(end)
		}
		answer(err)
	})
}

// settleRefundV2 takes the news of a refund for a hint: nobody has signed it. The
// order's own refund is asked for at WeChat, and what the verified answer says
// is settled. Source: 退款结果通知, wire facts §9.7.
func (k *Kit) settleRefundV2(ctx context.Context, v2 apiv2.Notification) (orderstore.RefundStatus, error) {
	claim := *v2.Refund
	o, err := k.opt.Store.Get(ctx, claim.OutTradeNo)
	if err != nil {
		return "", err
	}
	if v2.MchID != o.MchID || v2.AppID != o.AppID {
		return "", &rejection{"mismatch", http.StatusBadRequest, errors.New("mch_id or appid is not the order's")}
	}
	o, err = k.till.AskRefund(ctx, o, claim.OutRefundNo)
	switch {
	case errors.Is(err, orderstore.ErrMismatch), errors.Is(err, till.ErrStore):
		return "", err
	case err != nil:
		return "", unconfirmed(err)
	}
	// That it has come to an end is the news. As long as WeChat's query does not
	// say so, the news is to come again; if the query says more, it is old.
	r, ok := o.Refund(claim.OutRefundNo)
	if !ok || r.Status == orderstore.RefundApplying || r.Status == orderstore.RefundProcessing {
		return "", unconfirmed(errors.New("WeChat's query knows of no end of this refund yet"))
	}
	return r.Status, nil
}

func unconfirmed(err error) error {
	return &rejection{"unconfirmed", http.StatusServiceUnavailable, err}
}

// unopenedV2 names the check that failed, for the log. They have one status: a
// stranger is not to learn whether something decrypts.
func unopenedV2(err error) error {
	name := "malformed"
	switch {
	case errors.Is(err, wxcrypto.ErrUnsigned):
		name = "unsigned"
	case errors.Is(err, wxcrypto.ErrSignType):
		name = "signature_type"
	case errors.Is(err, wxcrypto.ErrSignature):
		name = "bad_signature"
	case errors.Is(err, wxcrypto.ErrReqInfoKey):
		name = "undecryptable"
	case errors.Is(err, apiv2.ErrNotSuccess):
		name = "not_success"
	}
	return &rejection{name, http.StatusUnauthorized, err}
}

// isXML reports whether a body is one of API v2: XML, without the signature of
// API v3.
func isXML(h http.Header, body []byte) bool {
	return h.Get("Wechatpay-Signature") == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// errStrayV2 is XML at the notify URL of API v3, without a key to read it.
// Source: 退款结果通知, wire facts §6.8.
var errStrayV2 = &rejection{"api_v2", http.StatusUnauthorized, errors.New(
	"this is XML, as WeChat Pay notifies of refunds made on the merchant platform or through API v2: set Merchant.APIv2Key (WXPAY_APIV2_KEY) to take it, or take this address out of the refund settings of the platform")}

// The answers that API v2 reads, on one line with nothing around the tags.
// Source: 支付结果通知, 返回参数.
const (
	successXML = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
	failureXML = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[失败]]></return_msg></xml>"
)

// inXML is for API v2, which goes by the body. A failure has a status of one all
// the same: nobody on the way, and no reader of either, takes it for a success.
func inXML(w http.ResponseWriter, status int) {
	if status == http.StatusNoContent {
		write(w, http.StatusOK, "text/xml; charset=utf-8", []byte(successXML))
		return
	}
	write(w, status, "text/xml; charset=utf-8", []byte(failureXML))
}
