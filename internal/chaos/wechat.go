package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// weChat is the simulator with its server.
type weChat struct {
	*wxsim.Sim
	stop func()
}

// startWeChat serves a simulator on loopback. carry is who carries its
// notifications to the shops.
func startWeChat(conf config, carry http.RoundTripper) (*weChat, error) {
	sim, err := wxsim.New(wxsim.Config{Seed: int64(conf.seed%1e9) + 1, RefundDelay: conf.refundDelay(), NotifyClient: &http.Client{Transport: carry}})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	sim.SetURL("http://" + listener.Addr().String())
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = sim.Run(ctx) }) // nil, as it promises
	all.Go(func() { _ = server.Serve(listener) })
	return &weChat{sim, func() {
		cancel()
		sim.Close()
		_ = server.Close()
		all.Wait()
	}}, nil
}

// refundDelay is how long refunds take, in business time. Where they end at
// once the notification comes before the answer.
func (c config) refundDelay() time.Duration {
	delays := [...]time.Duration{-1, time.Second, 5 * time.Second}
	return delays[c.seed%uint64(len(delays))]
}

// environment is the simulator's account as a shop reads it.
func (w *weChat) environment(dir string) ([]string, error) {
	a := w.Account()
	private, public := filepath.Join(dir, "apiclient_key.pem"), filepath.Join(dir, "pub_key.pem")
	err := errors.Join(
		os.WriteFile(private, []byte(a.PrivateKeyPEM), 0o600),
		os.WriteFile(public, []byte(a.PublicKeyPEM), 0o600))
	return []string{
		"WXPAY_MCHID=" + a.MchID, "WXPAY_CERT_SERIAL=" + a.SerialNo, "WXPAY_APIV3_KEY=" + a.APIv3Key,
		"WXPAY_PRIVATE_KEY_FILE=" + private, "WXPAY_PUBLIC_KEY_ID=" + a.PublicKeyID, "WXPAY_PUBLIC_KEY_FILE=" + public,
		"WXPAY_APPID=" + a.AppID, "WXPAY_APPID_APP=" + a.AppIDApp, "WXPAY_APPID_JSAPI=" + a.AppIDJSAPI,
		"WXPAY_API_BASE=" + w.URL(),
	}, err
}

// hurry moves business time on and on, faster than real time, so that re-sends
// come within the run.
func (w *weChat) hurry(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
			w.Advance(4 * time.Second)
		}
	}
}
