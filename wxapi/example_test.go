package wxapi_test

import (
	"context"
	"errors"
	"fmt"
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
