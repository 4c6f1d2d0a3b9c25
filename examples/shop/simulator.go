package main

import (
	"net"
	"strings"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// simulatorSeed gives every run the same account, so that the orders of the
// last run still belong to it.
const simulatorSeed = 8080

// startSimulator serves a WeChat Pay to play with, on a listener of its own
// as the real one is on a host of its own, until stop.
func startSimulator(addr string) (sim *wxsim.Sim, stop func(), err error) {
	sim, err = wxsim.New(wxsim.Config{Seed: simulatorSeed})
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	sim.SetURL(urlOf(listener))
	server := newServer(sim)
	go func() { _ = server.Serve(listener) }() // until stop
	stopResends := background(sim.Run)
	return sim, func() {
		sim.Close()
		_ = shutdown(server)
		stopResends()
	}, nil
}

// merchantOf is the simulator's account in the kit's terms.
func merchantOf(sim *wxsim.Sim) wxpay.Merchant {
	a := sim.Account()
	return wxpay.Merchant{
		MchID: a.MchID, CertSerial: a.SerialNo, PrivateKey: a.PrivateKeyPEM, APIv3Key: a.APIv3Key,
		PublicKeyID: a.PublicKeyID, PublicKey: a.PublicKeyPEM,
		AppID: a.AppID, AppIDApp: a.AppIDApp, AppIDJSAPI: a.AppIDJSAPI, APIBase: sim.URL(),
	}
}

// phoneOf is the page of a simulated customer, which stands where the
// simulator does; empty for the real WeChat Pay. Plain http is how they are
// told apart: the kit takes it for simulators only.
func phoneOf(m wxpay.Merchant) string {
	if !strings.HasPrefix(m.APIBase, "http://") {
		return ""
	}
	return strings.TrimRight(m.APIBase, "/") + "/"
}
