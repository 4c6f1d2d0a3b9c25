// Package playground lends the examples a WeChat Pay to play with: the
// simulator, on a listener of its own as the real one is on a host of its own.
package playground

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// Start serves a simulator on addr until stop. With one seed every run has the
// same account; 0 makes a new one.
func Start(addr string, seed int64) (sim *wxsim.Sim, stop func(), err error) {
	sim, err = wxsim.New(wxsim.Config{Seed: seed})
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	sim.SetURL("http://" + listener.Addr().String())
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) }) // until stop
	work.Go(func() { _ = sim.Run(ctx) })           // sends again what was not taken
	return sim, func() {
		cancel()
		sim.Close()
		_ = server.Close()
		work.Wait()
	}, nil
}

// Merchant is the simulator's account in the kit's terms.
func Merchant(sim *wxsim.Sim) wxpay.Merchant {
	a := sim.Account()
	return wxpay.Merchant{
		MchID: a.MchID, CertSerial: a.SerialNo, PrivateKey: a.PrivateKeyPEM, APIv3Key: a.APIv3Key, APIv2Key: a.APIv2Key,
		PublicKeyID: a.PublicKeyID, PublicKey: a.PublicKeyPEM,
		AppID: a.AppID, AppIDApp: a.AppIDApp, AppIDJSAPI: a.AppIDJSAPI, APIBase: sim.URL(),
		AppSecret: a.AppSecret, AppSecretJSAPI: a.AppSecret, LoginBase: sim.URL(),
	}
}
