package wxcrypto

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Everything signed on API v3 is a list of lines, each ended by one LF, the last one included. The builders of this
// file are the only places where such a list is put together.

// requestMessage is what the merchant signs for a request (wire: API v3, 签名生成).
func requestMessage(method, requestURI, timestamp, nonce string, body []byte) []byte {
	return withBody(body, method, requestURI, timestamp, nonce)
}

// answerMessage is what WeChat Pay signs for an answer and for a notification (wire: API v3, 签名验证).
func answerMessage(timestamp, nonce string, body []byte) []byte {
	return withBody(body, timestamp, nonce)
}

// jsapiMessage is what the merchant signs for a JSAPI page or a mini-program (wire: JSAPI调起支付, 小程序调起支付).
// pkg is the whole value of the field package.
func jsapiMessage(appID, timestamp, nonce, pkg string) []byte {
	return message(appID, timestamp, nonce, pkg)
}

// appMessage is what the merchant signs for an App; unlike JSAPI the last line is the bare prepay_id (wire:
// APP调起支付).
func appMessage(appID, timestamp, nonce, prepayID string) []byte {
	return message(appID, timestamp, nonce, prepayID)
}

func message(text ...string) []byte { return lines(0, text) }

// withBody is a message whose last line is a body.
func withBody(body []byte, text ...string) []byte {
	return append(append(lines(len(body)+1, text), body...), '\n')
}

// lines ends each line of text by one LF, and keeps room for more behind them.
func lines(room int, text []string) []byte {
	size := room + len(text)
	for _, line := range text {
		size += len(line)
	}
	buf := make([]byte, 0, size)
	for _, line := range text {
		buf = append(buf, line...)
		buf = append(buf, '\n')
	}
	return buf
}

// checkTokens refuses values that could end a line of a signed message or a quoted value of a header early: with
// them one signature would fit two readings. What remains is what WeChat Pay's identifiers are made of anyway.
func checkTokens(nameValue ...string) error {
	for i := 0; i < len(nameValue); i += 2 {
		name, value := nameValue[i], nameValue[i+1]
		if value == "" {
			return fmt.Errorf("%s is empty", name)
		}
		if !isToken(value) {
			return fmt.Errorf("%s holds a quote, a comma, a backslash, a blank, a line break or a character that is not ASCII", name)
		}
	}
	return nil
}

func isToken(s string) bool {
	return isVisible(s) && !strings.ContainsAny(s, `",\`)
}

// isVisible reports whether s is printable ASCII without blanks.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i]-'!' > '~'-'!' { // a byte below '!' wraps around
			return false
		}
	}
	return true
}

// unixText returns at in the form WeChat Pay wants it, whole seconds since 1970. The zero time is refused: it is a
// clock that was never set.
func unixText(at time.Time) (string, error) {
	seconds := at.Unix()
	if seconds <= 0 {
		return "", errors.New("the time is before 1970; is the clock set?")
	}
	return strconv.FormatInt(seconds, 10), nil
}
