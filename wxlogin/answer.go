package wxlogin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// maxOpenID is WeChat Pay's limit. Source: prepay, payer.openid.
const maxOpenID = 128

// readAnswer makes a user or an error of what came. WeChat answers 200 for
// errors too, under whatever Content-Type: the errcode decides, and an answer
// without an openid is none. Source: code2Session.
func readAnswer(status int, body []byte) (User, error) {
	switch {
	case status == http.StatusTooManyRequests:
		return User{}, fmt.Errorf("%w: status 429", ErrRate)
	case status >= 500:
		return User{}, fmt.Errorf("%w: status %d", ErrBusy, status)
	case status != http.StatusOK:
		return User{}, fmt.Errorf("%w: status %d", ErrGarbage, status)
	case len(body) > maxAnswer:
		return User{}, fmt.Errorf("%w: longer than %d bytes", ErrGarbage, maxAnswer)
	}
	var wire struct {
		ErrCode      int    `json:"errcode"`
		ErrMsg       string `json:"errmsg"`
		OpenID       string `json:"openid"`
		UnionID      string `json:"unionid"`
		SnapshotUser int    `json:"is_snapshotuser"`
	}
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' || json.Unmarshal(body, &wire) != nil {
		return User{}, fmt.Errorf("%w: not what WeChat answers", ErrGarbage)
	}
	switch {
	case wire.ErrCode != 0:
		return User{}, &Error{Code: wire.ErrCode, Message: wire.ErrMsg}
	case wire.OpenID == "":
		return User{}, fmt.Errorf("%w: no openid", ErrGarbage)
	case !isID(wire.OpenID) || wire.UnionID != "" && !isID(wire.UnionID):
		return User{}, fmt.Errorf("%w: an openid that can be none", ErrGarbage)
	}
	return User{OpenID: wire.OpenID, UnionID: wire.UnionID, Snapshot: wire.SnapshotUser != 0}, nil
}

// isID takes the letters that openids and unionids are made of.
func isID(s string) bool {
	return len(s) <= maxOpenID && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
