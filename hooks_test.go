package wxpay_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// watch is a listener to the hooks that tell how the kit itself is.
type watch struct {
	mu       sync.Mutex
	placed   []string
	backlogs []wxpay.BacklogInfo
	keys     [][]wxpay.KeyInfo
}

func (w *watch) hook(o *wxpay.Options) {
	o.Hooks.Placed = func(_ context.Context, o wxpay.Order) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.placed = append(w.placed, o.OutTradeNo)
	}
	o.Hooks.Backlog = func(_ context.Context, b wxpay.BacklogInfo) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.backlogs = append(w.backlogs, b)
	}
	o.Hooks.Keys = func(_ context.Context, keys []wxpay.KeyInfo) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.keys = append(w.keys, keys)
	}
}

// TestPlacedHook: one order, however often it is asked for.
func TestPlacedHook(t *testing.T) {
	t.Parallel()
	heard := new(watch)
	s := open(t, heard.hook)
	first := s.buy("native", "u1").OutTradeNo
	s.do("POST", "/pay/prepay/native", "u1", `{"out_trade_no":"`+first+`"}`).order(t)
	second := s.buy("native", "u1").OutTradeNo
	heard.mu.Lock()
	defer heard.mu.Unlock()
	if want := []string{first, second}; !slices.Equal(heard.placed, want) {
		t.Errorf("told %q, want %q", heard.placed, want)
	}
}

// TestKeysHook: New tells which keys it was given, and Run of those that came
// later, with the end of each that has one.
func TestKeysHook(t *testing.T) {
	t.Parallel()
	heard := new(watch)
	in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates, heard.hook, func(o *wxpay.Options) {
		o.Merchant.Certificate = certificate(t, merchantKey(t, o.Merchant.PrivateKey), o.Merchant.CertSerial)
	})
	in.buy("native", "u1") // fetches the platform certificate
	in.run()
	eventually(t, "what waits is told", func() bool {
		heard.mu.Lock()
		defer heard.mu.Unlock()
		return len(heard.backlogs) > 0 && len(heard.keys) > 1
	})
	heard.mu.Lock()
	defer heard.mu.Unlock()
	acct := in.sim.Account()
	own := heard.keys[0][0]
	if len(heard.keys[0]) != 1 || own.Kind != wxpay.KeyMerchant || own.Serial != acct.SerialNo || time.Until(own.NotAfter).Round(time.Hour) != time.Hour {
		t.Errorf("New told %+v", heard.keys[0])
	}
	if got := heard.keys[1]; len(got) != 2 || got[0] != own ||
		got[1].Kind != wxpay.KeyPlatform || got[1].Serial != acct.PlatformSerial || time.Until(got[1].NotAfter) < 24*time.Hour {
		t.Errorf("Run told %+v", got)
	}
	if b := heard.backlogs[0]; b.Err != nil || b.At.IsZero() {
		t.Errorf("what waits: %+v", b)
	}
}

// TestKeysWithoutAnEnd: the serial of one's own certificate does not say when
// it ends, and a public key does not.
func TestKeysWithoutAnEnd(t *testing.T) {
	t.Parallel()
	heard := new(watch)
	in := openInbox(t, wxsim.Config{}, heard.hook)
	acct := in.sim.Account()
	want := []wxpay.KeyInfo{
		{Kind: wxpay.KeyMerchant, Serial: acct.SerialNo},
		{Kind: wxpay.KeyPublic, Serial: acct.PublicKeyID},
	}
	if got := heard.keys[0]; !slices.Equal(got, want) {
		t.Errorf("told %+v, want %+v", got, want)
	}
}
