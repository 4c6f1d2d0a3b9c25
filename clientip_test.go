package wxpay_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay"
)

// TestTrustedProxies: the right-most address that is not a proxy's own. What a
// client writes into the header stands further left.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	const proxy = "10.0.0.1:4711"
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:1234", nil, "203.0.113.7"},
		{"no proxy, spoofed", "203.0.113.7:1234", []string{"1.2.3.4"}, "203.0.113.7"},
		{"no proxy, spoofed as a proxy", "203.0.113.7:1234", []string{"10.0.0.9"}, "203.0.113.7"},
		{"one proxy", proxy, []string{"203.0.113.7"}, "203.0.113.7"},
		{"one proxy, no header", proxy, nil, "10.0.0.1"},
		{"one proxy, empty header", proxy, []string{""}, "10.0.0.1"},
		{"spoofed left entry", proxy, []string{"1.2.3.4, 203.0.113.7"}, "203.0.113.7"},
		{"many spoofed entries", proxy, []string{"127.0.0.1, 10.0.0.9, 1.2.3.4, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies", proxy, []string{"1.2.3.4, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"two headers", proxy, []string{"1.2.3.4", "203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"a proxy nobody trusts in between", proxy, []string{"203.0.113.7, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"only proxies", proxy, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"no blanks", proxy, []string{"1.2.3.4,203.0.113.7"}, "203.0.113.7"},
		{"blanks and tabs", proxy, []string{" \t203.0.113.7 "}, "203.0.113.7"},
		{"garbage at the right", proxy, []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		{"garbage at the left", proxy, []string{"unknown, 203.0.113.7"}, "203.0.113.7"},
		{"garbage between proxies", proxy, []string{"203.0.113.7, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"an injected line", proxy, []string{"203.0.113.7\r\nX: y"}, "10.0.0.1"},
		{"IPv6 client", proxy, []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 proxy", "[fd00::1]:4711", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv4 in IPv6 client", proxy, []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"IPv4 in IPv6 proxy", "[::ffff:10.0.0.1]:4711", []string{"203.0.113.7, ::ffff:10.0.0.2"}, "203.0.113.7"},
		{"zone of the client", proxy, []string{"fe80::7%eth0"}, "fe80::7"},
		{"zone of the proxy", "[fd00::1%eth0]:4711", []string{"203.0.113.7"}, "203.0.113.7"},
		{"no port", "10.0.0.1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"unix socket", "@", []string{"203.0.113.7"}, ""},
		{"no address at all", "", []string{"203.0.113.7"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ip := wxpay.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
			r := httptest.NewRequest("POST", "/pay/prepay/h5", nil)
			r.RemoteAddr = c.remote
			for _, v := range c.forwarded {
				r.Header.Add("X-Forwarded-For", v)
			}
			got := ""
			if addr := ip(r); addr.IsValid() {
				got = addr.String()
			}
			if got != c.want {
				t.Errorf("address is %q, want %q", got, c.want)
			}
		})
	}
	t.Run("none trusted", func(t *testing.T) {
		t.Parallel()
		r := httptest.NewRequest("POST", "/pay/prepay/h5", nil)
		r.RemoteAddr = proxy
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
		if got := wxpay.TrustedProxies()(r).String(); got != "10.0.0.1" {
			t.Errorf("address is %q", got)
		}
	})
}

// TestClientIPOfTheConnection is the default, and what the header says does
// not matter.
func TestClientIPOfTheConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, want string }{
		{"203.0.113.7:1234", "203.0.113.7"},
		{"[2001:db8::7]:1234", "2001:db8::7"},
		{"[::ffff:203.0.113.7]:1234", "203.0.113.7"},
		{"[fe80::7%eth0]:1234", "fe80::7"},
		{"203.0.113.7", "203.0.113.7"},
		{"@", ""},
	} {
		t.Run(c.remote, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			r := httptest.NewRequest("POST", "/pay/prepay/native", strings.NewReader(body("native", "vip-month")))
			r.RemoteAddr = c.remote
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-User", "u1")
			r.Header.Set("X-Forwarded-For", "1.2.3.4")
			w := httptest.NewRecorder()
			s.kit.ServeHTTP(w, r)
			var got struct{ Data order }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if o := s.stored(got.Data.OutTradeNo); o.DeviceIP != c.want {
				t.Errorf("device_ip is %q, want %q", o.DeviceIP, c.want)
			}
		})
	}
}
