// Command ownstore sells with a store of the team's own: the kit's orders live
// in the table that the team has had all along. Without WXPAY_MCHID it is paid
// by the simulated WeChat Pay beside it. docs/own-store.md explains it.
package main

import (
	"context"
	"database/sql"
	_ "embed" // for schema.sql
	"flag"
	"log"
	"net/http"
	"net/url"

	_ "github.com/mattn/go-sqlite3"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/orderstore"
)

//go:embed schema.sql
var schema string

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	path := flag.String("db", "own.db", "file of the database")
	flag.Parse()
	merchant := wxpay.MerchantFromEnv()
	if merchant.MchID == "" {
		sim, _, err := playground.Start("127.0.0.1:0", 1) // 1: the same account after a restart
		if err != nil {
			log.Fatal(err)
		}
		merchant = playground.Merchant(sim)
		merchant.NotifyURL = "http://" + *addr + "/pay/notify"
		log.Printf("the customer's phone is %s/", sim.URL())
	}
	db, err := openDB(*path)
	if err != nil {
		log.Fatal(err)
	}
	mux, kit, err := newMux(merchant, New(db))
	if err != nil {
		log.Fatal(err)
	}
	go kit.Run(context.Background())
	log.Printf("curl http://%s/pay/prepay/native -H 'X-User: xiaoming' --json '{\"goods_id\":\"tea\"}'", *addr)
	log.Fatal(http.ListenAndServe(*addr, mux))
}

// openDB opens the database and brings it to the tables. The settings are
// SQLite's; synchronous=FULL is what makes a returned nil survive a power cut.
func openDB(path string) (*sql.DB, error) {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	db, err := sql.Open("sqlite3", file.String()+"?_txlock=immediate&_journal_mode=WAL&_synchronous=FULL&_busy_timeout=20000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; leave this out elsewhere
	_, err = db.Exec(schema)
	return db, err
}

func newMux(merchant wxpay.Merchant, store wxpay.OrderStore) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the app's own page\n")) })
	kit, err := wxpay.Mount(mux, wxpay.Options{
		Merchant: merchant,
		Store:    store,
		Identify: func(r *http.Request) (string, error) { return r.Header.Get("X-User"), nil }, // in earnest: the app's session
		Quote:    orderstore.Catalog{{GoodsID: "tea", Description: "一杯茶", Total: 300}}.Quote,
		OnPaid: func(_ context.Context, o wxpay.Order) error {
			log.Printf("%s has paid for %s", o.UserID, o.Description)
			return nil
		},
	})
	return mux, kit, err
}
