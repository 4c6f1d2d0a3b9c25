package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxapi"
)

// The handlers, by the names in the table.
const (
	ofKit    = "kit"
	ofNaive  = "naive"
	ofOne    = "one connection" // naive, limited to it
	ofLeast  = "least"          // reads as the kit does, and stores as little as it can
	withNone = "no store"       // the kit's, which verifies, decrypts and decodes, and stores nothing
)

// serve is a server: it prints its address, and ends when its input does.
func (c config) serve(in io.Reader, out io.Writer) (err error) {
	open, err := openerOf(c.handler)
	if err != nil {
		return err
	}
	handler, shut, err := open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shut()) }()
	if c.profiles != "" {
		file, err := os.Create(c.profiles)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: withPID(handler)}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Shutdown(context.Background())
	}()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// notify opens a handler of notifications where the kit would be mounted.
func (c config) notify() (http.Handler, func() error, error) {
	handler, shut, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /pay/notify", handler)
	return mux, shut, nil
}

// open returns the handler. All of them write a line of log for each
// notification, which goes nowhere.
func (c config) open() (http.Handler, func() error, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	switch c.handler {
	case ofNaive, ofOne:
		return c.openNaive(a, log)
	case ofLeast:
		return c.openLeast(a, log)
	case withNone:
		kit, err := newKit(a, memory.New(), log)
		if err != nil {
			return nil, nil, err
		}
		return kit.VerifyNotify(noStore(log)), func() error { return nil }, nil
	}
	store, err := sqlite.Open(filepath.Join(c.folder, kitFile))
	if err != nil {
		return nil, nil, err
	}
	kit, err := newKit(a, store, log)
	if err != nil {
		return nil, nil, err
	}
	return kit.Notify(), store.Close, nil
}

func (c config) openNaive(a account, log *slog.Logger) (http.Handler, func() error, error) {
	db, err := openNaive(filepath.Join(c.folder, naiveFile))
	if err != nil {
		return nil, nil, err
	}
	if c.handler == ofOne {
		db.SetMaxOpenConns(1)
	}
	n, err := newNaive(a, db, log)
	return n, db.Close, err
}

func newKit(a account, store orderstore.Store, log *slog.Logger) (*wxpay.Kit, error) {
	return wxpay.New(a.options(store, log))
}

// options are those of a kit that is told of payments, and asks nobody.
func (a account) options(store orderstore.Store, log *slog.Logger) wxpay.Options {
	return wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: mchID, CertSerial: certSerial, PrivateKey: a.Merchant, APIv3Key: apiv3Key,
			PublicKeyID: publicKeyID, PublicKey: a.WeChat, AppID: appID,
		},
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     store,
		Identify:  func(*http.Request) (string, error) { return "", errors.New("nobody buys here") },
		Quote:     orderstore.Catalog{}.Quote,
		Logger:    log,
		Now:       a.clock(),
	}
}

// noStore acknowledges a payment that it has read.
func noStore(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := wxpay.NotificationFrom(r.Context())
		t, err := wxapi.ParseTransaction(n.Plaintext)
		if err != nil || !t.Paid() || t.Amount.Total != price {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		log.InfoContext(r.Context(), "payment read", "order_no", t.OutTradeNo, "notification_id", n.ID)
		w.WriteHeader(http.StatusNoContent)
	})
}

// paid are the numbers of the orders that the file of a handler has as paid.
func paid(ctx context.Context, folder, handler string) (map[string]bool, error) {
	file := kitFile
	if handler != ofKit {
		file = naiveFile
	}
	return numbersWhere(ctx, filepath.Join(folder, file), "pay_status = 1 AND trade_no <> ''")
}

// numbersWhere are the numbers of the orders of a file for which a condition
// holds.
func numbersWhere(ctx context.Context, path, condition string) (map[string]bool, error) {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT out_trade_no FROM pay_order_record WHERE "+condition)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[string]bool)
	for rows.Next() {
		var number string
		if err := rows.Scan(&number); err != nil {
			return nil, err
		}
		found[number] = true
	}
	return found, rows.Err()
}
