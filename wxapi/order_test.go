package wxapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
)

func TestPrepayProducts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		product wxapi.Product
		answer  string
		missing string
		want    wxapi.Credential
	}{
		{wxapi.App, `{"prepay_id":"wx1"}`, "prepay_id", wxapi.Credential{PrepayID: "wx1"}},
		{wxapi.JSAPI, `{"prepay_id":"wx1"}`, "prepay_id", wxapi.Credential{PrepayID: "wx1"}},
		{wxapi.H5, `{"h5_url":"https://wx.tenpay.com/x"}`, "h5_url", wxapi.Credential{H5URL: "https://wx.tenpay.com/x"}},
		{wxapi.Native, `{"code_url":"weixin://wxpay/bizpayurl?pr=x"}`, "code_url", wxapi.Credential{CodeURL: "weixin://wxpay/bizpayurl?pr=x"}},
	} {
		t.Run(string(tt.product), func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, reply(200, tt.answer), reply(200, `{}`))
			c := w.client(t)
			got, err := c.Prepay(t.Context(), tt.product, []byte(prepayBody))
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v", got, err)
			}
			if w.hits[0].uri != "/v3/pay/transactions/"+string(tt.product) {
				t.Errorf("went to %s", w.hits[0].uri)
			}
			got, err = c.Prepay(t.Context(), tt.product, []byte(prepayBody))
			want{is: wxapi.ErrUnknown}.check(t, err)
			if got != (wxapi.Credential{}) || !strings.Contains(err.Error(), tt.missing+" is missing") {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestMalformed: what can never be a request is not sent.
func TestMalformed(t *testing.T) {
	t.Parallel()
	w := newWeChat(t)
	c := w.client(t)
	for name, call := range map[string]func() error{
		"no product":      func() error { _, err := c.Prepay(t.Context(), "", []byte("{}")); return err },
		"another product": func() error { _, err := c.Prepay(t.Context(), "../refund", []byte("{}")); return err },
		"no body":         func() error { _, err := c.Prepay(t.Context(), wxapi.App, nil); return err },
		"no id":           func() error { _, err := c.QueryByTransactionID(t.Context(), ""); return err },
		"no proper id":    func() error { _, err := c.QueryByTransactionID(t.Context(), "1?2"); return err },
		"long id":         func() error { _, err := c.QueryByTransactionID(t.Context(), strings.Repeat("4", 33)); return err },
	} {
		t.Run(name, func(t *testing.T) { want{is: wxapi.ErrRequest}.check(t, call()) })
	}
	for _, no := range []string{"", ".", "..", "a/b", "a?b", "a%2Fb", "订单", "a b", strings.Repeat("1", 33)} {
		t.Run(fmt.Sprintf("out_trade_no %q", no), func(t *testing.T) {
			_, err := c.Query(t.Context(), no)
			want{is: wxapi.ErrRequest}.check(t, err)
			want{is: wxapi.ErrRequest}.check(t, c.Close(t.Context(), no))
		})
	}
	w.checkNone(t)
}

func TestQueryAnswers(t *testing.T) {
	t.Parallel()
	const id = "4200002001202601010000000001"
	paid := strings.Replace(notPaid, "NOTPAY", "SUCCESS", 1)
	paid = strings.Replace(paid, "{", `{"transaction_id":"`+id+`","amount":{"total":100},`, 1)
	t.Run("by number", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, reply(200, paid))
		got, err := w.client(t).Query(t.Context(), testNo)
		if err != nil || !got.Paid() || got.TransactionID != id || got.Amount.Total != 100 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("by transaction id", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, reply(200, paid), reply(200, notPaid))
		c := w.client(t)
		got, err := c.QueryByTransactionID(t.Context(), id)
		if err != nil || got.OutTradeNo != testNo {
			t.Errorf("%+v, %v", got, err)
		}
		if want := "/v3/pay/transactions/id/" + id + "?mchid=" + testMchID; w.hits[0].uri != want {
			t.Errorf("went to %s, want %s", w.hits[0].uri, want)
		}
		got, err = c.QueryByTransactionID(t.Context(), id)
		want{is: wxapi.ErrUnknown}.check(t, err)
		if got.OutTradeNo != "" {
			t.Errorf("the answer to another question was let through: %+v", got)
		}
	})
	t.Run("never ordered", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, refuse(404, "ORDERNOTEXIST"))
		_, err := w.client(t).Query(t.Context(), testNo)
		want{status: 404, code: "ORDERNOTEXIST"}.check(t, err)
		if !wxapi.IsCode(err, "ORDER_NOT_EXIST") {
			t.Error("IsCode does not see through the old spelling")
		}
	})
}

func TestCloseAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []step
		want  want
	}{
		{"closed", []step{reply(204, "")}, want{}},
		{"closed, as 200", []step{reply(200, "")}, want{}},
		{"closed before", []step{refuse(400, "ORDER_CLOSED")}, want{}},
		{"closed before, old spelling", []step{refuse(400, "ORDERCLOSED")}, want{}},
		{"closed by the try before", []step{reset, refuse(400, "ORDER_CLOSED")}, want{}},
		{"the same code elsewhere", []step{refuse(403, "ORDER_CLOSED")}, want{status: 403, code: "ORDER_CLOSED"}},
		{"the same code from a server in trouble", again(refuse(500, "ORDER_CLOSED")), want{is: wxapi.ErrUnknown, status: 500, code: "ORDER_CLOSED"}},
		{"paid", []step{refuse(400, "ORDERPAID")}, want{status: 400, code: "ORDERPAID"}},
		{"paid, new spelling", []step{refuse(403, "ORDER_PAID")}, want{status: 403, code: "ORDER_PAID"}},
		{"trade error", []step{refuse(403, "TRADE_ERROR")}, want{status: 403, code: "TRADE_ERROR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, tt.steps...)
			tt.want.check(t, w.client(t).Close(t.Context(), testNo))
			w.checkHits(t, verbs()[2], len(tt.steps))
		})
	}
}
