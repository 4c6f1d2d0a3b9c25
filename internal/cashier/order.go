package cashier

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"time"
)

// State is where an order stands.
type State string

// The states.
const (
	Waiting   State = "waiting"
	Expired   State = "expired" // money may still be on its way
	Paid      State = "paid"
	Refunding State = "refunding"
	Refunded  State = "refunded"
	Closed    State = "closed"
)

// Order is what the page shows of an order.
type Order struct {
	English bool
	State   State
	Product string // native, h5, jsapi, miniprogram or app
	Number  string
	Token   string // of the link that the page was opened with, for what the page asks
	Key     string // changes with what GET /orders/{out_trade_no} says; see [Key]

	Description     string
	Total, Refunded int64 // fen
	PaidAt          string
	ExpiresAt       string

	Left  time.Duration // to pay
	Fresh time.Duration // until the code or link on the page is too old

	H5URL     string
	CodeID    string // differs from code to code
	InWeChat  bool   // the browser is WeChat's own
	Back      bool   // the customer comes back from WeChat
	Stale     bool   // WeChat could not be asked
	Trouble   bool   // WeChat gave no code or link
	ReturnURL string // where it goes on; may be empty
}

// Key tells whether a page still shows what is so. The script makes the same of
// the answer of GET /orders/{out_trade_no}.
func Key(payStatus int, refundStatus string, refunded int64, stale bool) string {
	return fmt.Sprintf("%d,%s,%d,%t", payStatus, refundStatus, refunded, stale)
}

// Words are what the script says.
func (o Order) Words() (string, error) {
	text, err := json.Marshal(wordsIn(o.English).Script)
	return string(text), err
}

// QR is the address of the picture, seen from the page. It changes with the
// code, because browsers take the same address for the same picture.
func (o Order) QR() string {
	q := url.Values{"v": {o.CodeID}}
	if o.Token != "" {
		q.Set("t", o.Token)
	}
	return "qr.svg?" + q.Encode()
}

// Again is the address of the page itself, without what was added on the way
// back from WeChat.
func (o Order) Again() string {
	if o.Token == "" {
		return "cashier"
	}
	return "cashier?" + url.Values{"t": {o.Token}}.Encode()
}

// LeftSeconds is the time to pay, rounded up: when the page counts to zero it is
// over.
func (o Order) LeftSeconds() int { return seconds(o.Left) }

// FreshSeconds is rounded down: what is on the page is never too old.
func (o Order) FreshSeconds() int { return int(max(o.Fresh, 0) / time.Second) }

func seconds(d time.Duration) int { return int(math.Ceil(max(d, 0).Seconds())) }

// clock prints seconds as the page counts them down.
func clock(s int) string {
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// Notice is a page without an order.
type Notice struct {
	English bool
	Text    string // what is wrong, in a phrase
	Kind    NoticeKind
}

// NoticeKind is what a customer can do about it.
type NoticeKind string

// The kinds.
const (
	SignIn   NoticeKind = "sign_in"
	NotYours NoticeKind = "not_yours"
	NoLink   NoticeKind = "no_link" // the link is over, or broken
	NoOrder  NoticeKind = "no_order"
	Later    NoticeKind = "later"
)

// Retry reports whether it may help to load the page again.
func (n Notice) Retry() bool { return n.Kind == SignIn || n.Kind == Later }
