package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// ofWeChat is the server that plays WeChat Pay for a kit that is measured.
const ofWeChat = "wechat"

// weChat answers prepays, after some time, and questions about orders that
// nobody has paid. It signs what it says and believes what it is told: it must
// be cheaper than the kit, which is what is measured. Answers to prepays were
// signed before; the kit verifies each.
type weChat struct {
	*meter
	key     *rsa.PrivateKey
	at      time.Time // what its signatures say
	latency time.Duration
	answers []signedAnswer
	next    atomic.Uint64
	waiting atomic.Int64

	mu    sync.Mutex
	peers map[string]bool // the addresses that prepays came from: each is a connection
}

// signedAnswer is an answer with the signature of WeChat Pay.
type signedAnswer struct {
	header http.Header
	body   []byte
}

// openWeChat opens the WeChat Pay of a stage.
func (c config) openWeChat() (http.Handler, func() error, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, nil, err
	}
	s, err := readStage(c.folder)
	if err != nil {
		return nil, nil, err
	}
	w, err := newWeChat(a, s)
	return w, func() error { return nil }, err
}

// newWeChat signs the answers to prepays, too.
func newWeChat(a account, s stage) (http.Handler, error) {
	private, err := parsePrivate(s.Key)
	if err != nil {
		return nil, err
	}
	w := &weChat{meter: newMeter(), key: private, at: a.SignedAt, latency: s.Latency, peers: make(map[string]bool)}
	for i := range some {
		signed, err := w.sign(fmt.Appendf(nil, `{"prepay_id":"wx2014102720093955%020d"}`, i))
		if err != nil {
			return nil, err
		}
		w.answers = append(w.answers, signed)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/pay/transactions/jsapi", w.prepay)
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{out_trade_no}", w.query)
	return metered(w.meter, mux), nil
}

// sign signs an answer. Source: 签名验证.
func (w *weChat) sign(body []byte) (signedAnswer, error) {
	timestamp, nonce := strconv.FormatInt(w.at.Unix(), 10), "nonce"+strconv.FormatUint(w.next.Add(1), 10)
	digest := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, w.key, crypto.SHA256, digest[:])
	return signedAnswer{http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}, "Request-Id": {nonce},
		"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {nonce}, "Wechatpay-Serial": {publicKeyID},
		"Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)}, "Wechatpay-Signature-Type": {"WECHATPAY2-SHA256-RSA2048"},
	}, body}, err
}

func (s signedAnswer) send(w http.ResponseWriter) {
	for name, values := range s.header {
		w.Header()[name] = values
	}
	_, _ = w.Write(s.body)
}

func (w *weChat) prepay(out http.ResponseWriter, r *http.Request) {
	w.add(meterPrepays, 1)
	w.atLeast(meterConns, w.connected(r.RemoteAddr))
	w.atLeast(meterMost, w.waiting.Add(1))
	defer w.waiting.Add(-1)
	wait(r.Context(), w.latency)
	w.answers[w.next.Add(1)%uint64(len(w.answers))].send(out)
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// connected counts the connections, that of peer among them.
func (w *weChat) connected(peer string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peers[peer] = true
	return int64(len(w.peers))
}

// query says that nobody has paid. Source: 查询订单.
func (w *weChat) query(out http.ResponseWriter, r *http.Request) {
	w.add(meterQuestions, 1)
	signed, err := w.sign(fmt.Appendf(nil, `{"appid":"%s","mchid":"%s","out_trade_no":"%s","trade_state":"NOTPAY","trade_state_desc":"订单未支付",`+
		`"amount":{"total":%d,"currency":"CNY"}}`, appID, mchID, r.PathValue("out_trade_no"), price))
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	signed.send(out)
}
