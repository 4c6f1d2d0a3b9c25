package wxpay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// maxNotification caps a notification. Those of payments are about 2 KiB, with
// many coupons some more.
const maxNotification = 128 << 10

// usualNotification is how much room a body gets before it has come: to announce
// a long one takes no memory.
const usualNotification = 4 << 10

// Notification is one that WeChat Pay signed, decrypted. Source: 回调通知.
type Notification struct {
	ID        string // WeChat's; a re-sent notification may have another
	EventType string // such as TRANSACTION.SUCCESS
	Summary   string
	Serial    string // of the key that signed it
	Plaintext []byte // the decrypted resource, JSON

	outTradeNo string // for the log, once it is known
}

// rejection is a notification that was not accepted: what WeChat is answered,
// and the name for log and metric.
type rejection struct {
	name   string
	status int
	cause  error
}

func (r *rejection) Error() string { return fmt.Sprintf("%s: %v", r.name, r.cause) }
func (r *rejection) Unwrap() error { return r.cause }

// open reads, verifies and decrypts a notification, in this order: nothing in
// it is looked at before the signature over the received bytes holds.
func (k *Kit) open(w http.ResponseWriter, r *http.Request) (Notification, error) {
	body, err := k.readSigned(w, r)
	if err != nil {
		return Notification{}, err
	}
	return k.unseal(r, body)
}

// readSigned reads a body, unless the headers are reason enough to refuse it: a
// flood of forgeries is not read. Without a signature it may be one of API v2,
// which is known by its body.
func (k *Kit) readSigned(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength <= maxNotification && r.Header.Get("Wechatpay-Signature") != "" {
		if err := k.checkHeader(r.Context(), r.Header); err != nil {
			return nil, unverified(err, false)
		}
	}
	return readNotification(w, r)
}

// unseal is open of a body that was read.
func (k *Kit) unseal(r *http.Request, body []byte) (Notification, error) {
	if isXML(r.Header, body) {
		return Notification{}, errStrayV2
	}
	serial, err := k.acct.keys.Verify(r.Header, body, k.opt.Now())
	if err != nil {
		return Notification{}, unverified(err, len(body) == 0 || int64(len(body)) < r.ContentLength)
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // for those behind VerifyNotify
	n := Notification{Serial: serial}
	sealed, err := wxapi.ParseNotification(body)
	if err != nil {
		return n, &rejection{"malformed", http.StatusBadRequest, err}
	}
	n.ID, n.EventType, n.Summary = sealed.ID, sealed.EventType, sealed.Summary
	if sealed.Resource == nil {
		return n, &rejection{"malformed", http.StatusBadRequest, errors.New("no resource")}
	}
	if sealed.EventType == "" {
		return n, &rejection{"malformed", http.StatusBadRequest, errors.New("no event_type")}
	}
	if n.Plaintext, err = k.acct.apiv3.Open(*sealed.Resource); err != nil {
		return n, undecryptable(err)
	}
	return n, nil
}

// readNotification reads the very bytes that were signed.
func readNotification(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := func(most int64) error {
		return &rejection{"too_large", http.StatusRequestEntityTooLarge, fmt.Errorf("more than %d bytes", most)}
	}
	if r.ContentLength > maxNotification {
		w.Header().Set("Connection", "close") // its body is not read, not even to keep the connection
		return nil, tooLarge(maxNotification)
	}
	var body bytes.Buffer
	body.Grow(int(min(r.ContentLength, usualNotification)) + bytes.MinRead) // -1 is an unknown length
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxNotification))
	var capped *http.MaxBytesError
	switch {
	case errors.As(err, &capped):
		return nil, tooLarge(capped.Limit) // ours, or a lower one of somebody in front
	case errors.Is(err, http.ErrBodyReadAfterClose):
		return nil, drained(err)
	case err != nil:
		return nil, &rejection{"unreadable", http.StatusBadRequest, err}
	}
	return body.Bytes(), nil
}

// maxUnknown is how many notifications with unknown serials wait for a download
// of certificates. A flood of them fills no memory while WeChat Pay cannot be
// reached; a genuine one among those behind is sent again.
const maxUnknown = 128

// checkHeader checks what can be checked without the body. When WeChat Pay signed
// with a key that is not held, its certificates are fetched once (package wxapi
// limits how often) and the check is repeated: that is how a new platform
// certificate arrives.
func (k *Kit) checkHeader(ctx context.Context, h http.Header) error {
	_, err := k.acct.keys.CheckHeader(h, k.opt.Now())
	if !errors.Is(err, wxcrypto.ErrUnknownSerial) || k.api == nil {
		return err
	}
	defer k.unknown.Add(-1)
	if k.unknown.Add(1) > maxUnknown {
		return fmt.Errorf("%w; too many of these wait for certificates already", err)
	}
	// Not this caller's to cut short: a stranger who hangs up each time would
	// make us ask each time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeDeadline)
	defer cancel()
	if fetchErr := k.api.RefreshCertificates(ctx); fetchErr != nil && !errors.Is(fetchErr, wxapi.ErrPublicKeyMerchant) {
		return fmt.Errorf("%w; certificates could not be fetched: %v", err, fetchErr)
	}
	_, err = k.acct.keys.CheckHeader(h, k.opt.Now())
	return err
}

// drained is a body that somebody in front of the kit has read: the signed
// bytes are gone, and the mistake is in the app, not in the message.
func drained(err error) error {
	return &rejection{"drained", http.StatusUnauthorized, fmt.Errorf("the body is not all there: did a middleware read it before the kit? %w", err)}
}

// unverified names the check that failed, for the log. The peer is told
// nothing: to it all of them look alike.
func unverified(err error, cut bool) error {
	name := "bad_signature"
	switch {
	case errors.Is(err, wxcrypto.ErrHeaderMissing):
		name = "unsigned"
	case errors.Is(err, wxcrypto.ErrSignatureType):
		name = "signature_type"
	case errors.Is(err, wxcrypto.ErrTimestamp):
		name = "bad_timestamp"
	case errors.Is(err, wxcrypto.ErrUnknownSerial), errors.Is(err, wxcrypto.ErrKeyExpired):
		name = "unknown_key"
	case cut:
		return drained(err)
	}
	return &rejection{name, http.StatusUnauthorized, err}
}

// undecryptable tells a resource that no key opens from one that another key
// would: WeChat signed it, so the fault is most likely in our settings.
func undecryptable(err error) error {
	if errors.Is(err, wxcrypto.ErrDecrypt) {
		return &rejection{"undecryptable", http.StatusInternalServerError, fmt.Errorf("is APIv3Key the account's current one? %w", err)}
	}
	return &rejection{"malformed", http.StatusBadRequest, err}
}

type notificationKey struct{}

// VerifyNotify is a middleware for an app that handles notifications itself:
// next is called only with notifications that WeChat Pay signed and that could
// be decrypted, and finds them with [NotificationFrom]. Everything else is
// answered as WeChat expects. next answers 2xx only when what it learnt is
// durable.
func (k *Kit) VerifyNotify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := k.opt.Now()
		r = traced(r)
		n, err := k.open(w, r)
		if err != nil {
			k.answerWeChat(w, r, start, n, err, inJSON)
			return
		}
		k.opt.Hooks.Notification(r.Context(), NotificationInfo{Outcome: "passed_on", EventType: n.EventType, Serial: n.Serial, Took: k.opt.Now().Sub(start)})
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), notificationKey{}, n)))
	})
}

// NotificationFrom returns the notification that [Kit.VerifyNotify] put into
// the context of a request.
func NotificationFrom(ctx context.Context) (Notification, bool) {
	n, ok := ctx.Value(notificationKey{}).(Notification)
	return n, ok
}
