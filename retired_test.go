package wxpay_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// TestRetiredCertificateAtPrepay: the only certificate held was retired
// meanwhile. WeChat refuses the call that names it; the new one is fetched, and
// the same call is made again.
func TestRetiredCertificateAtPrepay(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates)
	in.paidAtWeChat()
	in.sim.Fault(wxsim.Fault{Target: "keys", Fault: "rotate"})
	in.sim.ClearFaults()
	in.clock.advance(13 * time.Hour)
	before := in.sim.Requests("certificates")
	in.buy("native", "u1")
	if n := in.sim.Requests("certificates") - before; n != 1 {
		t.Errorf("certificates were fetched %d times", n)
	}
}
