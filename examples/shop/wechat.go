package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay"
)

// signIn is the kit's OnLogin: whom WeChat has proven is signed in, as a user
// named after the openid. A real shop keeps a table from (appid, openid) to its
// users, and binds a new openid to l.UserID, who is signed in already.
func signIn(w http.ResponseWriter, r *http.Request, l wxpay.Login) error {
	setCookie(w, r, url.PathEscape(l.AppID+openIDMark+l.OpenID), 30*24*time.Hour)
	return nil
}

// boundOpenID is the kit's OpenID. It knows nobody whom WeChat has not proven,
// and nobody under another appid than the one they came by.
func boundOpenID(_ context.Context, user, appID string) (string, error) {
	openID, _ := strings.CutPrefix(user, appID+openIDMark)
	if openID == user {
		return "", nil
	}
	return openID, nil
}

// openIDMark stands between the appid and the openid in a user's name.
const openIDMark = ":"
