package apiv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/wxpaykit/wxpay/wxapi"
)

// Query asks for an order by the merchant's number and the appid it was placed
// with; see [wxapi.Client.Query]. Source: 查询订单.
func (c *Client) Query(ctx context.Context, appID, outTradeNo string) (wxapi.Transaction, error) {
	if appID == "" || outTradeNo == "" {
		return wxapi.Transaction{}, fmt.Errorf("query: %w: appid and out_trade_no are needed", wxapi.ErrRequest)
	}
	var t wxapi.Transaction
	err := c.do(ctx, call{
		op: wxapi.OpQuery, path: "/pay/orderquery", fields: c.about(appID, fields{"out_trade_no": outTradeNo}),
		read: func(got fields) error {
			if got["out_trade_no"] != outTradeNo {
				return errors.New("the answer is about another order")
			}
			var err error
			t, err = transaction(got, got["trade_state"])
			return err
		},
	})
	if err != nil {
		return wxapi.Transaction{}, err
	}
	return t, nil
}

// Close closes an unpaid order; see [wxapi.Client.Close]. An order that was
// paid meanwhile is refused with [*wxapi.Error] ORDER_PAID. WeChat Pay may
// refuse to close one in the first five minutes: try again later.
// Source: 关闭订单.
func (c *Client) Close(ctx context.Context, appID, outTradeNo string) error {
	if appID == "" || outTradeNo == "" {
		return fmt.Errorf("close: %w: appid and out_trade_no are needed", wxapi.ErrRequest)
	}
	err := c.do(ctx, call{
		op: wxapi.OpClose, path: "/pay/closeorder", fields: c.about(appID, fields{"out_trade_no": outTradeNo}),
		read: func(fields) error { return nil },
	})
	if wxapi.IsCode(err, "ORDER_CLOSED") {
		return nil
	}
	return err
}

// about completes the fields of a question that is not kept.
func (c *Client) about(appID string, f fields) fields {
	f["appid"], f["mch_id"], f["sign_type"] = appID, c.cfg.MchID, string(c.cfg.SignType)
	return f
}

// transaction reads a verified answer or notification. A state that says that
// money has moved must come with the money.
func transaction(f fields, state string) (wxapi.Transaction, error) {
	t := wxapi.Transaction{
		AppID: f["appid"], MchID: f["mch_id"], OutTradeNo: f["out_trade_no"], TransactionID: f["transaction_id"],
		TradeType: f["trade_type"], TradeState: state, TradeStateDesc: f["trade_state_desc"],
		BankType: f["bank_type"], Attach: f["attach"], OpenID: f["openid"], DeviceID: f["device_info"],
		SuccessTime: timeOf(compactTime, f["time_end"]),
	}
	if detail := f["promotion_detail"]; json.Valid([]byte(detail)) {
		t.PromotionDetail = json.RawMessage(detail)
	}
	if t.OutTradeNo == "" || state == "" {
		return wxapi.Transaction{}, errors.New("out_trade_no or trade_state is missing")
	}
	var err error
	if t.Amount, err = amount(f); err != nil {
		return wxapi.Transaction{}, err
	}
	if t.Paid() && (t.Amount.Total == 0 || t.TransactionID == "") {
		return wxapi.Transaction{}, errors.New("total_fee or transaction_id of a paid order is missing")
	}
	return t, nil
}

// amount is zero when there is none. A fee_type that is absent is CNY.
func amount(f fields) (a wxapi.TransactionAmount, err error) {
	if a.Total, err = fen(f, "total_fee"); err != nil {
		return wxapi.TransactionAmount{}, err
	}
	if a.PayerTotal, err = fen(f, "cash_fee"); err != nil {
		return wxapi.TransactionAmount{}, err
	}
	a.Currency, a.PayerCurrency = currency(f["fee_type"]), currency(f["cash_fee_type"])
	return a, nil
}

func currency(s string) string {
	if s == "" {
		return "CNY"
	}
	return s
}

// fen is a whole number of fen from 0 up; 0 when the field is absent.
func fen(f fields, name string) (int64, error) {
	text := f[name]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s is no whole number of fen", name)
	}
	return int64(n), nil
}
