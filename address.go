package wxpay

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// checkNotifyURL holds a notify URL against WeChat's rules, so that a mistake
// shows at the start and not as notifications that never come.
// Source: notify_url rules of prepay; where pages differ, the stricter one.
func checkNotifyURL(field, endpoint, s string) error {
	fault := func(text string) error { return fmt.Errorf("wxpay: Options.%s %s", field, text) }
	u, err := url.Parse(s)
	switch {
	case s == "":
		return fault("is required: the public https address of this kit's " + endpoint + ", such as https://shop.example.com/pay" + endpoint)
	case err != nil || u.Host == "" || u.User != nil:
		return fault("is not a URL like https://shop.example.com/pay/notify")
	case len(s) > 255:
		return fault("is longer than WeChat's 255 bytes")
	case strings.ContainsAny(s, "?#"):
		return fault("must have no query and no fragment: WeChat Pay would not call it")
	case u.Path == "" || u.Path == "/":
		return fault("needs a path, such as /pay/notify")
	case isLoopback(u.Hostname()) && (u.Scheme == "http" || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return fault("must be https (http is taken for loopback hosts only)")
	case u.Port() != "":
		return fault("must have no port: WeChat Pay calls 443")
	case isIP(u.Hostname()):
		return fault("must name a host, not an IP address")
	}
	return nil
}

// isCallback takes an absolute URL without query, or nothing.
func isCallback(s string) bool {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return true
	case err != nil || u.Host == "" || u.User != nil || u.Path == "" || strings.ContainsAny(s, "?#"):
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// checkBase reports whether WeChat can be at that address, and whether that is
// on this machine: scheme and host, or nothing; http for loopback hosts only.
func checkBase(base string) (loopback, ok bool) {
	if base == "" {
		return false, true
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(base, "?#") {
		return false, false
	}
	loopback = isLoopback(u.Hostname())
	return loopback, u.Scheme == "https" || u.Scheme == "http" && loopback
}
