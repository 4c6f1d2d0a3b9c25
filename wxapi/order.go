package wxapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Query asks for an order by the merchant's number, the only way that works
// for an unpaid one. The answer is about this very order and merchant, or an
// error. Expect [*Error] with 404 ORDER_NOT_EXIST when no prepay ever took
// effect, which is certain only while no prepay is under way.
// Source: 商户订单号查询订单.
func (c *Client) Query(ctx context.Context, outTradeNo string) (Transaction, error) {
	if err := checkOutTradeNo(outTradeNo); err != nil {
		return Transaction{}, fmt.Errorf("query: %w", err)
	}
	path := "/v3/pay/transactions/out-trade-no/" + url.PathEscape(outTradeNo)
	return c.query(ctx, path, func(t Transaction) bool { return t.OutTradeNo == outTradeNo })
}

// QueryByTransactionID asks for a paid order by WeChat Pay's number; see
// [Client.Query]. Source: 微信支付订单号查询订单.
func (c *Client) QueryByTransactionID(ctx context.Context, id string) (Transaction, error) {
	if id == "" || len(id) > 32 || !isCode(id) {
		return Transaction{}, fmt.Errorf("query: %w: transaction_id is not 1 to 32 letters and digits", ErrRequest)
	}
	path := "/v3/pay/transactions/id/" + url.PathEscape(id)
	return c.query(ctx, path, func(t Transaction) bool { return t.TransactionID == id })
}

func (c *Client) query(ctx context.Context, path string, asked func(Transaction) bool) (Transaction, error) {
	var t Transaction
	err := c.do(ctx, request{
		op: OpQuery, method: http.MethodGet, target: path + "?mchid=" + url.QueryEscape(c.cfg.Signer.MchID),
		accept: c.verified(func(body []byte) error {
			got, err := ParseTransaction(body)
			if err != nil {
				return err
			}
			// The signature covers the answer and not the question: without
			// this the answer to another question would pass for this one's.
			if got.MchID != c.cfg.Signer.MchID || !asked(got) {
				return errors.New("the answer is about another order")
			}
			t = got
			return nil
		}),
	})
	if err != nil {
		return Transaction{}, err
	}
	return t, nil
}

// Close closes an unpaid order (关单): nil says that WeChat Pay said it is
// closed, by this call or before. Query right before, and after every error:
// an order that was paid meanwhile is refused with [*Error] ORDER_PAID, and a
// close that races the payment with 429, which is an [ErrUnknown].
// Source: 关闭订单.
func (c *Client) Close(ctx context.Context, outTradeNo string) error {
	if err := checkOutTradeNo(outTradeNo); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	body, err := json.Marshal(map[string]string{"mchid": c.cfg.Signer.MchID})
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	err = c.do(ctx, request{
		op: OpClose, method: http.MethodPost, body: body,
		target: "/v3/pay/transactions/out-trade-no/" + url.PathEscape(outTradeNo) + "/close",
		accept: c.verified(func(body []byte) error {
			if len(body) > 0 { // success is 204 without a body; nobody knows what anything else would mean
				return errors.New("it is not empty")
			}
			return nil
		}),
	})
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest && IsCode(refusal, "ORDER_CLOSED") {
		return nil
	}
	return err
}

func checkOutTradeNo(s string) error {
	if !isOutTradeNo(s) {
		return fmt.Errorf("%w: out_trade_no is not up to 32 of 0-9 A-Z a-z _ - | *", ErrRequest)
	}
	return nil
}

// isOutTradeNo keeps numbers out that would change the path, such as "..".
// Source: out_trade_no, string[6,32]. Old orders may have shorter ones.
func isOutTradeNo(s string) bool {
	return s != "" && len(s) <= 32 && isCode(strings.Map(func(r rune) rune {
		if r == '-' || r == '|' || r == '*' {
			return '_'
		}
		return r
	}, s))
}
