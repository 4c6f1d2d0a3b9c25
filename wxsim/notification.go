package wxsim

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The event_type of the notifications this simulator sends.
const (
	EventTransactionSuccess = "TRANSACTION.SUCCESS"
	EventRefundSuccess      = "REFUND.SUCCESS"
	EventRefundAbnormal     = "REFUND.ABNORMAL"
	EventRefundClosed       = "REFUND.CLOSED"
)

// summaries are what the notifications of a refund say about themselves.
var summaries = map[string]string{
	EventRefundSuccess:  "退款成功",
	EventRefundAbnormal: "退款异常",
	EventRefundClosed:   "退款关闭",
}

// Notification is a notification about to be encrypted and signed. A test that
// wants to see one rejected changes one field of it; all others stay genuine.
type Notification struct {
	ID           string // id
	CreateTime   string // create_time
	EventType    string // event_type
	ResourceType string // resource_type
	Summary      string // summary

	// Plaintext is the resource before encryption. RawPlaintext, when not
	// nil, is encrypted in its place.
	Plaintext    map[string]any
	RawPlaintext []byte

	Algorithm      string // resource.algorithm
	Nonce          string // resource.nonce; 12 letters, others are for tests
	AssociatedData string // resource.associated_data
	OriginalType   string // resource.original_type
	APIv3Key       string // what it is encrypted with

	Timestamp   string          // Wechatpay-Timestamp
	HeaderNonce string          // Wechatpay-Nonce
	Serial      string          // Wechatpay-Serial: whose signature it claims to be
	SigningKey  *rsa.PrivateKey // whose it is

	// BeforeSigning may rewrite the JSON envelope; the signature covers what
	// it returns. AfterSigning may rewrite it behind the signature's back.
	BeforeSigning func(body []byte) []byte
	AfterSigning  func(body []byte) []byte
}

// Notification builds a really encrypted and signed notification of a paid
// order as a request to the order's notify_url, and sends nothing. Each change
// is applied before encryption. Headers of the result may be changed too.
func (s *Sim) Notification(outTradeNo string, change ...func(*Notification)) (*http.Request, error) {
	s.mu.Lock()
	o, exists := s.find(outTradeNo)
	var (
		notifyURL string
		plaintext map[string]any
		err       error
	)
	switch {
	case !exists:
		err = ErrNoOrder
	case !o.paid():
		err = fmt.Errorf("wxsim: order %s is %s: only paid orders are notified", outTradeNo, o.TradeState)
	default:
		notifyURL, plaintext = o.NotifyURL, o.transactionAs(stateSuccess)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.SignNotification(plaintext, EventTransactionSuccess, notifyURL, change...)
}

// SignNotification builds a notification of any plaintext: a []byte is taken
// as it is, anything else as the JSON object it marshals to. It serves orders
// the simulator does not know and events it does not send.
func (s *Sim) SignNotification(plaintext any, eventType, notifyURL string, change ...func(*Notification)) (*http.Request, error) {
	n := s.newNotification(eventType)
	switch p := plaintext.(type) {
	case []byte:
		n.RawPlaintext = p
	case map[string]any:
		n.Plaintext = p
	default:
		raw, err := json.Marshal(plaintext)
		if err != nil {
			return nil, fmt.Errorf("wxsim: plaintext: %w", err)
		}
		parsed, refused := parseBody(raw)
		if refused != nil {
			return nil, fmt.Errorf("wxsim: plaintext %T is not a JSON object", plaintext)
		}
		n.Plaintext = parsed
	}
	for _, c := range change {
		c(n)
	}
	return n.request(notifyURL)
}

// newNotification fills in everything but the plaintext, as of now.
func (s *Sim) newNotification(eventType string) *Notification {
	by := s.notifySigner()
	resource, summary := "transaction", "支付成功"
	if strings.HasPrefix(eventType, "REFUND.") {
		resource, summary = "refund", summaries[eventType]
	}
	return &Notification{
		ID:             uuid(nonce(32)),
		CreateTime:     stamp(s.Now()),
		EventType:      eventType,
		ResourceType:   "encrypt-resource",
		Summary:        summary,
		Algorithm:      "AEAD_AES_256_GCM",
		Nonce:          nonce(12),
		AssociatedData: resource,
		OriginalType:   resource,
		APIv3Key:       s.keys.account.APIv3Key,
		Timestamp:      s.headerTime(),
		HeaderNonce:    nonce(32),
		Serial:         by.serial,
		SigningKey:     by.key,
	}
}

// notifySigner is the key notifications are signed with: the public key,
// unless the account still uses certificates or they are being rotated. A
// public-key merchant has none.
func (s *Sim) notifySigner() signer {
	s.mu.Lock()
	certificate := s.conf.NotifyWithCertificate || s.rotating
	s.mu.Unlock()
	if certificate {
		if inForce := s.platformSigners(); len(inForce) > 0 {
			return signer{inForce[0].serial, inForce[0].key}
		}
	}
	return signer{s.keys.account.PublicKeyID, s.keys.publicKey}
}

// request encrypts, wraps and signs.
func (n *Notification) request(notifyURL string) (*http.Request, error) {
	plaintext := n.RawPlaintext
	if plaintext == nil {
		plaintext = compact(n.Plaintext)
	}
	resource, err := encrypt(n.APIv3Key, n.Nonce, n.AssociatedData, plaintext)
	if err != nil {
		return nil, fmt.Errorf("wxsim: notification: %w", err)
	}
	resource["algorithm"] = n.Algorithm
	resource["original_type"] = n.OriginalType
	body := compact(map[string]any{
		"id": n.ID, "create_time": n.CreateTime, "event_type": n.EventType,
		"resource_type": n.ResourceType, "summary": n.Summary, "resource": resource,
	})
	if n.BeforeSigning != nil {
		body = n.BeforeSigning(body)
	}
	h := http.Header{}
	if err := setSignature(h, signer{n.Serial, n.SigningKey}, n.Timestamp, n.HeaderNonce, body); err != nil {
		return nil, fmt.Errorf("wxsim: notification: %w", err)
	}
	if n.AfterSigning != nil {
		body = n.AfterSigning(body)
	}
	r, err := http.NewRequest(http.MethodPost, notifyURL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("wxsim: notification: %w", err)
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Mozilla/4.0")
	h.Set("Request-ID", "08"+nonce(24)+"-0")
	r.Header = h
	return r, nil
}

// oldTimestamp is a Wechatpay-Timestamp that any receiver must find too old.
func (s *Sim) oldTimestamp() string {
	return fmt.Sprint(s.clock.header().Add(-2 * tolerance).Add(-time.Second).Unix())
}

// uuid writes 32 letters in the 36 letter form of a notification's id.
func uuid(l string) string {
	return l[:8] + "-" + l[8:12] + "-" + l[12:16] + "-" + l[16:20] + "-" + l[20:32]
}
