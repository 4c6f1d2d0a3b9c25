package wxlogin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const defaultBase = "https://api.weixin.qq.com"

// Config says what a [Client] works with. AppID and AppSecret are required;
// every other zero value means its default. It prints without its secret.
type Config struct {
	// AppID is the mini-program, or the service account (公众号) of the page.
	AppID string
	// AppSecret is that appid's own secret (AppSecret), not a key of WeChat Pay.
	AppSecret string

	// BaseURL is where requests go: scheme and host, no path. Plain http is
	// taken for loopback hosts only. Defaults to https://api.weixin.qq.com.
	BaseURL string
	// HTTPClient sends the requests; redirects are not followed whatever it
	// says. Defaults to a client that takes proxies from the environment, and
	// TLS 1.2 or later.
	HTTPClient *http.Client

	// Timeout is the longest a call may take, all its tries and the pauses
	// between them together. Defaults to 5s.
	Timeout time.Duration
	// Sleep pauses between tries; it returns early, with an error, when ctx
	// ends. Defaults to a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// String names the appid and nothing secret.
func (c Config) String() string { return "wxlogin.Config{" + c.AppID + "}" }

// Format is String for every verb of package fmt.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is the appid.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.AppID) }

// MarshalText is String: JSON carries no secret either.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Config) withDefaults() Config {
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if c.BaseURL == "" {
		c.BaseURL = defaultBase
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	c.HTTPClient = withoutRedirects(c.HTTPClient)
	return c
}

// validate reports every wrong field of a Config that has its defaults.
func (c Config) validate() error {
	var errs []error
	fault := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New("wxlogin: Config."+text))
		}
	}
	fault(c.AppID == "", "AppID is required: the mini-program's or the service account's")
	fault(c.AppSecret == "", "AppSecret is required: the secret of AppID")
	fault(!isBase(c.BaseURL), "BaseURL must be scheme and host only, like "+defaultBase+"; http is for loopback hosts only")
	fault(c.Timeout < 0, "Timeout must not be negative")
	return errors.Join(errs...)
}

// isBase takes https://host and, for loopback hosts, http://host.
func isBase(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || strings.ContainsAny(base, "?#") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// withoutRedirects copies the client, so that the caller's stays as it is. A
// redirect would carry the secret to wherever it leads.
func withoutRedirects(given *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}}
	if given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
