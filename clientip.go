package wxpay

import (
	"net/http"
	"net/netip"
	"strings"
)

// connectionIP is the address at the other end of the connection.
func connectionIP(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	addr, _ := netip.ParseAddr(r.RemoteAddr)
	return addr.Unmap().WithZone("")
}

// TrustedProxies returns an Options.ClientIP for an app behind proxies with
// these addresses: the right-most address of X-Forwarded-For that is not a
// trusted proxy's. What a client itself writes into the header stands further
// left and is not believed.
func TrustedProxies(proxies ...netip.Prefix) func(*http.Request) netip.Addr {
	trusted := func(addr netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(addr) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) netip.Addr {
		addr := connectionIP(r)
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && trusted(addr); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			addr = hop.Unmap().WithZone("")
		}
		return addr
	}
}
