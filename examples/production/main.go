// Command production is examples/minimal in earnest: orders in PostgreSQL,
// proxies in front, probes and metrics on a port of their own, and an end at
// which nothing is cut short. docs/production.md explains it.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
	"github.com/wxpaykit/wxpay/wxprom"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store, err := openStore(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	catalog := orderstore.Catalog{{GoodsID: "vip-month", Description: "1个月会员", Total: 100}}
	mux, inside := http.NewServeMux(), http.NewServeMux()
	pay, err := wxpay.Mount(mux, wxpay.Options{
		Merchant:       wxpay.MerchantFromEnv(), // WXPAY_NOTIFY_URL is in it
		Store:          store,
		Identify:       signedInUser,
		Quote:          catalog.Quote,
		OnPaid:         grantMembership,
		ClientIP:       wxpay.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8")), // your load balancers
		Origins:        []string{"https://m.example.com"},                         // your pages on other hosts
		ReconcileDaily: true,
		Hooks:          wxprom.New(prometheus.DefaultRegisterer),
	})
	if err != nil {
		log.Fatal(err)
	}
	inside.Handle("GET /metrics", promhttp.Handler())
	inside.Handle("GET /livez", pay.Live())
	inside.Handle("GET /readyz", pay.Ready())
	go func() { log.Fatal(http.ListenAndServe(":9100", inside)) }() // not for the public
	if err := serve(ctx, pay, &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}); err != nil {
		log.Fatal(err)
	}
}

// openStore brings the tables to this version of the kit.
func openStore(ctx context.Context, dsn string) (*postgres.Store, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxLifetime(3 * time.Minute)
	if err := postgres.Migrate(ctx, db, postgres.Options{}); err != nil {
		return nil, err
	}
	return postgres.New(ctx, db, postgres.Options{})
}

// serve answers until ctx ends. Then what has begun is finished: first the
// requests, then the work of Run.
func serve(ctx context.Context, pay *wxpay.Kit, server *http.Server) error {
	running, end := context.WithCancel(context.Background())
	ran, shut := make(chan error, 1), make(chan error, 1)
	go func() { ran <- pay.Run(running) }()
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 25*time.Second)
		defer cancel()
		shut <- server.Shutdown(grace)
	}()
	server.RegisterOnShutdown(pay.CloseStreams)
	time.AfterFunc(time.Second, func() { _ = pay.Check(ctx).Print(os.Stderr, "en") }) // once it listens
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		end()
		return errors.Join(err, <-ran)
	}
	err := <-shut
	end()
	return errors.Join(err, <-ran)
}

// signedInUser and grantMembership stand for the app's own.
func signedInUser(r *http.Request) (string, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return "", errors.New("not signed in")
	}
	return c.Value, nil
}

func grantMembership(_ context.Context, o wxpay.Order) error {
	log.Printf("%s is a member now (order %s)", o.UserID, o.OutTradeNo)
	return nil
}
