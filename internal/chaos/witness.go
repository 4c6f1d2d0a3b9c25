package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// witness carries notifications to the shops. Whenever one is acknowledged it
// looks at once whether the payment is stored: later somebody may have mended
// it.
type witness struct {
	wire   http.RoundTripper
	stored func(outTradeNo string) (bool, error)

	mu     sync.Mutex
	apiv3  string
	seen   int
	broken []audit.Violation
}

func newWitness(stored func(string) (bool, error)) *witness {
	return &witness{stored: stored, wire: &http.Transport{MaxIdleConnsPerHost: 32, MaxConnsPerHost: 128, IdleConnTimeout: 30 * time.Second}}
}

// RoundTrip makes the witness an [http.RoundTripper].
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	resp, err := w.wire.RoundTrip(r)
	if err == nil && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent) {
		w.look(body)
	}
	return resp, err
}

// learn tells the key that notifications are encrypted with.
func (w *witness) learn(apiv3 string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apiv3 = apiv3
}

func (w *witness) violations() []audit.Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

// looks is how many acknowledged notifications were looked up.
func (w *witness) looks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// look holds an acknowledged notification against the table.
func (w *witness) look(body []byte) {
	w.mu.Lock()
	key := w.apiv3
	w.mu.Unlock()
	no, err := paidOrder(body, key)
	if err != nil || no == "" {
		return // a forgery, or not of a payment
	}
	stored, err := w.stored(no)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen++
	if err == nil && !stored {
		w.broken = append(w.broken, audit.Violation{Rule: audit.AckedUnstored, OutTradeNo: no, Detail: "when 204 had come the order was not paid"})
	}
}

// paidOrder decrypts a notification and returns the order that it says is
// paid.
func paidOrder(body []byte, apiv3 string) (string, error) {
	var n struct {
		EventType string `json:"event_type"`
		Resource  struct {
			Nonce          string `json:"nonce"`
			AssociatedData string `json:"associated_data"`
			Ciphertext     []byte `json:"ciphertext"` // base64
		} `json:"resource"`
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return "", err
	}
	if n.EventType != "TRANSACTION.SUCCESS" {
		return "", nil
	}
	block, err := aes.NewCipher([]byte(apiv3))
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	if len(n.Resource.Nonce) != gcm.NonceSize() {
		return "", errors.New("nonce of another length")
	}
	plain, err := gcm.Open(nil, []byte(n.Resource.Nonce), n.Resource.Ciphertext, []byte(n.Resource.AssociatedData))
	if err != nil {
		return "", fmt.Errorf("decrypt: %w", err)
	}
	var t struct {
		OutTradeNo string `json:"out_trade_no"`
	}
	return t.OutTradeNo, json.Unmarshal(plain, &t)
}
