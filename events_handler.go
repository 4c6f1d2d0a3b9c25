package wxpay

import (
	"net/http"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// eventAnswer is a line of an order's history.
type eventAnswer struct {
	At     string               `json:"at"` // RFC 3339, Beijing
	Kind   orderstore.EventKind `json:"kind"`
	Source orderstore.Source    `json:"source,omitempty"`
	ID     string               `json:"id,omitempty"`     // at the source: a notification's id
	Serial string               `json:"serial,omitempty"` // of the key that signed it
	Note   string               `json:"note,omitempty"`
}

type eventsAnswer struct {
	OutTradeNo string        `json:"out_trade_no"`
	Events     []eventAnswer `json:"events"` // oldest first
}

// OrderEvents tells what happened to an order: GET
// /orders/{out_trade_no}/events, for those whom Options.AuthorizeRefund admits.
// It answers "did WeChat call us, and what did we do?". With Accept: text/plain
// it is a timeline to print.
func (k *Kit) OrderEvents() http.Handler {
	return k.endpoint("events", func(_ http.ResponseWriter, r *http.Request) (answer, error) {
		userID, err := k.user(r)
		if err != nil {
			return answer{}, err
		}
		o, err := k.orderToRefund(r, userID)
		if err != nil {
			return answer{}, err
		}
		events, err := k.opt.Store.Events(r.Context(), o.OutTradeNo)
		if err != nil {
			return answer{}, problemStore.because(err)
		}
		if strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
			return answer{order: o.OutTradeNo, picture: &picture{"text/plain; charset=utf-8", []byte(orderstore.Timeline(*o, events))}}, nil
		}
		data := eventsAnswer{OutTradeNo: o.OutTradeNo, Events: make([]eventAnswer, len(events))}
		for i, e := range events {
			data.Events[i] = eventAnswer{beijing(e.At).Format(time.RFC3339Nano), e.Kind, e.Source, e.ID, e.Serial, e.Note}
		}
		return done(o.OutTradeNo, data, success), nil
	})
}
