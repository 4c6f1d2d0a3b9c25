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
	serial = printableSerial(h.Get("Wechatpay-Serial"))
	header, err := readSignedHeader(h)
	if err != nil {
		return serial, err
	}
	if err := header.checkTime(now); err != nil {
		return serial, err
	}
	key, ok := s.Get(header.serial)
	if !ok {
		return serial, fmt.Errorf("%w: serial %q", ErrUnknownSerial, serial)
	}
	if !key.validAt(now) {
		return serial, fmt.Errorf("%w: serial %q, from %s to %s", ErrKeyExpired, serial,
			key.notBefore.Format(time.RFC3339), key.notAfter.Format(time.RFC3339))
	}
	return serial, header.checkSignature(key, body)
}

func readSignedHeader(h http.Header) (header signedHeader, err error) {
	if header.timestamp, err = oneHeader(h, "Wechatpay-Timestamp", maxTimestampLen); err != nil {
		return signedHeader{}, err
	}
	if header.nonce, err = oneHeader(h, "Wechatpay-Nonce", maxNonceLen); err != nil {
		return signedHeader{}, err
	}
	if header.serial, err = oneHeader(h, "Wechatpay-Serial", maxSerialLen); err != nil {
		return signedHeader{}, err
	}
	if header.signature, err = oneHeader(h, "Wechatpay-Signature", maxSignatureLen); err != nil {
		return signedHeader{}, err
	}
	return header, checkSignatureType(h)
}

// oneHeader returns the value of a header that is there exactly once. Of two values one could be checked here and the
// other be believed elsewhere. Only visible ASCII is let through: with a line break inside the nonce the signed
// message could be cut into nonce and body at another place.
func oneHeader(h http.Header, name string, most int) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", fmt.Errorf("%w: %s is missing", ErrHeaderMissing, name)
	case len(values) > 1:
		return "", fmt.Errorf("%w: %s is there %d times", ErrHeaderMissing, name, len(values))
	case len(values[0]) > most:
		return "", fmt.Errorf("%w: %s has %d characters", ErrHeaderMissing, name, len(values[0]))
	case !isVisible(values[0]):
		return "", fmt.Errorf("%w: %s holds blanks or control characters", ErrHeaderMissing, name)
	}
	return values[0], nil
}

// checkSignatureType refuses everything but RSA. A missing type means RSA; a present one is not signed, so it may only
// narrow what is accepted.
func checkSignatureType(h http.Header) error {
	values := h.Values("Wechatpay-Signature-Type")
	if len(values) == 0 || len(values) == 1 && (values[0] == "" || values[0] == authScheme) {
		return nil
	}
	return fmt.Errorf("%w: %.64q", ErrSignatureType, strings.Join(values, ", "))
}

func (header signedHeader) checkTime(now time.Time) error {
	// ParseUint takes digits only, no sign. Sixteen of them cannot overflow the subtraction.
	seconds, err := strconv.ParseUint(header.timestamp, 10, 63)
	if err != nil {
		return fmt.Errorf("%w: Wechatpay-Timestamp is not a number", ErrTimestamp)
	}
	if age := now.Unix() - int64(seconds); age >= maxSkew || age <= -maxSkew {
		return fmt.Errorf("%w: it is %d, the clock here says %d", ErrTimestamp, seconds, now.Unix())
	}
	return nil
}

// checkSignature is where trust begins. The message is put together from the header's own text and the received
// bytes; nothing is parsed and written anew in between.
func (header signedHeader) checkSignature(key VerifyKey, body []byte) error {
	signature, err := base64.StdEncoding.DecodeString(header.signature)
	if err != nil {
		return fmt.Errorf("%w: not base64", ErrSignature)
	}
	digest := sha256.Sum256(answerMessage(header.timestamp, header.nonce, body))
	if err := rsa.VerifyPKCS1v15(key.public, crypto.SHA256, digest[:], signature); err != nil {
		return fmt.Errorf("%w: serial %q", ErrSignature, key.serial)
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
