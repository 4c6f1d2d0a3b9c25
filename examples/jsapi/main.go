// Command jsapi sells tea on a page inside WeChat. Without WXPAY_MCHID it is
// paid by the simulated WeChat Pay beside it, which signs any browser in.
package main

import (
	"context"
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
		Identify: signedIn,
		OnLogin: func(w http.ResponseWriter, r *http.Request, l wxpay.Login) error {
			http.SetCookie(w, &http.Cookie{Name: session, Value: l.OpenID, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
			return nil
		},
		OpenID: func(_ context.Context, user, _ string) (string, error) { return user, nil },
		Quote:  orderstore.Catalog{{GoodsID: "tea", Description: "一杯茶", Total: 300}}.Quote,
	})
	return mux, kit, err
}

// session is the cookie of who is signed in: of an openid, which is all that
// this app has for users. In earnest it names a session that the server keeps.
const session = "session"

func signedIn(r *http.Request) (string, error) {
	cookie, err := r.Cookie(session)
	if err != nil {
		return "", err
	}
	return cookie.Value, nil
}

// home sends whoever is not signed in to WeChat and back, which nobody sees.
func home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if user, err := signedIn(r); err != nil || user == "" {
		http.Redirect(w, r, "/pay/oauth/start?redirect=/", http.StatusFound)
		return
	}
	http.ServeFileFS(w, r, files, "page/index.html")
}
