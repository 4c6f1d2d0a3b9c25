package wxlogin

import (
	"errors"
	"fmt"
)

// Why somebody cannot be signed in.
var (
	// ErrCode says that the code is unknown, too old, used already, or another
	// appid's: the client must fetch a new one.
	ErrCode = errors.New("wxlogin: code invalid or used")
	// ErrRate says that this user, or this appid, asks too often.
	ErrRate = errors.New("wxlogin: too many requests")
	// ErrRisky says that WeChat takes the user for a risk and blocks the login.
	ErrRisky = errors.New("wxlogin: high-risk user")
	// ErrConfig says that the appid or its secret is wrong. No login succeeds
	// until somebody has mended it.
	ErrConfig = errors.New("wxlogin: wrong appid or secret")
	// ErrBusy says that WeChat could not answer, however often it was asked.
	ErrBusy = errors.New("wxlogin: WeChat is busy")
	// ErrUnreachable says that no answer came. The code may have been used up.
	ErrUnreachable = errors.New("wxlogin: WeChat cannot be reached")
	// ErrGarbage says that something other than WeChat's answer came.
	ErrGarbage = errors.New("wxlogin: unreadable answer")
)

// kinds says what WeChat's codes mean. Source: code2Session, 返回码; those of
// the configuration from the list of global codes (全局返回码).
var kinds = map[int]error{
	-1:    ErrBusy,
	40029: ErrCode, // invalid, too old, another appid's, sometimes used
	40163: ErrCode, // used
	45011: ErrRate, // 100 a minute and user
	40226: ErrRisky,
	40013: ErrConfig, // no such appid
	40125: ErrConfig, // the secret is not the appid's
	41002: ErrConfig, // no appid
	41004: ErrConfig, // no secret
}

// Error is a refusal of WeChat. [errors.Is] finds the kind of it; codes that
// are not listed there have none.
type Error struct {
	Code    int    // errcode
	Message string // errmsg, for people, cleaned and cut; it changes, branch on Code
}

// Error names code and message.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("WeChat answered %d", e.Code)
	}
	return fmt.Sprintf("WeChat answered %d: %s", e.Code, e.Message)
}

// Is reports whether target is the kind of this code.
func (e *Error) Is(target error) bool { return target != nil && kinds[e.Code] == target }
