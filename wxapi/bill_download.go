package wxapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// splitDownloadURL takes the address of a bill apart. It lets only hosts
// through that may see a signed request: those of the Config, and WeChat Pay's.
// A client of a simulator on loopback keeps to loopback, and no other goes
// there. The error does not repeat the address, which holds a token.
func (c *Client) splitDownloadURL(raw string) (base, target string, err error) {
	const most = 2048
	u, err := url.Parse(raw)
	switch {
	case err != nil || raw == "" || len(raw) > most || u.Host == "" || !strings.HasPrefix(u.Path, "/"):
		return "", "", errors.New("download_url is not a URL")
	case u.User != nil || strings.Contains(raw, "#"):
		return "", "", errors.New("download_url is more than host, path and query")
	case !c.mayDownloadFrom(u):
		return "", "", errors.New("download_url is at a host that is not WeChat Pay's")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), u.RequestURI(), nil
}

func (c *Client) mayDownloadFrom(u *url.URL) bool {
	origin := u.Scheme + "://" + u.Host
	if strings.EqualFold(origin, c.cfg.BaseURL) || strings.EqualFold(origin, c.cfg.BackupURL) {
		return true
	}
	base, err := url.Parse(c.cfg.BaseURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	if isLoopback(base.Hostname()) {
		return isLoopback(u.Hostname())
	}
	return u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && isWeChatHost(strings.ToLower(u.Hostname()))
}

// isWeChatHost takes hosts below WeChat Pay's domains, and no byte in them that
// a resolver or a proxy could read in another way.
func isWeChatHost(host string) bool {
	odd := strings.ContainsFunc(host, func(r rune) bool {
		return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	return !odd && (strings.HasSuffix(host, ".mch.weixin.qq.com") || strings.HasSuffix(host, ".wechatpay.cn"))
}

// errSilence ends a download in which nothing comes any more.
var errSilence = errors.New("wxapi: silence")

// stream sends a request whose 200 is too long for memory. It may take as long
// as the call, but not fall silent for longer than AttemptTimeout.
func (c *Client) stream(ctx context.Context, req *http.Request, receive func(io.Reader) error) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(c.cfg.AttemptTimeout, func() { cancel(errSilence) })
	defer silence.Stop()
	broken := func(err error, sent bool) error {
		if errors.Is(context.Cause(ctx), errSilence) {
			err = fmt.Errorf("nothing came for %s: %w", c.cfg.AttemptTimeout, context.DeadlineExceeded)
		}
		return &transportError{err: withoutURL(err), sent: sent}
	}
	var line lineState
	resp, err := c.cfg.HTTPClient.Do(req.WithContext(line.watch(ctx)))
	if err != nil {
		return answer{}, broken(err, line.mayHaveSent(err))
	}
	defer resp.Body.Close()
	ans := answer{status: resp.StatusCode, header: resp.Header}
	body := &livelyBody{from: resp.Body, alive: func() { silence.Reset(c.cfg.AttemptTimeout) }}
	if ans.status == http.StatusOK {
		err = receive(body)
	} else {
		ans.body, err = io.ReadAll(io.LimitReader(body, maxAnswer+1))
	}
	if body.err != nil {
		return answer{}, broken(fmt.Errorf("read the answer: %w", withoutURL(body.err)), true)
	}
	return ans, err
}

// livelyBody remembers what was wrong with the connection, as opposed to with
// whoever reads from it, and reports every sign of life.
type livelyBody struct {
	from  io.Reader
	alive func()
	err   error
}

func (b *livelyBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if n > 0 {
		b.alive()
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
