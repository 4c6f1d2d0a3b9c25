package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

func ExamplePrepayRequest_Encode() {
	body, err := wxapi.PrepayRequest{
		AppID:       "wxd678efh567hg6787",
		MchID:       "1230000109",
		Description: wxapi.TruncateDescription("1个月会员"),
		OutTradeNo:  "20260101000001",
		TimeExpire:  time.Date(2026, 1, 1, 4, 30, 0, 0, time.UTC),
		NotifyURL:   "https://shop.example.com/pay/notify",
		Amount:      wxapi.Amount{Total: 100, Currency: "CNY"},
		Payer:       &wxapi.Payer{OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
	}.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", body) // keep these bytes with the order
	// Output:
	// {"appid":"wxd678efh567hg6787","mchid":"1230000109","description":"1个月会员","out_trade_no":"20260101000001","time_expire":"2026-01-01T12:30:00+08:00","notify_url":"https://shop.example.com/pay/notify","amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}
}

// What to do with the error of any call.
func ExampleIsCode() {
	decide := func(err error) string {
		var refusal *wxapi.Error
		switch {
		case err == nil:
			return "done"
		case errors.Is(err, wxapi.ErrUnknown):
			return "perhaps done: query, or send the same again"
		case wxapi.IsCode(err, "ORDER_NOT_EXIST"):
			return "no such order"
		case errors.As(err, &refusal):
			return fmt.Sprintf("refused with %d, ask support about %q", refusal.Status, refusal.RequestID)
		case errors.Is(err, wxapi.ErrUnreachable):
			return "nothing happened: try later"
		}
		return "never sent"
	}
	fmt.Println(decide(nil))
	fmt.Println(decide(fmt.Errorf("close: %w: %w", wxapi.ErrUnknown, context.DeadlineExceeded)))
	fmt.Println(decide(fmt.Errorf("query: %w", &wxapi.Error{Status: 404, Code: "ORDERNOTEXIST"})))
	fmt.Println(decide(fmt.Errorf("prepay: %w", &wxapi.Error{Status: 403, Code: "NO_AUTH", RequestID: "08F78B-0"})))
	fmt.Println(decide(wxapi.ErrUnreachable))
	fmt.Println(decide(context.Canceled))
	// Output:
	// done
	// perhaps done: query, or send the same again
	// no such order
	// refused with 403, ask support about "08F78B-0"
	// nothing happened: try later
	// never sent
}

func ExampleTruncateDescription() {
	long := "一年会员，含全部课程、直播回放与下载，自购买之日起三百六十五天内有效，不限次数，可赠送一位好友"
	short := wxapi.TruncateDescription(long)
	fmt.Println(len(long), len(short), short)
	// Output: 141 126 一年会员，含全部课程、直播回放与下载，自购买之日起三百六十五天内有效，不限次数，可赠
}

func ExampleParseTransaction() {
	t, err := wxapi.ParseTransaction([]byte(`{
		"appid": "wxd678efh567hg6787", "mchid": "1230000109", "out_trade_no": "20260101000001",
		"transaction_id": "4200002001202601010000000001", "trade_state": "SUCCESS",
		"success_time": "2026-01-01T12:00:00+08:00", "amount": {"total": 100, "currency": "CNY"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Paid(), t.Amount.Total, t.Amount.Currency, t.SuccessTime)
	// Output: true 100 CNY 2026-01-01 04:00:00 +0000 UTC
}

func ExampleRefundRequest_Encode() {
	body, err := wxapi.RefundRequest{
		OutTradeNo:  "20260101000001",
		OutRefundNo: "20260101000001-1",
		Reason:      wxapi.TruncateReason("商品已售完"),
		NotifyURL:   "https://shop.example.com/pay/notify",
		Refund:      60,
		Total:       100,
	}.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", body) // keep these bytes before the first try
	// Output:
	// {"out_trade_no":"20260101000001","out_refund_no":"20260101000001-1","reason":"商品已售完","notify_url":"https://shop.example.com/pay/notify","amount":{"refund":60,"total":100,"currency":"CNY"}}
}

// What to do after an application for a refund.
func ExampleClient_ApplyRefund() {
	next := func(err error) string {
		switch {
		case err == nil:
			return "accepted: wait for the notification, or query"
		case errors.Is(err, wxapi.ErrUnknown):
			return "perhaps accepted: QueryRefund, and the same bytes again only after RESOURCE_NOT_EXISTS"
		case wxapi.IsCode(err, "NOT_ENOUGH"):
			return "not accepted: top up, then the same bytes again"
		case errors.Is(err, wxapi.ErrUnreachable):
			return "never sent: the same bytes later"
		}
		return "not accepted: somebody must look"
	}
	fmt.Println(next(nil))
	fmt.Println(next(fmt.Errorf("refund: %w: %w", wxapi.ErrUnknown, &wxapi.Error{Status: 429, Code: "FREQUENCY_LIMITED"})))
	fmt.Println(next(fmt.Errorf("refund: %w", &wxapi.Error{Status: 403, Code: "NOTENOUGH"})))
	fmt.Println(next(wxapi.ErrUnreachable))
	fmt.Println(next(&wxapi.Error{Status: 400, Code: "INVALID_REQUEST"}))
	// Output:
	// accepted: wait for the notification, or query
	// perhaps accepted: QueryRefund, and the same bytes again only after RESOURCE_NOT_EXISTS
	// not accepted: top up, then the same bytes again
	// never sent: the same bytes later
	// not accepted: somebody must look
}

func ExampleTruncateReason() {
	long := "顾客在签收之后第三天发现商品外包装破损，经客服核实并拍照存档之后，同意全额退款"
	short := wxapi.TruncateReason(long)
	fmt.Println(len(long), len(short), short)
	// Output: 117 78 顾客在签收之后第三天发现商品外包装破损，经客服核实并
}

func ExampleParseRefundNotification() {
	r, err := wxapi.ParseRefundNotification([]byte(`{
		"mchid": "1230000109", "out_trade_no": "20260101000001", "transaction_id": "4200002001202601010000000001",
		"out_refund_no": "20260101000001-1", "refund_id": "50000000382019052709732678859", "refund_status": "SUCCESS",
		"success_time": "2026-01-02T08:00:05.120+08:00", "user_received_account": "支付用户零钱",
		"amount": {"total": 100, "refund": 60, "payer_total": 100, "payer_refund": 60}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.OutRefundNo, r.Status == wxapi.RefundSuccess, r.Amount.Refund, r.SuccessTime)
	// Output: 20260101000001-1 true 60 2026-01-02 00:00:05.12 +0000 UTC
}

func ExampleParseTradeBill() {
	bill, err := wxapi.ParseTradeBill(strings.NewReader("交易时间,微信订单号,商户订单号,交易状态,订单金额\n" +
		"`2026-01-01 12:00:00,`4200002001202601010000000001,`20260101000001,`SUCCESS,`1.00\n" +
		"总交易单数,订单总金额\n`1.0,`1.0\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range bill.Rows {
		fmt.Println(row.OutTradeNo, row.TradeState, row.OrderTotal, row.TradeTime)
	}
	// Output: 20260101000001 SUCCESS 100 2026-01-01 04:00:00 +0000 UTC
}

// Yesterday's bill held against the orders of the shop, in the morning.
func ExampleClient_TradeBill() {
	reconcile := func(ctx context.Context, c *wxapi.Client, check func(wxapi.BillRow)) error {
		bill, err := c.TradeBill(ctx, time.Now().AddDate(0, 0, -1), wxapi.BillOptions{})
		switch {
		case errors.Is(err, wxapi.ErrNoBill):
			return nil // nothing was paid or refunded
		case err != nil:
			return err // ErrBillNotReady: in half an hour; ErrBillDamaged: somebody must look
		}
		defer bill.Close()
		for row, err := range bill.Rows() {
			if err != nil {
				return err
			}
			check(row)
		}
		return nil
	}
	_ = reconcile
}
