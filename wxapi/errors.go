package wxapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// ErrUnknown says that WeChat Pay may or may not have done what was asked:
	// a timeout, a connection that broke after sending, 5xx, 202, 429 on close
	// and refund, or a 2xx that cannot be verified or read. It is a state of its
	// own, not a failure. Where there was an answer, [*Error] is beneath it.
	ErrUnknown = errors.New("wxapi: outcome unknown")

	// ErrNotVerified is an [ErrUnknown]: a 2xx came whose signature does not
	// hold, and nothing in it was believed. The wxcrypto error is beneath it.
	ErrNotVerified = fmt.Errorf("wxapi: answer not verified (%w)", ErrUnknown)

	// ErrUnreachable says that no try of the call got as far as a connection
	// to WeChat Pay. Nothing happened there.
	ErrUnreachable = errors.New("wxapi: WeChat Pay cannot be reached")

	// ErrRequest says that what the caller gave can never be a request, such
	// as an order number with a slash in it. Nothing was sent.
	ErrRequest = errors.New("wxapi: malformed request")

	// ErrPublicKeyMerchant says that the merchant has no platform certificate
	// (平台证书): its answers are signed with the WeChat Pay public key
	// (微信支付公钥), which must be in [Config].Keys. All new merchants are so;
	// it is a state, not a fault. Source: 平台证书更新指引, GET /v3/certificates.
	ErrPublicKeyMerchant = errors.New("wxapi: merchant has no platform certificates, only the WeChat Pay public key")

	// ErrNoBill says that WeChat Pay has no bill of the day, which is normal
	// when nothing was paid or refunded; [*Error] NO_STATEMENT_EXIST is beneath
	// it. Like any refusal it is not signed: with payments of that day on the
	// books it is something to look into.
	ErrNoBill = errors.New("wxapi: no bill of that day")

	// ErrBillNotReady says that the bill is still being made: ask again in half
	// an hour. [*Error] STATEMENT_CREATING is beneath it.
	ErrBillNotReady = errors.New("wxapi: bill not ready")

	// ErrBillDamaged says that what came is not the bill WeChat Pay announced,
	// or not a bill: another SHA1, a truncated file, one too long, a column or
	// the summary missing, sums that differ. Nothing of it is to be used.
	ErrBillDamaged = errors.New("wxapi: bill damaged")
)

// Longest texts kept of a refusal, in bytes.
const (
	maxCode      = 64
	maxMessage   = 512
	maxDetail    = 4 << 10
	maxRequestID = 128
)

// Error is an answer of WeChat Pay other than success. It is not signed, as no
// refusal is: good for deciding what to try next, not for moving money.
// Branch on Status and Code, with [IsCode]; messages change.
// Source: 通用规则, 错误码和错误提示.
type Error struct {
	Status  int    // HTTP status
	Code    string // WeChat Pay's code, such as ORDER_NOT_EXIST; empty when the body had none
	Message string // for people, cleaned and cut at 512 bytes; "not JSON" for bodies of somebody else

	// Detail is what WeChat Pay adds, of no fixed shape; nil when absent or
	// beyond 4 KiB. It may repeat values of the request: do not log it.
	Detail json.RawMessage

	RequestID string // header Request-ID, which WeChat Pay's support asks for; may be empty
}

// Error names status, code, message and request id, never Detail.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "WeChat Pay answered %d", e.Status)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (Request-ID " + e.RequestID + ")")
	}
	return b.String()
}

// IsCode reports whether WeChat Pay refused with one of these codes, whatever
// the error is wrapped in. Case and underscores do not count: older pages spell
// ORDER_NOT_EXIST as ORDERNOTEXIST. It is also true beneath [ErrUnknown].
func IsCode(err error, codes ...string) bool {
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code == "" {
		return false
	}
	for _, code := range codes {
		if foldCode(code) == foldCode(refusal.Code) {
			return true
		}
	}
	return false
}

func foldCode(code string) string {
	return strings.ToUpper(strings.ReplaceAll(code, "_", ""))
}

// readError makes an Error of an answer. Whatever the bytes are, it has one:
// the status alone is worth knowing.
func readError(status int, h http.Header, body []byte) *Error {
	e := &Error{Status: status, RequestID: clean(h.Get("Request-Id"), maxRequestID)}
	var wire struct{ Code, Message, Detail json.RawMessage }
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		e.Message = "empty body" // as of 405, and of 404 on an unknown path
		return e
	case body[0] != '{' || json.Unmarshal(body, &wire) != nil:
		// A gateway's page. Its text is nobody's business.
		e.Message = "not JSON"
		return e
	}
	if code := text(wire.Code); len(code) <= maxCode && isCode(code) {
		e.Code = code
	}
	e.Message = clean(text(wire.Message), maxMessage)
	if len(wire.Detail) <= maxDetail && string(wire.Detail) != "null" {
		e.Detail = wire.Detail
	}
	return e
}

// text is a JSON string, or "" for every other kind of value.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func isCode(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// clean makes foreign text fit for one line of a log: valid UTF-8 without
// control characters and openids, at most most bytes.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return cut(hideOpenIDs(strings.TrimSpace(s)), most)
}

// hideOpenIDs blots out what looks like an openid, an "o" and 27 more of
// [0-9A-Za-z_-], because WeChat Pay's messages may repeat what was sent.
func hideOpenIDs(s string) string {
	const openIDLen = 28
	isPart := func(b byte) bool {
		return b == '_' || b == '-' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && isPart(s[end]) {
			end++
		}
		switch {
		case end == i:
			b.WriteByte(s[i])
			end++
		case end-i == openIDLen && s[i] == 'o':
			b.WriteString("(openid)")
		default:
			b.WriteString(s[i:end])
		}
		i = end
	}
	return b.String()
}

// cut shortens valid UTF-8 to at most most bytes, between two characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
