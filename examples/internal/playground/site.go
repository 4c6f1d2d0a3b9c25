package playground

import (
	"net"

	"github.com/wxpaykit/wxpay"
)

// Site is where an example is reached, and who is paid there.
type Site struct {
	net.Listener
	Merchant wxpay.Merchant
	Phone    string // where the simulator's customer pays; empty for the real WeChat Pay
}

// Open listens on addr. If the environment names no account at WeChat Pay, the
// merchant is one at a simulator, which runs as long as the program.
func Open(addr string) (Site, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return Site{}, err
	}
	site := Site{Listener: listener, Merchant: wxpay.MerchantFromEnv()}
	if site.Merchant.MchID != "" {
		return site, nil
	}
	sim, _, err := Start("127.0.0.1:0", 0)
	if err != nil {
		_ = listener.Close()
		return Site{}, err
	}
	site.Merchant, site.Phone = Merchant(sim), sim.URL()+"/"
	site.Merchant.NotifyURL = "http://" + listener.Addr().String() + "/pay/notify"
	return site, nil
}
