package wxpay

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Notify takes WeChat Pay's notifications: POST /notify. It answers 204 when
// the payment or refund is durably stored, or was before; 401 to whatever
// WeChat did not sign; and another 4xx or 5xx to what could not be stored or
// does not fit the order, so that WeChat sends it again. A notification of API
// v2 that comes here is taken as by [Kit.NotifyV2] if there is an APIv2 key.
func (k *Kit) Notify() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := k.opt.Now()
		r = traced(r)
		body, err := k.readSigned(w, r)
		if err == nil && k.acct.v2 && isXML(r.Header, body) {
			k.notifyV2(w, r, start, body)
			return
		}
		var n Notification
		var settle task
		if err == nil {
			n, err = k.unseal(r, body)
		}
		if err == nil {
			settle, err = k.read(&n)
		}
		answer := func(err error) { k.answerWeChat(w, r, start, n, err, inJSON) }
		if err != nil {
			answer(err)
			return
		}
		k.inTime(w, r, settle, answer)
	})
}

// errIgnored is a notification that changes nothing here and is acknowledged.
var errIgnored = errors.New("wxpay: this event means nothing to the kit")

// read returns what a verified notification has the kit do, and leaves in n the
// order that it is about.
func (k *Kit) read(n *Notification) (task, error) {
	switch n.EventType {
	case "TRANSACTION.SUCCESS":
		return k.readPayment(n)
	case "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED", "REFUND.CLOSE": // both spellings are documented
		return k.readRefund(n)
	}
	return nil, errIgnored
}

func (k *Kit) readPayment(n *Notification) (task, error) {
	t, err := wxapi.ParseTransaction(n.Plaintext)
	n.outTradeNo = t.OutTradeNo
	switch {
	case err != nil:
		return nil, &rejection{"malformed", http.StatusBadRequest, err}
	case t.TradeState != orderstore.TradeSuccess:
		return nil, &rejection{"not_success", http.StatusBadRequest, errors.New("trade_state is " + t.TradeState)}
	}
	return k.settlePayment(n.ID, n.Serial, t), nil
}

func (k *Kit) settlePayment(id, serial string, t wxapi.Transaction) task {
	p := till.PaymentOf(t, orderstore.FromNotification)
	p.ID, p.Serial = id, serial
	return func(ctx context.Context) error {
		_, err := k.till.Settle(ctx, p)
		return err
	}
}

// readRefund reads the news of a refund; refund_status says what it is.
// Source: 退款结果通知.
func (k *Kit) readRefund(n *Notification) (task, error) {
	r, err := wxapi.ParseRefundNotification(n.Plaintext)
	if err != nil {
		return nil, &rejection{"malformed", http.StatusBadRequest, err}
	}
	n.outTradeNo = r.OutTradeNo
	p := till.RefundResultOf(r, orderstore.FromNotification)
	p.ID, p.Serial = n.ID, n.Serial
	return func(ctx context.Context) error {
		_, err := k.till.SettleRefund(ctx, p)
		return err
	}, nil
}

// answerWeChat answers as WeChat Pay expects, and tells log and hooks which of
// the checks failed. The answer itself does not: all rejections look alike.
// Only nil and errIgnored are acknowledged.
func (k *Kit) answerWeChat(w http.ResponseWriter, r *http.Request, start time.Time, n Notification, err error, say answerTo) {
	info := NotificationInfo{Outcome: "ok", EventType: n.EventType, Serial: n.Serial}
	level := slog.LevelInfo
	switch {
	case err == nil:
		say(w, http.StatusNoContent)
	case errors.Is(err, errIgnored):
		info.Outcome = "ignored"
		say(w, http.StatusNoContent)
	default:
		rejected := &rejection{"internal", http.StatusInternalServerError, err}
		errors.As(err, &rejected)
		info.Outcome, level = rejected.name, slog.LevelWarn
		if n.Serial != "" {
			level = slog.LevelError // WeChat signed it, and we did not take it
		}
		if k.checks.Greet(k.acct.seal, w, r, rejected.name, k.opt.Now()) {
			level = slog.LevelInfo // our own, from Kit.Check
		}
		say(w, rejected.status)
	}
	info.Took = k.opt.Now().Sub(start)
	k.opt.Hooks.Notification(r.Context(), info)
	attrs := []slog.Attr{slog.String("ending", info.Outcome), slog.String("event_type", n.EventType), slog.String("notification_id", n.ID), slog.String("order_no", n.outTradeNo)}
	if err != nil {
		attrs = withRemedy(append(attrs, slog.Any("cause", err)), notificationRemedies, info.Outcome)
	}
	k.opt.Logger.LogAttrs(r.Context(), level, "notification answered", attrs...)
}

// answerTo writes an answer in the form that one of WeChat's APIs reads: 204,
// or the status of a rejection.
type answerTo func(w http.ResponseWriter, status int)

// inJSON is for API v3.
func inJSON(w http.ResponseWriter, status int) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	reply(w, status, refusal{"FAIL", "失败"})
}

// refusal is the body that WeChat Pay reads when it is refused.
// Source: 回调通知应答.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
