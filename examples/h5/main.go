// Command h5 sells tea in the browser of a phone, outside WeChat. Without
// WXPAY_MCHID it is paid by the simulated WeChat Pay beside it.
package main

import (
	"context"
	"crypto/rand"
	"embed"
	"flag"
	"fmt"
	"log"
	"net/http"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

//go:embed page
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	site, err := playground.Open(*addr)
	if err != nil {
		log.Fatal(err)
	}
	app, kit, err := newApp(site.Merchant)
	if err != nil {
		log.Fatal(err)
	}
	go kit.Run(context.Background())
	fmt.Printf("page   http://%s/\nphone  %s\n", site.Addr(), site.Phone)
	log.Fatal(http.Serve(site, app))
}

// newApp is the page, and the kit under /pay.
func newApp(merchant wxpay.Merchant) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /page/", http.FileServerFS(files))
	kit, err := wxpay.Mount(mux, wxpay.Options{
		Merchant: merchant,
		Store:    memory.New(), // in earnest: sqlite.Open("pay.db")
		Identify: visitor,
		Quote:    orderstore.Catalog{{GoodsID: "tea", Description: "一杯茶", Total: 300}}.Quote,
		// Behind proxies also ClientIP: wxpay.TrustedProxies(…), because WeChat
		// compares the customer's address with what it is told.
	})
	return mux, kit, err
}

// session is the cookie of a visitor. In earnest it is the app's own session.
const session = "session"

func visitor(r *http.Request) (string, error) {
	cookie, err := r.Cookie(session)
	if err != nil {
		return "", err
	}
	return cookie.Value, nil
}

// home makes a visitor of whoever is none yet.
func home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if user, err := visitor(r); err != nil || user == "" {
		http.SetCookie(w, &http.Cookie{Name: session, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
	}
	http.ServeFileFS(w, r, files, "page/index.html")
}
