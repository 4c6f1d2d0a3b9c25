// Package wxlogin asks WeChat (api.weixin.qq.com) who somebody is: it exchanges
// the code of wx.login, or of a web page's authorisation (网页授权), for the
// openid that JSAPI and mini-program payments need.
//
//	c, err := wxlogin.New(wxlogin.Config{AppID: appID, AppSecret: secret})
//	user, err := c.Code2Session(ctx, code)
//
// A code is good for one exchange within five minutes, under the appid that it
// was made for. What went wrong is told by [errors.Is]:
//
//   - [ErrCode]: the code is unknown, used or too old; the client fetches another;
//   - [ErrRate]: this user comes too often;
//   - [ErrRisky]: WeChat lets this user not sign in;
//   - [ErrConfig]: the appid or the secret is wrong, and somebody must act;
//   - [ErrBusy], [ErrUnreachable], [ErrGarbage]: WeChat cannot be asked right now.
//
// The session_key of a mini-program is not even read from the answer: it must
// not leave the server, and paying needs it not. The secret and the code stand
// in the URL that is called, so neither errors nor anything else here shows it.
// Nothing here logs. Source: code2Session; 网页授权, access_token.
package wxlogin
