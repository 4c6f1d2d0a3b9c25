// Command shop is a small shop with the kit in it: three memberships, five
// ways to pay, and a WeChat Pay to play with in the same process.
//
//	go run ./examples/shop
//
// All that a shop writes to be paid, and to pay back, stands in [run]. What its
// members get is in grants.go, which databases it can have in database.go, who
// may refund in admin.go, its sessions and routes in shop.go, who came by
// WeChat in wechat.go, its pages in pages.go and order_page.go, and the
// simulated WeChat Pay in examples/internal/playground.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/wxprom"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	conf, err := readFlags(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil: // readFlags has said what
		os.Exit(2)
	}
	if err := run(ctx, conf, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// run sells until ctx ends. What it opened ends in the opposite order: first
// the server, then the kit, then what the two work with.
func run(ctx context.Context, conf config, out io.Writer) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))

	// The orders, with the prices of goods_info, and the shop's own members.
	store, members, err := openDatabase(ctx, conf.db)
	if err != nil {
		return err
	}
	defer members.Close()
	if err := store.PutGoods(ctx, prices()...); err != nil {
		return err
	}

	listener, err := net.Listen("tcp", conf.addr)
	if err != nil {
		return err
	}
	defer listener.Close()

	merchant, stop, err := account(conf, listener)
	if err != nil {
		return err
	}
	defer stop()

	mux := http.NewServeMux()
	kit, err := wxpay.Mount(mux, wxpay.Options{
		Merchant:        merchant,
		NotifyURL:       merchant.NotifyURL, // in earnest: https://shop.example.com/pay/notify
		API:             conf.api,           // v3, or v2 for an old account
		Store:           store,
		Identify:        identify,        // who is asking: the shop's own session
		OnLogin:         signIn,          // who came by WeChat
		OpenID:          boundOpenID,     // and need not say it again
		Quote:           store.Quote,     // the server's own price, never the client's
		OnPaid:          members.grant,   // once per order number, however often it is called
		AuthorizeRefund: authorizeRefund, // who may give money back
		OnRefunded:      members.revoke,  // once per order number, too
		OnPaidDeadline:  5 * time.Second,
		OrderTTL:        conf.orderTTL,
		Cashier:         cashier(),
		Hooks:           wxprom.New(prometheus.DefaultRegisterer),
		Logger:          logger,
	})
	if err != nil {
		return err
	}
	defer background(kit.Run)()

	mux.Handle("GET /metrics", promhttp.Handler())
	phone := phoneOf(merchant)
	shop := shop{orders: store, members: members, cashier: kit.CashierLink, phone: phone, logger: logger}
	if err := shop.addRoutes(mux); err != nil {
		return err
	}
	announce(out, urlOf(listener), phone, shown(conf.db))
	return serve(ctx, listener, mux, kit.CloseStreams)
}

// account is the one at WeChat Pay that the environment names, or one to play
// with.
func account(conf config, listener net.Listener) (merchant wxpay.Merchant, stop func(), err error) {
	merchant = wxpay.MerchantFromEnv()
	if merchant.MchID != "" {
		return merchant, func() {}, nil
	}
	sim, stop, err := playground.Start(conf.simAddr, simulatorSeed)
	if err != nil {
		return merchant, nil, err
	}
	merchant = playground.Merchant(sim)
	merchant.NotifyURL = urlOf(listener) + "/pay/notify"
	return merchant, stop, nil
}
