package main

import (
	"log"
	"net"
	"net/http"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// startSimulator serves a WeChat Pay to play with, as long as the program
// runs.
func startSimulator() *wxsim.Sim {
	sim, err := wxsim.New(wxsim.Config{})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	sim.SetURL("http://" + listener.Addr().String())
	go func() { log.Fatal(http.Serve(listener, sim)) }()
	log.Printf("the customer's phone is %s/", sim.URL())
	return sim
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
