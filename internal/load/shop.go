package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// The shops, whose kit calls a WeChat Pay in another process, by the store that
// they have, and those who count what they ask their store.
const (
	shopOnMemory    = "shop on memory"
	shopOnSQLite    = "shop on SQLite"
	countedOnMemory = "shop on memory, counted"
	countedOnSQLite = "shop on SQLite, counted"
)

// shop is a kit in a process of its own that calls a WeChat Pay in another one.
type shop struct {
	config
	folder       string // what the processes are given, and write
	addr, weChat string
	stops        []func() (time.Duration, error)
}

// weChatFile has the address of WeChat Pay.
const weChatFile = "wechat.addr"

// openShop starts both processes, in a folder of their own in dir.
func (c config) openShop(ctx context.Context, dir, server string, given stage, profile string) (s *shop, err error) {
	s = &shop{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp(dir, "shop-"); err != nil {
		return s, err
	}
	if err := writeStage(s.folder, given); err != nil {
		return s, err
	}
	if s.weChat, err = s.run(ctx, ofWeChat, ""); err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(s.folder, weChatFile), []byte(s.weChat), 0o600); err != nil {
		return s, err
	}
	s.addr, err = s.run(ctx, server, profile)
	return s, err
}

// run starts a process that ends with the shop.
func (s *shop) run(ctx context.Context, server, profile string) (addr string, err error) {
	addr, stop, err := s.start(ctx, server, s.folder, s.most(), "", profile)
	if err == nil {
		s.stops = append(s.stops, stop)
	}
	return addr, err
}

// most is the greatest GOMAXPROCS of the flags.
func (c config) most() int { return slices.Max(c.procs) }

// close ends the processes, the last first, and removes their folder.
func (s *shop) close() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		_, err := stop()
		errs = append(errs, err)
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

// readBoth reads what the kit and WeChat Pay have counted, in this order.
func (s *shop) readBoth(ctx context.Context) (kit, weChat map[string]int64, err error) {
	if kit, err = readMeter(ctx, s.addr); err != nil {
		return nil, nil, err
	}
	weChat, err = readMeter(ctx, s.weChat)
	return kit, weChat, err
}

// openKit opens the kit of a shop, with the orders of the stage.
func (c config) openKit() (http.Handler, func() error, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, nil, err
	}
	s, err := readStage(c.folder)
	if err != nil {
		return nil, nil, err
	}
	weChat, err := os.ReadFile(filepath.Join(c.folder, weChatFile))
	if err != nil {
		return nil, nil, err
	}
	store, shut, err := c.openStore()
	if err != nil {
		return nil, nil, err
	}
	if err := fillKit(context.Background(), store, s.Orders, a.SignedAt); err != nil {
		return nil, nil, errors.Join(err, shut())
	}
	m := newMeter()
	if c.handler == countedOnMemory || c.handler == countedOnSQLite {
		store = &countedStore{store, m}
	}
	kit, err := newShop(a, store, "http://"+string(weChat), nil)
	if err != nil {
		return nil, nil, errors.Join(err, shut())
	}
	return metered(m, kit), shut, nil
}

func (c config) openStore() (orderstore.Store, func() error, error) {
	if c.handler == shopOnMemory || c.handler == countedOnMemory {
		return memory.New(), func() error { return nil }, nil
	}
	store, err := sqlite.Open(filepath.Join(c.folder, kitFile))
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}

// newShop is the kit of a shop. Who buys says so in a header.
func newShop(a account, store orderstore.Store, weChat string, client *http.Client) (*wxpay.Kit, error) {
	return wxpay.New(wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: mchID, CertSerial: certSerial, PrivateKey: a.Merchant, APIv3Key: apiv3Key,
			PublicKeyID: publicKeyID, PublicKey: a.WeChat, AppID: appID, APIBase: weChat,
		},
		NotifyURL:  "https://shop.example.com/pay/notify",
		Store:      store,
		Identify:   func(r *http.Request) (string, error) { return r.Header.Get(userHeader), nil },
		Quote:      orderstore.Catalog{{GoodsID: "vip-month", Description: "1个月会员", Total: price}}.Quote,
		Logger:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
		HTTPClient: client,
		Now:        a.clock(),
	})
}

// userHeader says who asks a shop.
const userHeader = "X-User"
