package wxapi

import (
	"fmt"

	"github.com/wxpaykit/wxpay/internal/lean"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// Notification is the body of one that WeChat Pay sent, still sealed.
// Source: 回调通知.
type Notification struct {
	ID        string // WeChat's; a re-sent notification may have another
	EventType string // such as TRANSACTION.SUCCESS
	Summary   string
	Resource  *wxcrypto.Resource // nil when there is none
}

// ParseNotification reads the body of a notification of any kind, whose
// signature was verified before: see [wxcrypto.KeySet.Verify]. It refuses what
// is not JSON, has a field twice, or has something else than a text in one of
// the fields above, whose names are compared by case. What is absent or null is
// left empty. Unknown fields are never a reason to refuse.
func ParseNotification(body []byte) (Notification, error) {
	r := lean.New(string(body))
	var n Notification
	for field := range r.Object() {
		switch field {
		case "id":
			n.ID = r.Text()
		case "event_type":
			n.EventType = r.Text()
		case "summary":
			n.Summary = r.Text()
		case "resource":
			n.Resource = readResource(r)
		}
	}
	if err := r.Close(); err != nil {
		return Notification{}, fmt.Errorf("notification: %w", err)
	}
	return n, nil
}

func readResource(r *lean.Reader) *wxcrypto.Resource {
	if r.Null() {
		return nil
	}
	sealed := new(wxcrypto.Resource)
	for field := range r.Object() {
		switch field {
		case "original_type":
			sealed.OriginalType = r.Text()
		case "algorithm":
			sealed.Algorithm = r.Text()
		case "ciphertext":
			sealed.Ciphertext = r.Text()
		case "associated_data":
			sealed.AssociatedData = r.Text()
		case "nonce":
			sealed.Nonce = r.Text()
		}
	}
	return sealed
}
