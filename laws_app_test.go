package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// quote prices carts as they are now, and goods by the catalogue.
func (h *history) quote(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
	if q.OrderRef == "" {
		return catalog.Quote(ctx, q)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return wxpay.Quote{Total: orderstore.Fen(cartPrice + h.prices[q.OrderRef]), Description: "购物车", Ref: q.OrderRef}, nil
}

// cartPrice is what a cart costs at first; each change makes it a fen dearer.
const cartPrice = 250

// onPaid is the app: sometimes down, sometimes slow.
func (h *history) onPaid(ctx context.Context, o wxpay.Order) error {
	h.mu.Lock()
	h.handing[o.OutTradeNo]++
	twice := h.handing[o.OutTradeNo] > 1
	down, slow := h.hookDown > 0, h.hookSlow
	h.hookDown = max(0, h.hookDown-1)
	h.mu.Unlock()
	if twice {
		h.violate("law 6: %s is handed over twice at the same time", o.OutTradeNo)
	}
	if s, err := h.store.Get(ctx, o.OutTradeNo); err != nil || s.GivenBack+o.GivenBack != "" || s.PayStatus != orderstore.Paid || s.TransactionID != o.TransactionID {
		h.violate("law 6: %s is handed over, but the store has %v %q %q, %v", o.OutTradeNo, s.PayStatus, s.TransactionID, s.GivenBack, err)
	}
	time.Sleep(slow)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handing[o.OutTradeNo]--
	if down {
		return errors.New("the membership service is down")
	}
	h.granted[o.OutTradeNo]++
	return nil
}

// ServeHTTP takes the requests to the shop in turn. A notification is watched:
// what it speaks of must be durable when it is acknowledged.
func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	kit := h.processes[int(h.turn.Add(1))%len(h.processes)].kit
	h.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/notify") {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		w = &watched{w, func() { h.acknowledged(body) }}
	}
	kit.ServeHTTP(w, r)
}

type watched struct {
	http.ResponseWriter
	acknowledged func()
}

func (w *watched) WriteHeader(status int) {
	if status < 300 {
		w.acknowledged()
	}
	w.ResponseWriter.WriteHeader(status)
}

// acknowledged looks into the store at the moment of a 2xx to WeChat.
func (h *history) acknowledged(body []byte) {
	var sealed struct {
		EventType string `json:"event_type"`
		Resource  wxcrypto.Resource
	}
	var tx struct {
		OutTradeNo    string `json:"out_trade_no"`
		TransactionID string `json:"transaction_id"`
	}
	err := json.Unmarshal(body, &sealed)
	if err == nil {
		var plaintext []byte
		if plaintext, err = h.apiv3.Open(sealed.Resource); err == nil {
			err = json.Unmarshal(plaintext, &tx)
		}
		if strings.HasPrefix(sealed.EventType, "REFUND.") {
			h.acknowledgedRefund(plaintext)
			return
		}
	}
	if err != nil {
		h.violate("an unreadable notification was acknowledged: %v", err)
		return
	}
	o, err := h.store.Get(context.Background(), tx.OutTradeNo)
	if err != nil || o.PayStatus != orderstore.Paid || o.TransactionID != tx.TransactionID && !strings.Contains(o.Anomaly, tx.TransactionID) {
		h.violate("transaction %s of %s was acknowledged, but the store has %v %q, %v", tx.TransactionID, tx.OutTradeNo, o.PayStatus, o.TransactionID, err)
	}
}
