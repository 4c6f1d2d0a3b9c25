package wxcrypto

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// authScheme is the scheme of the Authorization header and, in Wechatpay-Signature-Type, the name of the algorithm.
const authScheme = "WECHATPAY2-SHA256-RSA2048"

// Signer is a merchant that calls API v3. All fields are required; they are checked by
// [Signer.Authorization]. A Signer is safe for concurrent use.
type Signer struct {
	MchID    string      // merchant id (商户号); must be the mchid, or in partner mode the sp_mchid, of the body
	SerialNo string      // serial of the merchant API certificate, hex; not the id of WeChat Pay's public key
	Key      *PrivateKey // private key of that certificate
}

// Authorization returns the whole value of the Authorization header for one request (wire: API v3, 签名生成).
//
// requestURI is path and query in the escaped form that goes on the wire, as (*url.URL).RequestURI returns it; body is
// the bytes that are sent, nil for none. at becomes the timestamp, which WeChat Pay accepts for five minutes either
// way. nonce is any random text, normally [NewNonce].
//
// Values that do not fit the header or the signed message are refused: WeChat Pay would take a quote or a line break
// for the end of the value, and the signature would then vouch for something else.
func (s Signer) Authorization(method, requestURI string, body []byte, at time.Time, nonce string) (string, error) {
	if err := s.check(method, requestURI, nonce); err != nil {
		return "", fmt.Errorf("authorization: %w", err)
	}
	timestamp, err := unixText(at)
	if err != nil {
		return "", fmt.Errorf("authorization: %w", err)
	}
	signature, err := s.Key.Sign(requestMessage(method, requestURI, timestamp, nonce, body))
	if err != nil {
		return "", fmt.Errorf("authorization: %w", err)
	}
	return fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		authScheme, s.MchID, nonce, timestamp, normalSerial(s.SerialNo), signature), nil
}

func (s Signer) check(method, requestURI, nonce string) error {
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return errors.New("the method must be upper-case letters, such as GET")
	}
	// A second slash would be the start of a host, which is no part of what is signed.
	if !strings.HasPrefix(requestURI, "/") || strings.HasPrefix(requestURI, "//") {
		return errors.New("the request URI must start with the path: no scheme, no host")
	}
	if !isVisible(requestURI) || strings.Contains(requestURI, "#") {
		return errors.New("the request URI is not in its escaped form; use (*url.URL).RequestURI")
	}
	if strings.HasPrefix(s.SerialNo, publicKeyPrefix) {
		return errors.New("the serial number is the id of WeChat Pay's public key; the serial of the merchant's own certificate is needed")
	}
	return checkTokens("the merchant id", s.MchID, "the serial number", s.SerialNo, "the nonce", nonce)
}
