package wxlogin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxTries is how often one code is sent at most, when WeChat says that it
	// is busy. That is safe: should the code have been taken although, the next
	// answer is ErrCode and the client fetches another. Source: code2Session, -1.
	maxTries = 3
	// longestPause bounds the random pause before the second try; it doubles.
	longestPause = 200 * time.Millisecond
	// maxAnswer is the most that is read of an answer, in bytes; one has less
	// than a thousand.
	maxAnswer = 64 << 10
	// maxCode is the longest code that is sent. Those of today have 32 letters.
	maxCode = 512
)

// User is a person as one appid knows them.
type User struct {
	AppID   string
	OpenID  string
	UnionID string // empty unless the appid is bound to an open-platform account
	// Snapshot: a page sees the virtual user of WeChat's snapshot mode (快照页),
	// with whose openid no order may be placed. Source: 网页授权, is_snapshotuser.
	Snapshot bool
}

// Client exchanges the codes of one appid. Make it with [New]. It is safe for
// concurrent use and starts no goroutine of its own.
type Client struct{ cfg Config }

// New returns a client. Every missing or wrong field of the config is reported
// at once, joined by [errors.Join]. Nothing is sent yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Client{cfg}, nil
}

// Format names the appid, for every verb of package fmt.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "wxlogin.Client{"+c.cfg.AppID+"}")
}

// Code2Session exchanges the code of a mini-program's wx.login.
func (c *Client) Code2Session(ctx context.Context, code string) (User, error) {
	return c.exchange(ctx, "/sns/jscode2session", "js_code", code)
}

// AccessToken exchanges the code that a page inside WeChat came back with
// (网页授权). The token itself is of no use for paying and is thrown away.
func (c *Client) AccessToken(ctx context.Context, code string) (User, error) {
	return c.exchange(ctx, "/sns/oauth2/access_token", "code", code)
}

// exchange asks until there is an answer other than "busy".
func (c *Client) exchange(ctx context.Context, path, param, code string) (User, error) {
	if code == "" || len(code) > maxCode {
		return User{}, fmt.Errorf("%w: empty or longer than %d bytes", ErrCode, maxCode)
	}
	query := url.Values{"appid": {c.cfg.AppID}, "secret": {c.cfg.AppSecret}, param: {code}, "grant_type": {"authorization_code"}}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	for n, pause := 1, longestPause; ; n, pause = n+1, 2*pause {
		user, err := c.try(ctx, path+"?"+query.Encode())
		user.AppID = c.cfg.AppID
		if err == nil {
			return user, nil
		}
		err = told(err, c.cfg.AppSecret, code)
		if !errors.Is(err, ErrBusy) || n == maxTries || c.cfg.Sleep(ctx, rand.N(pause)) != nil {
			return User{}, err
		}
	}
}

// try sends the code once.
func (c *Client) try(ctx context.Context, target string) (User, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.BaseURL+target, nil)
	if err != nil {
		return User{}, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "wxpay-go/0.1 (+https://github.com/wxpaykit/wxpay)")
	resp, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return User{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return User{}, err
	}
	return readAnswer(resp.StatusCode, body)
}
