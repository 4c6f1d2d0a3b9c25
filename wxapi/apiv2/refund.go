package apiv2

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpaykit/wxpay/wxapi"
)

// EncodeRefund returns the parameters of a refund (申请退款) to keep before the
// first try and to give to [Client.ApplyRefund], now and again. appID is that
// of the order. The same request gives the same bytes. Faults are those of
// [wxapi.RefundRequest.Encode], each a [wxapi.ErrRequest].
func (c *Client) EncodeRefund(appID string, r wxapi.RefundRequest) ([]byte, error) {
	if _, err := r.Encode(); err != nil {
		return nil, err
	}
	if appID == "" {
		return nil, fmt.Errorf("refund: %w: appid is missing", wxapi.ErrRequest)
	}
	body, err := c.about(appID, fields{
		"transaction_id": r.TransactionID, "out_trade_no": r.OutTradeNo, "out_refund_no": r.OutRefundNo,
		"total_fee": strconv.FormatInt(r.Total, 10), "refund_fee": strconv.FormatInt(r.Refund, 10),
		"refund_fee_type": "CNY", "refund_desc": r.Reason, "notify_url": r.NotifyURL,
	}).encode()
	if err != nil {
		return nil, fmt.Errorf("refund: %w", err)
	}
	return body, nil
}

// ApplyRefund asks for a refund; see [wxapi.Client.ApplyRefund] for what its
// errors mean and why it is sent once. body is what [Client.EncodeRefund]
// returned, kept since. Source: 申请退款.
func (c *Client) ApplyRefund(ctx context.Context, body []byte) (wxapi.Refund, error) {
	f, err := c.frozen(body)
	if err != nil || f["out_refund_no"] == "" {
		return wxapi.Refund{}, fmt.Errorf("refund: %w: the body is not what EncodeRefund returns for this merchant", wxapi.ErrRequest)
	}
	if c.cfg.Certificate == nil && !strings.HasPrefix(c.cfg.Calls.BaseURL, "http://") {
		return wxapi.Refund{}, fmt.Errorf("refund: %w", ErrNoCertificate)
	}
	var r wxapi.Refund
	err = c.do(ctx, call{
		op: wxapi.OpRefund, path: "/secapi/pay/refund", fields: f, once: true,
		read: func(got fields) error {
			for _, name := range []string{"out_refund_no", "out_trade_no", "transaction_id"} {
				if f[name] != "" && got[name] != f[name] {
					return errors.New("the answer is about another refund")
				}
			}
			r, err = refund(got, wxapi.RefundProcessing, "")
			return err
		},
	})
	if err != nil {
		return wxapi.Refund{}, err
	}
	return r, nil
}

// QueryRefund asks for a refund by the merchant's number and the appid of its
// order; see [wxapi.Client.QueryRefund]. Source: 查询退款.
func (c *Client) QueryRefund(ctx context.Context, appID, outRefundNo string) (wxapi.Refund, error) {
	if appID == "" || outRefundNo == "" {
		return wxapi.Refund{}, fmt.Errorf("refund_query: %w: appid and out_refund_no are needed", wxapi.ErrRequest)
	}
	var r wxapi.Refund
	err := c.do(ctx, call{
		op: wxapi.OpRefundQuery, path: "/pay/refundquery", fields: c.about(appID, fields{"out_refund_no": outRefundNo}),
		read: func(got fields) (err error) {
			suffix, found := indexOf(got, outRefundNo)
			if !found {
				return errors.New("the answer is about another refund")
			}
			r, err = refund(got, got["refund_status"+suffix], suffix)
			return err
		},
	})
	if err != nil {
		return wxapi.Refund{}, err
	}
	return r, nil
}

// indexOf finds the _$n of a refund in an answer that may hold several.
func indexOf(f fields, outRefundNo string) (suffix string, found bool) {
	for name, value := range f {
		n, ok := strings.CutPrefix(name, "out_refund_no_")
		if _, err := strconv.ParseUint(n, 10, 16); ok && err == nil && value == outRefundNo {
			return "_" + n, true
		}
	}
	return "", false
}

// statuses are those whose word in API v3 is another. Source: 查询退款,
// refund_status; wire facts §6.3.
var statuses = map[string]string{
	"CHANGE": wxapi.RefundAbnormal, "REFUNDCLOSE": wxapi.RefundClosed,
}

// refund reads a verified answer, whose fields about the refund may have an
// index, or the plaintext of a notification.
func refund(f fields, status, suffix string) (wxapi.Refund, error) {
	if word, ok := statuses[status]; ok {
		status = word
	}
	r := wxapi.Refund{
		RefundID: f["refund_id"+suffix], OutRefundNo: f["out_refund_no"+suffix],
		TransactionID: f["transaction_id"], OutTradeNo: f["out_trade_no"], Status: status,
		Channel: f["refund_channel"+suffix], UserReceivedAccount: f["refund_recv_accout"+suffix], // their spelling
		SuccessTime: timeOf(readableTime, f["refund_success_time"+suffix]),
	}
	r.Amount.Currency = currency(f["refund_fee_type"])
	if r.OutRefundNo == "" || r.OutTradeNo == "" || status == "" {
		return wxapi.Refund{}, errors.New("out_refund_no, out_trade_no or refund_status is missing")
	}
	var err error
	if r.Amount.Total, err = fen(f, "total_fee"); err != nil {
		return wxapi.Refund{}, err
	}
	if r.Amount.Refund, err = fen(f, "refund_fee"+suffix); err != nil {
		return wxapi.Refund{}, err
	}
	if r.Amount.Refund == 0 {
		return wxapi.Refund{}, errors.New("refund_fee is missing")
	}
	return r, nil
}
