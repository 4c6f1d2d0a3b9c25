// Command wxsim serves a fake WeChat Pay for programs in any language.
//
//	wxsim -addr 127.0.0.1:9090 -seed 7
//
// Point a client at the printed URL with the account of /_sim/config, open the
// URL in a browser for the customer's phone, and steer it under /_sim/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9090", "address to listen on")
	seed := flag.Int64("seed", 0, "makes keys and numbers repeatable; 0 draws fresh ones")
	publicKeyOnly := flag.Bool("public-key-only", false, "play a merchant without platform certificates")
	refundDelay := flag.Duration("refund-delay", 5*time.Second, "how long a refund is PROCESSING; negative: it ends at once")
	oauthDomain := flag.String("oauth-domain", "", "`host`, besides loopback, whose pages may ask for an openid (网页授权域名)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	conf := wxsim.Config{
		Seed: *seed, PublicKeyOnly: *publicKeyOnly, RefundDelay: *refundDelay, OAuthDomain: *oauthDomain,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if err := run(ctx, *addr, conf); err != nil {
		log.Fatal("wxsim: ", err)
	}
}

// run serves until ctx ends, then lets the calls under way finish.
func run(ctx context.Context, addr string, conf wxsim.Config) error {
	sim, err := wxsim.New(conf)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		base = fmt.Sprintf("http://127.0.0.1:%d", tcp.Port) // h5_url keeps to the host it was asked by
	} else {
		sim.SetURL(base)
	}
	fmt.Printf("fake WeChat Pay on %s\n  phone    %s/\n  account  %s/_sim/config\n", base, base, base)

	server := &http.Server{
		Handler:           sim,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       90 * time.Second, // longer than a timeout fault holds a client
		WriteTimeout:      30 * time.Minute, // /_sim/clock may have days of re-sends to make
		IdleTimeout:       time.Minute,
	}
	resends := make(chan error, 1)
	go func() { resends <- sim.Run(ctx) }()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		sim.Close()
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-stopped, <-resends)
}
