package wxsim

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

// scheme is the only way to authorise a call here.
const scheme = "WECHATPAY2-SHA256-RSA2048"

// tolerance is how far a timestamp may be from the header clock.
const tolerance = 5 * time.Minute

// authorization is a parsed Authorization header.
type authorization struct {
	mchid, serial, nonce, timestamp, signature string
}

// Why a header did not parse.
var (
	errScheme = errors.New("foreign authorization scheme")
	errSyntax = errors.New("malformed authorization")
)

// parseAuthorization reads `scheme key="value",…`: one space after the scheme,
// none elsewhere, each of the five keys exactly once, in any order.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	name, pairs, _ := strings.Cut(header, " ")
	if name != scheme {
		return a, errScheme
	}
	fields := map[string]*string{
		"mchid": &a.mchid, "serial_no": &a.serial, "nonce_str": &a.nonce,
		"timestamp": &a.timestamp, "signature": &a.signature,
	}
	for pair := range strings.SplitSeq(pairs, ",") {
		key, quoted, _ := strings.Cut(pair, "=")
		into, known := fields[key]
		if !known {
			return authorization{}, fmt.Errorf("%w: unknown or repeated key %q", errSyntax, key)
		}
		delete(fields, key)
		value, ok := unquote(quoted)
		if !ok {
			return authorization{}, fmt.Errorf("%w: value of %s", errSyntax, key)
		}
		*into = value
	}
	if len(fields) > 0 {
		return authorization{}, fmt.Errorf("%w: %d keys are missing", errSyntax, len(fields))
	}
	return a, nil
}

// unquote takes the ASCII quotes off a value, which must not be empty and must
// not hold another quote.
func unquote(s string) (string, bool) {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	return s, !strings.Contains(s, `"`)
}

// authorize checks a call's signature. The order is WeChat's: shape, clock,
// merchant, serial, and only then the signature itself.
func (s *Sim) authorize(r *http.Request, body []byte) *refusal {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	switch {
	case errors.Is(err, errScheme) && strings.HasPrefix(r.URL.Path, "/v3/pay/transactions/"):
		return &refusedScheme
	case err != nil:
		return &refusedAuthSyntax
	}
	seconds, err := strconv.ParseInt(a.timestamp, 10, 64)
	if err != nil {
		return &refusedAuthSyntax
	}
	if gap := s.clock.header().Sub(time.Unix(seconds, 0)).Abs(); gap > tolerance {
		return &refusedTimestamp
	}
	switch {
	case a.mchid != s.keys.account.MchID:
		return &refusedMerchant
	case a.serial != s.keys.account.SerialNo:
		return &refusedSerial
	}
	message := r.Method + "\n" + wireURI(r) + "\n" + a.timestamp + "\n" + a.nonce + "\n" + string(body) + "\n"
	if !verified(&s.keys.merchant.PublicKey, message, a.signature) {
		return &refusedSignature
	}
	return nil
}

// wireURI is the path and query exactly as they were sent. A proxy's absolute
// form and an in-process request fall back to what the URL would send.
func wireURI(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// verified reports whether a base64 signature over the message is the key's.
func verified(key *rsa.PublicKey, message, signature string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}
