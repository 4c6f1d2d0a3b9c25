package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// witness carries notifications to the shops. Whenever one is acknowledged it
// looks at once whether the payment or the refund is stored: later somebody may
// have mended it.
type witness struct {
	wire   http.RoundTripper
	stored func(notice) (bool, error)

	mu     sync.Mutex
	apiv3  string
	seen   map[string]int // notifications looked up, by what they are about
	broken []audit.Violation
}

func newWitness(stored func(notice) (bool, error)) *witness {
	return &witness{stored: stored, seen: map[string]int{}, wire: &http.Transport{MaxIdleConnsPerHost: 32, MaxConnsPerHost: 128, IdleConnTimeout: 30 * time.Second}}
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
func (w *witness) looks() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.seen)
}

// look holds an acknowledged notification against the table.
func (w *witness) look(body []byte) {
	w.mu.Lock()
	key := w.apiv3
	w.mu.Unlock()
	n, err := noticeOf(body, key)
	if err != nil || n.OutTradeNo == "" {
		return // a forgery, or of something else
	}
	stored, err := w.stored(n)
	w.mu.Lock()
	defer w.mu.Unlock()
	what := "of payments"
	if n.OutRefundNo != "" {
		what = "of refunds"
	}
	w.seen[what]++
	if err == nil && !stored {
		w.broken = append(w.broken, audit.Violation{Rule: audit.AckedUnstored, OutTradeNo: n.OutTradeNo, Detail: fmt.Sprintf("when 204 had come the table did not hold it: %+v", n)})
	}
}

// notice is what a notification says: of a payment, or of a refund.
type notice struct {
	OutTradeNo   string `json:"out_trade_no"`
	OutRefundNo  string `json:"out_refund_no"`
	RefundStatus string `json:"refund_status"`
}

// noticeOf decrypts a notification. One of something else is empty.
func noticeOf(body []byte, apiv3 string) (said notice, err error) {
	var n struct {
		EventType string `json:"event_type"`
		Resource  struct {
			Nonce          string `json:"nonce"`
			AssociatedData string `json:"associated_data"`
			Ciphertext     []byte `json:"ciphertext"` // base64
		} `json:"resource"`
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return said, err
	}
	if n.EventType != "TRANSACTION.SUCCESS" && !strings.HasPrefix(n.EventType, "REFUND.") {
		return said, nil
	}
	plain, err := decrypt(apiv3, n.Resource.Nonce, n.Resource.AssociatedData, n.Resource.Ciphertext)
	if err != nil {
		return said, err
	}
	return said, json.Unmarshal(plain, &said)
}

func decrypt(key, nonce, data string, text []byte) ([]byte, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(nonce) != gcm.NonceSize() {
		return nil, errors.New("nonce of another length")
	}
	plain, err := gcm.Open(nil, []byte(nonce), text, []byte(data))
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return plain, nil
}
