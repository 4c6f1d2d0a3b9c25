package wxcrypto

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What [KeySet.Verify] refuses, in the order it looks. Match with [errors.Is]. The peer should be told none of it,
// only that the signature was not accepted.
var (
	ErrHeaderMissing = errors.New("wxcrypto: signature header missing, repeated or malformed")
	ErrSignatureType = errors.New("wxcrypto: signature type not supported")
	ErrTimestamp     = errors.New("wxcrypto: timestamp not within 5 minutes of now")
	ErrUnknownSerial = errors.New("wxcrypto: unknown key")
	ErrKeyExpired    = errors.New("wxcrypto: certificate outside its validity")
	ErrSignature     = errors.New("wxcrypto: signature does not match")
)

// Longest values read from a header. A signature of RSA-4096 has 684 characters; a WeChat Pay serial about 40.
const (
	maxTimestampLen = 16
	maxNonceLen     = 128
	maxSerialLen    = 128
	maxSignatureLen = 1024
)

// maxSkew is how far a signature's timestamp may be from now, in seconds; exactly this far is too far. It bounds how
// long a recorded message can be replayed, and how far into the future one can be laid up.
const maxSkew = 300

// signedHeader is what WeChat Pay says about its signature, as it stood in the headers.
type signedHeader struct {
	timestamp, nonce, serial, signature string
}

// Verify checks that WeChat Pay signed body, the bytes exactly as received, a short while before or after now (wire:
// API v3, 签名验证). It serves answers and notifications alike. Until it has returned nil nothing in body may be
// believed or even parsed.
//
// It looks at cheap things first, so that a stranger cannot make the server do RSA for every request: the four headers
// are there once each and not too long; the type is RSA; the timestamp is less than five minutes from now either way;
// the serial is known and its certificate valid; the signature matches. The error wraps [ErrHeaderMissing],
// [ErrSignatureType], [ErrTimestamp], [ErrUnknownSerial], [ErrKeyExpired] or [ErrSignature]. WeChat Pay's deliberately
// wrong signatures (签名探测流量) get no branch of their own and fail like any other.
//
// serial is what the header claimed, for the log: cleaned of characters that could forge a line of it, and cut at
// 64. It is set on failure too, and only proven when err is nil.
func (s *KeySet) Verify(h http.Header, body []byte, now time.Time) (serial string, err error) {
	serial = printableSerial(first(h, headerSerial))
	header, key, err := s.check(h, now, serial)
	if err != nil {
		return serial, err
	}
	return serial, header.checkSignature(key, body)
}

// CheckHeader is what of [KeySet.Verify] needs no body: everything but the signature itself. Whoever calls it before
// reading a body from the network does not read, or keep, what would be refused anyway. It returns what Verify would,
// and nil proves nothing: Verify must follow.
func (s *KeySet) CheckHeader(h http.Header, now time.Time) (serial string, err error) {
	serial = printableSerial(first(h, headerSerial))
	_, _, err = s.check(h, now, serial)
	return serial, err
}

// check looks at the headers, and finds the key that they name.
func (s *KeySet) check(h http.Header, now time.Time, serial string) (signedHeader, VerifyKey, error) {
	header, err := readSignedHeader(h)
	if err != nil {
		return signedHeader{}, VerifyKey{}, err
	}
	if err := header.checkTime(now); err != nil {
		return signedHeader{}, VerifyKey{}, err
	}
	key, ok := s.Get(header.serial)
	if !ok {
		return signedHeader{}, VerifyKey{}, refused(ErrUnknownSerial, named(serial))
	}
	if !key.validAt(now) {
		validity := key.notBefore.Format(time.RFC3339) + " to " + key.notAfter.Format(time.RFC3339)
		return signedHeader{}, VerifyKey{}, refused(ErrKeyExpired, named(serial)+", from "+validity)
	}
	return header, key, nil
}

// refusal is one of the errors above, with what was seen. It is put together without package fmt: a flood of forgeries
// makes as many of them.
type refusal struct {
	kind error
	seen string
}

func refused(kind error, seen string) error { return &refusal{kind, seen} }

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.seen }
func (r *refusal) Unwrap() error { return r.kind }

// named quotes a serial that is printable, so that nothing in it is to be escaped.
func named(serial string) string { return `serial "` + serial + `"` }

// The headers, in the form in which package http keeps them.
const (
	headerTimestamp = "Wechatpay-Timestamp"
	headerNonce     = "Wechatpay-Nonce"
	headerSerial    = "Wechatpay-Serial"
	headerSignature = "Wechatpay-Signature"
	headerType      = "Wechatpay-Signature-Type"
)

// first is h.Get of a name in that form.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func readSignedHeader(h http.Header) (header signedHeader, err error) {
	if header.timestamp, err = oneHeader(h, headerTimestamp, maxTimestampLen); err != nil {
		return signedHeader{}, err
	}
	if header.nonce, err = oneHeader(h, headerNonce, maxNonceLen); err != nil {
		return signedHeader{}, err
	}
	if header.serial, err = oneHeader(h, headerSerial, maxSerialLen); err != nil {
		return signedHeader{}, err
	}
	if header.signature, err = oneHeader(h, headerSignature, maxSignatureLen); err != nil {
		return signedHeader{}, err
	}
	return header, checkSignatureType(h)
}

// oneHeader returns the value of a header that is there exactly once. Of two values one could be checked here and the
// other be believed elsewhere. Only visible ASCII is let through: with a line break inside the nonce the signed
// message could be cut into nonce and body at another place.
func oneHeader(h http.Header, name string, most int) (string, error) {
	values := h[name]
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", refused(ErrHeaderMissing, name+" is missing")
	case len(values) > 1:
		return "", refused(ErrHeaderMissing, name+" is there "+strconv.Itoa(len(values))+" times")
	case len(values[0]) > most:
		return "", refused(ErrHeaderMissing, name+" has "+strconv.Itoa(len(values[0]))+" characters")
	case !isVisible(values[0]):
		return "", refused(ErrHeaderMissing, name+" holds blanks or control characters")
	}
	return values[0], nil
}

// checkSignatureType refuses everything but RSA. A missing type means RSA; a present one is not signed, so it may only
// narrow what is accepted.
func checkSignatureType(h http.Header) error {
	values := h[headerType]
	if len(values) == 0 || len(values) == 1 && (values[0] == "" || values[0] == authScheme) {
		return nil
	}
	return refused(ErrSignatureType, fmt.Sprintf("%.64q", strings.Join(values, ", ")))
}

func (header signedHeader) checkTime(now time.Time) error {
	// ParseUint takes digits only, no sign. Sixteen of them cannot overflow the subtraction.
	seconds, err := strconv.ParseUint(header.timestamp, 10, 63)
	if err != nil {
		return refused(ErrTimestamp, "Wechatpay-Timestamp is not a number")
	}
	if age := now.Unix() - int64(seconds); age >= maxSkew || age <= -maxSkew {
		return refused(ErrTimestamp, "it is "+strconv.FormatUint(seconds, 10)+", the clock here says "+strconv.FormatInt(now.Unix(), 10))
	}
	return nil
}

// checkSignature is where trust begins. The message is put together from the header's own text and the received
// bytes; nothing is parsed and written anew in between.
func (header signedHeader) checkSignature(key VerifyKey, body []byte) error {
	signature, err := base64.StdEncoding.DecodeString(header.signature)
	if err != nil {
		return refused(ErrSignature, "not base64")
	}
	if len(signature) != key.public.Size() {
		return refused(ErrSignature, "it has "+strconv.Itoa(len(signature))+" bytes, unlike those of "+named(key.serial))
	}
	digest := sha256.Sum256(answerMessage(header.timestamp, header.nonce, body))
	if err := rsa.VerifyPKCS1v15(key.public, crypto.SHA256, digest[:], signature); err != nil {
		return refused(ErrSignature, named(key.serial))
	}
	return nil
}

// printableSerial makes what a stranger wrote fit for a log.
func printableSerial(claimed string) string {
	const most = 64
	if len(claimed) <= most && isVisible(claimed) {
		return claimed
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, claimed[:min(len(claimed), most)])
}
