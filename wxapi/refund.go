package wxapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

const refundPath = "/v3/refund/domestic/refunds"

// RefundRequest is a refund (退款) as WeChat Pay takes it. Amounts are fen.
// Source: 申请退款, 请求参数.
type RefundRequest struct {
	TransactionID string // WeChat Pay's number of the order; this or OutTradeNo, not both
	OutTradeNo    string // the merchant's number of the order
	OutRefundNo   string // required; 1 to 64 of [0-9A-Za-z_\-|*@], one number is one refund for ever
	Reason        string // shown to the customer; up to 80 characters, see TruncateReason
	NotifyURL     string // required; up to 256. Without one, WeChat Pay notifies in XML or not at all
	Refund        int64  // required; 1 to Total
	Total         int64  // required; the price of the whole order, not what is left of it
	Currency      string // CNY, which is also the default; always sent
}

type refundRequestWire struct {
	TransactionID string           `json:"transaction_id,omitempty"`
	OutTradeNo    string           `json:"out_trade_no,omitempty"`
	OutRefundNo   string           `json:"out_refund_no"`
	Reason        string           `json:"reason,omitempty"`
	NotifyURL     string           `json:"notify_url"`
	Amount        refundMoneyAsked `json:"amount"`
}

type refundMoneyAsked struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// Encode returns the JSON to keep before the first try, and to give to
// [Client.ApplyRefund] now and again. The same request gives the same bytes.
// Every field that is missing or cannot be is reported at once, each an
// [ErrRequest].
func (r RefundRequest) Encode() ([]byte, error) {
	if r.Currency == "" {
		r.Currency = "CNY" // optional at prepay, required here
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("refund: %w", err)
	}
	body, err := encode(refundRequestWire{
		TransactionID: r.TransactionID, OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo,
		Reason: r.Reason, NotifyURL: r.NotifyURL,
		Amount: refundMoneyAsked{Refund: r.Refund, Total: r.Total, Currency: r.Currency},
	})
	if err != nil {
		return nil, fmt.Errorf("refund: %w", err)
	}
	return body, nil
}

func (r RefundRequest) check() error {
	const maxReason, maxNotifyURL = 80, 256
	var errs []error
	fault := func(ok bool, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s", ErrRequest, text))
		}
	}
	fault((r.TransactionID == "") != (r.OutTradeNo == ""), "exactly one of transaction_id and out_trade_no is needed")
	fault(r.TransactionID == "" || isWeChatID(r.TransactionID), "transaction_id is not 1 to 32 letters and digits")
	fault(r.OutTradeNo == "" || isOutTradeNo(r.OutTradeNo), "out_trade_no is not up to 32 of 0-9 A-Z a-z _ - | *")
	fault(isOutRefundNo(r.OutRefundNo), "out_refund_no is not 1 to 64 of 0-9 A-Z a-z _ - | * @")
	fault(utf8.ValidString(r.Reason), "reason is not UTF-8")
	fault(utf8.RuneCountInString(r.Reason) <= maxReason, "reason is longer than 80 characters")
	fault(r.NotifyURL != "", "notify_url is missing")
	fault(len(r.NotifyURL) <= maxNotifyURL, "notify_url is longer than 256")
	fault(r.Refund >= 1, "amount.refund is less than 1 fen")
	fault(r.Refund <= r.Total, "amount.refund is more than amount.total")
	fault(r.Currency == "CNY", "amount.currency is not CNY")
	return errors.Join(errs...)
}

// TruncateReason cuts a reason at 80 bytes, between two characters, and drops
// bytes that are not UTF-8. WeChat Pay's limit is 80, and whether it counts
// characters or bytes is not documented; bytes are always safe.
func TruncateReason(s string) string {
	const most = 80
	return cut(strings.ToValidUTF8(s, ""), most)
}

// ApplyRefund asks for a refund (申请退款). body is what [RefundRequest.Encode]
// returned, kept since. nil says that WeChat Pay accepted it, now or before;
// whether the money has gone back is in [Refund].Status.
//
// It is sent once. Only a try that found no connection is followed by another,
// for nobody can tell a refund refused by 429, lost or answered with 5xx from
// one accepted: those are [ErrUnknown]. Then [Client.QueryRefund]: 404
// RESOURCE_NOT_EXISTS means that the very same bytes may be sent again, any
// status that there is nothing to send. A new number would be a second refund.
//
// Expect [*Error] with NOT_ENOUGH (same bytes again, once there is money),
// USER_ACCOUNT_ABNORMAL, RESOURCE_NOT_EXISTS, INVALID_REQUEST and the like.
// Source: 申请退款.
func (c *Client) ApplyRefund(ctx context.Context, body []byte) (Refund, error) {
	var asked refundRequestWire
	if err := json.Unmarshal(body, &asked); err != nil || !isOutRefundNo(asked.OutRefundNo) {
		return Refund{}, fmt.Errorf("refund: %w: the body is not what Encode returns", ErrRequest)
	}
	return c.refund(ctx, request{
		op: OpRefund, method: http.MethodPost, target: refundPath, body: bytes.Clone(body), once: true,
	}, func(got Refund) bool {
		return got.OutRefundNo == asked.OutRefundNo &&
			(asked.OutTradeNo == "" || got.OutTradeNo == asked.OutTradeNo) &&
			(asked.TransactionID == "" || got.TransactionID == asked.TransactionID)
	})
}

// QueryRefund asks for a refund by the merchant's number. The answer is about
// this very refund, or an error. Expect [*Error] with 404 RESOURCE_NOT_EXISTS
// when it was never accepted, which is certain only while none is under way.
// Source: 查询单笔退款（通过商户退款单号）.
func (c *Client) QueryRefund(ctx context.Context, outRefundNo string) (Refund, error) {
	if !isOutRefundNo(outRefundNo) {
		return Refund{}, fmt.Errorf("%s: %w: out_refund_no is not 1 to 64 of 0-9 A-Z a-z _ - | * @", OpRefundQuery, ErrRequest)
	}
	return c.refund(ctx, request{
		op: OpRefundQuery, method: http.MethodGet, target: refundPath + "/" + url.PathEscape(outRefundNo),
	}, func(got Refund) bool { return got.OutRefundNo == outRefundNo })
}

// refund sends a request whose answer is a refund, and lets only that one
// through which was asked for: the signature covers the answer and not the
// question. There is no mchid in it.
func (c *Client) refund(ctx context.Context, r request, asked func(Refund) bool) (Refund, error) {
	var refund Refund
	r.accept = c.verified(func(body []byte) error {
		got, err := parseRefund(body)
		if err != nil {
			return err
		}
		if !asked(got) {
			return errors.New("the answer is about another refund")
		}
		refund = got
		return nil
	})
	if err := c.do(ctx, r); err != nil {
		return Refund{}, err
	}
	return refund, nil
}

// isOutRefundNo keeps numbers out that would change the path.
// Source: out_refund_no, string[1,64].
func isOutRefundNo(s string) bool {
	return s != "" && len(s) <= 64 && isCode(strings.Map(func(r rune) rune {
		if r == '-' || r == '|' || r == '*' || r == '@' {
			return '_'
		}
		return r
	}, s))
}

// isWeChatID is the form of WeChat Pay's own numbers, transaction_id and refund_id.
func isWeChatID(s string) bool { return s != "" && len(s) <= 32 && isCode(s) }

// The values of [Refund].Status; the list may grow. Source: 查询退款, status.
const (
	RefundProcessing = "PROCESSING" // accepted, under way
	RefundSuccess    = "SUCCESS"    // the customer has the money
	RefundClosed     = "CLOSED"     // failed for good; another attempt needs a new number
	RefundAbnormal   = "ABNORMAL"   // the customer's account takes no money: see ApplyAbnormalRefund
)

// Refund is a refund as WeChat Pay sees it: the answer of an application or a
// query, and the plaintext of a refund notification. Only OutRefundNo,
// OutTradeNo and Status are always there. Source: 申请退款, 查询退款, 退款结果通知.
type Refund struct {
	MchID               string // in a notification, and always there; answers have none
	RefundID            string // WeChat Pay's number
	OutRefundNo         string
	TransactionID       string
	OutTradeNo          string
	Channel             string    // ORIGINAL, BALANCE, OTHER_BALANCE, OTHER_BANKCARD; none in a notification
	UserReceivedAccount string    // for people, such as 支付用户零钱; may hold the end of a card number
	Status              string    // RefundProcessing and so on
	CreateTime          time.Time // UTC; zero when absent or not a time, as in a notification
	SuccessTime         time.Time // with RefundSuccess, UTC; zero when absent or not a time

	// Amount is zero when WeChat Pay sent none. A refund is 1 fen at least.
	Amount RefundAmount
}

// RefundAmount is the money of a [Refund], in fen. Beside Total and Refund all
// are 0 when absent.
type RefundAmount struct {
	Total            int64  // the price of the order
	Refund           int64  // what was asked for: what to hold against one's own refund
	PayerTotal       int64  // what the customer had paid, coupons taken off
	PayerRefund      int64  // what the customer gets back, coupons taken off
	SettlementTotal  int64  // Total without coupons that WeChat Pay does not settle
	SettlementRefund int64  // Refund without them
	DiscountRefund   int64  // what goes back into coupons
	Currency         string // CNY; empty when absent, as in a notification
}
