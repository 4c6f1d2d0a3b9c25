package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wxpaykit/wxpay"
)

// config is what the command line says.
type config struct {
	addr, simAddr, db string
	orderTTL          time.Duration
	api               wxpay.API
}

// readFlags reads the command line, and tells out what is wrong with it.
func readFlags(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("shop", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` of the shop; with the simulator one on loopback, or 0.0.0.0; port 0 takes a free one")
	flags.StringVar(&c.simAddr, "sim-addr", "127.0.0.1:9090", "`address` of the simulated WeChat Pay; not used with WXPAY_MCHID")
	flags.StringVar(&c.db, "db", "", "`database`: a file of SQLite, created if need be, postgres://user@host:port/name or mysql://user@host:port/name (default: shop.db in the user's cache directory)")
	flags.DurationVar(&c.orderTTL, "order-ttl", 30*time.Minute, "time to pay; less than 1m only against a WeChat Pay on loopback")
	flags.Func("api", "`version` of WeChat Pay's API to order through: v3 or v2 (default v3)", func(s string) (err error) {
		c.api, err = apiOf(s)
		return err
	})
	err := flags.Parse(args)
	switch {
	case err != nil:
		return c, err // told by flags
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case c.orderTTL <= 0:
		err = fmt.Errorf("-order-ttl is %v: give a time to pay, such as 30m", c.orderTTL)
	case c.db == "":
		c.db, err = defaultDB()
	}
	if err != nil {
		fmt.Fprintln(out, "shop:", err)
	}
	return c, err
}

func apiOf(version string) (wxpay.API, error) {
	switch version {
	case "v3":
		return wxpay.APIv3, nil
	case "v2":
		return wxpay.APIv2, nil
	}
	return 0, errors.New("it is v3 or v2")
}

// defaultDB is a file that outlives the process and lies in nobody's way.
func defaultDB() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil { // no home
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "wxpay-shop")
	return filepath.Join(dir, "shop.db"), os.MkdirAll(dir, 0o700)
}

// announce says what to open.
func announce(out io.Writer, shop, phone, db string) {
	fmt.Fprintf(out, "The shop is open.\n\n  shop      %s/\n", shop)
	if phone != "" {
		fmt.Fprintf(out, "  phone     %s      pays what the shop sells; no real money\n", phone)
	}
	fmt.Fprintf(out, "  metrics   %s/metrics\n  database  %s\n\nCtrl-C closes it.\n", shop, db)
}

// urlOf is where a browser on this machine finds the listener.
func urlOf(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// newServer bounds what a slow client can hold. An answer may wait for
// WeChat Pay, which the kit bounds at 20 s.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
}

// serve answers until ctx ends, and returns when the last answer is out.
// endStreams ends those answers that would go on.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, endStreams func()) error {
	server := newServer(handler)
	server.RegisterOnShutdown(endStreams)
	shut := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { shut <- shutdown(server) })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-shut
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}

// background runs work beside the shop. What it returns ends the work and
// waits for it.
func background(work func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = work(ctx) // nil, as kit.Run and sim.Run promise
	}()
	return func() {
		cancel()
		<-done
	}
}
