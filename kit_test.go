package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// shop is a whole app on loopback: the kit on a mux, a store, and the
// simulator it talks to. One clock serves all of them.
type shop struct {
	t      testing.TB
	sim    *wxsim.Sim
	kit    *wxpay.Kit
	mux    *http.ServeMux
	url    string
	store  orderstore.Store
	clock  *clock
	logs   *buffer
	quotes atomic.Int64
	grants *grants
}

// clock runs with the real one, some way off it.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// buffer is a bytes.Buffer that many may write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// quiet is a store whose unpaid orders are never due: no question to WeChat
// comes from the background, where a test counts those of the pages. Refunds
// that somebody has just asked for are left to the request, whose answer says
// what became of them.
type quiet struct{ orderstore.Store }

func (q quiet) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	due, err := q.Store.Due(ctx, now, 10_000)
	due = slices.DeleteFunc(due, func(o orderstore.Order) bool { return o.ToAsk() || hasJustAsked(o) })
	return due[:min(len(due), limit)], err
}

// hasJustAsked reports whether the last write to the order was that of a
// request for a refund, which takes the first step itself.
func hasJustAsked(o orderstore.Order) bool {
	return o.GivenBack == "" && slices.ContainsFunc(o.Refunds, func(r orderstore.Refund) bool {
		return r.Status == orderstore.RefundApplying && r.NextActionAt.Equal(o.UpdatedAt)
	})
}

// loud lets the background ask.
func loud(o *wxpay.Options) { o.Store = memory.New() }

// grants is what the app did for paid orders.
type grants struct {
	mu   sync.Mutex
	of   map[string]int
	back map[string]int // refunds taken over
	fail int            // how many calls fail before one succeeds
}

func (g *grants) onRefunded(_ context.Context, _ wxpay.Order, r wxpay.Refund) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail > 0 {
		g.fail--
		return errors.New("the membership service is down")
	}
	if g.back == nil {
		g.back = make(map[string]int)
	}
	g.back[r.OutRefundNo]++
	return nil
}

func (g *grants) returned(outRefundNo string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.back[outRefundNo]
}

func (g *grants) onPaid(_ context.Context, o wxpay.Order) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail > 0 {
		g.fail--
		return errors.New("the membership service is down")
	}
	g.of[o.OutTradeNo]++
	return nil
}

func (g *grants) count(outTradeNo string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.of[outTradeNo]
}

// wire is what these tests talk through, and client whoever talks. Not
// http.DefaultTransport: each httptest.Server that closes cuts its connections,
// also those of tests that run beside it.
var (
	wire   = &http.Transport{MaxIdleConnsPerHost: 64}
	client = &http.Client{Transport: wire}
)

var catalog = orderstore.Catalog{
	{GoodsID: "vip-month", Description: "1个月会员", Total: 100},
	{GoodsID: "vip-year", Description: "1年会员", Total: 9900},
	{GoodsID: "free", Description: "免费", Total: 0},
	{GoodsID: "negative", Description: "倒贴", Total: -1},
}

// open starts a shop; change alters the options before the kit is made.
func open(t testing.TB, change ...func(*wxpay.Options)) *shop {
	t.Helper()
	s := &shop{
		t: t, mux: http.NewServeMux(), store: quiet{memory.New()}, clock: new(clock), logs: new(buffer),
		grants: &grants{of: make(map[string]int)},
	}
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.sim = wxsim.Start(t, wxsim.Config{Now: s.clock.Now})
	s.remount(change...)
	return s
}

// options are those of the shop, complete.
func (s *shop) options() wxpay.Options {
	acct := s.sim.Account()
	return wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM,
			AppID: acct.AppID, AppIDApp: acct.AppIDApp, AppIDJSAPI: acct.AppIDJSAPI, APIBase: s.sim.URL(),
			AppSecret: acct.AppSecret, AppSecretJSAPI: acct.AppSecret, LoginBase: s.sim.URL(),
		},
		NotifyURL: s.url + "/pay/notify",
		Store:     s.store,
		Identify: func(r *http.Request) (string, error) {
			if user := r.Header.Get("X-User"); user != "" {
				return user, nil
			}
			return "", errors.New("no session")
		},
		Quote: func(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			s.quotes.Add(1)
			if ref, ok := strings.CutPrefix(q.OrderRef, "cart-"); ok {
				return wxpay.Quote{Total: 250, Description: "购物车" + ref, Ref: q.OrderRef}, nil
			}
			return catalog.Quote(ctx, q)
		},
		OnPaid:     s.grants.onPaid,
		OnRefunded: s.grants.onRefunded,
		AuthorizeRefund: func(_ *http.Request, userID string, _ wxpay.Order) error {
			if userID != "admin" {
				return errors.New("only the admin refunds")
			}
			return nil
		},
		RunInterval: 20 * time.Millisecond,
		Logger:      slog.New(slog.NewJSONHandler(io.MultiWriter(s.logs, s.t.Output()), nil)),
		Now:         s.clock.Now,
	}
}

// remount mounts a kit and runs it until the test ends.
func (s *shop) remount(change ...func(*wxpay.Options)) {
	s.t.Helper()
	o := s.options()
	for _, c := range change {
		c(&o)
	}
	s.store = o.Store
	kit, err := wxpay.Mount(s.mux, o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.kit = kit
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = kit.Run(ctx) })
	s.t.Cleanup(func() { cancel(); run.Wait() })
}

// reply is an answer of the kit.
type reply struct {
	status int
	header http.Header
	Code   int             `json:"code"`
	Data   json.RawMessage `json:"data"`
	Msg    string          `json:"msg"`
	raw    string
}

// order is what the endpoints say of an order; absent fields stay zero.
type order struct {
	OutTradeNo string            `json:"out_trade_no"`
	PrepayID   string            `json:"prepay_id"`
	Pay        map[string]string `json:"pay"`
	H5URL      string            `json:"h5_url"`
	CodeURL    string            `json:"code_url"`
	QRURL      string            `json:"qr_url"`
	PayStatus  int               `json:"pay_status"`
	TradeState string            `json:"trade_state"`
	TradeNo    string            `json:"trade_no"`
	PayTime    string            `json:"pay_time"`
	Total      int64             `json:"total"`
	Amount     string            `json:"amount"`
	Stale      bool              `json:"stale"`
}

func (r reply) order(t testing.TB) order {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("answer is %d %s", r.status, r.raw)
	}
	var o order
	if err := json.Unmarshal(r.Data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// do sends a request as user; header pairs follow the body.
func (s *shop) do(method, path, user, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if user != "" {
		req.Header.Set("X-User", user)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
		return reply{}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(raw) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &r); err != nil {
			s.t.Errorf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return r
}

// body of a prepay of goods, with all that a product needs.
func body(product, goods string) string {
	b := map[string]string{"goods_id": goods}
	switch product {
	case "jsapi", "miniprogram":
		b["openid"] = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	case "app":
		b["app_name"], b["app_channel"], b["device"] = "示例", "master", "小米 18 pro"
	}
	raw, _ := json.Marshal(b)
	return string(raw)
}

// buy places an order of vip-month.
func (s *shop) buy(product, user string) order {
	s.t.Helper()
	return s.do("POST", "/pay/prepay/"+product, user, body(product, "vip-month")).order(s.t)
}

// stored is the order as the store has it.
func (s *shop) stored(outTradeNo string) wxpay.Order {
	s.t.Helper()
	o, err := s.store.Get(context.Background(), outTradeNo)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// events are the kinds of what happened to an order.
func (s *shop) events(outTradeNo string) []orderstore.EventKind {
	s.t.Helper()
	events, err := s.store.Events(context.Background(), outTradeNo)
	if err != nil {
		s.t.Fatal(err)
	}
	kinds := make([]orderstore.EventKind, len(events))
	for i, e := range events {
		kinds[i] = e.Kind
	}
	return kinds
}

// deliver hands a request of the simulator to the shop as WeChat would.
func (s *shop) deliver(req *http.Request, err error) reply {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
}

// eventually waits for what another goroutine is about to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
